import CDataPath

/// Limits and thresholds of the program.
public struct KernelProgramSettings: Hashable, Sendable {
    /// At most `perSecond` in the long run and `burst` at once; `perSecond` 0 means no limit.
    public struct Rate: Hashable, Sendable {
        public var perSecond: UInt32
        public var burst: UInt32

        public init(perSecond: UInt32, burst: UInt32) {
            self.perSecond = perSecond
            self.burst = burst
        }
    }
    /// Octets of a session, both ways together, after which a context is worthwhile. Traffic in one direction only
    /// never is.
    public var triggerOctets: UInt64 = 2048
    /// Age of a session in nanoseconds after which a context is worthwhile whatever the octets.
    public var triggerAge: UInt64 = 60_000_000_000
    /// Age of the daemon's last heartbeat in nanoseconds beyond which control messages are dropped.
    public var heartbeatLimit: UInt64 = 2_000_000_000
    /// I1 messages from all strangers together: hosts with which there is no session, whose sources may be forged. As many
    /// may name the ULIDs of sessions and come from elsewhere.
    public var strangersI1 = Rate(perSecond: 5000, burst: 5000)
    /// All other control messages of strangers. The peer of a context is none: its tag says so.
    public var strangers = Rate(perSecond: 5000, burst: 5000)
    /// I1 messages, and all other messages, of strangers in one /48.
    public var strangersSite = Rate(perSecond: 500, burst: 500)
    /// Control messages of all hosts with which there is a session or a context, unless they name it by its tag.
    public var acquainted = Rate(perSecond: 10_000, burst: 10_000)
    /// Of those in one /48.
    public var acquaintedSite = Rate(perSecond: 5000, burst: 5000)
    /// I1 messages, and all other messages, of one of these hosts to one address; and I1 messages from elsewhere that name
    /// the ULIDs of one session.
    public var pair = Rate(perSecond: 100, burst: 100)
    /// Control messages with the tag of one context.
    public var tagged = Rate(perSecond: 500, burst: 500)
    /// `DataPathEvent.unknownTag` for one /48.
    public var unknownTag = Rate(perSecond: 4, burst: 8)
    /// The same for all together.
    public var unknownTags = Rate(perSecond: 1000, burst: 1000)
    /// `DataPathEvent.payload` for one context.
    public var payload = Rate(perSecond: 4, burst: 1)
    /// `DataPathEvent.tooBig` and `.unreachable` for one address pair, each.
    public var undeliverable = Rate(perSecond: 1, burst: 1)

    public init() {}
}

extension KernelProgramSettings {
    init(_ control: shim6_control) {
        triggerOctets = control.trigger_octets
        triggerAge = control.trigger_age
        heartbeatLimit = control.heartbeat_limit
        strangersI1 = Rate(control.strangers_i1.all)
        strangers = Rate(control.strangers.all)
        strangersSite = Rate(control.strangers.site)
        acquainted = Rate(control.acquainted.all)
        acquaintedSite = Rate(control.acquainted.site)
        pair = Rate(control.pair)
        tagged = Rate(control.tagged)
        unknownTag = Rate(control.unknown_tag.site)
        unknownTags = Rate(control.unknown_tag.all)
        payload = Rate(control.payload)
        undeliverable = Rate(control.undeliverable)
    }

    func write(to control: UnsafeMutablePointer<shim6_control>) {
        control.pointee.trigger_octets = triggerOctets
        control.pointee.trigger_age = triggerAge
        control.pointee.heartbeat_limit = heartbeatLimit
        control.pointee.strangers_i1.all = shim6_rate(strangersI1)
        control.pointee.strangers_i1.site = shim6_rate(strangersSite)
        control.pointee.strangers.all = shim6_rate(strangers)
        control.pointee.strangers.site = shim6_rate(strangersSite)
        control.pointee.named_i1.all = shim6_rate(strangersI1)
        control.pointee.named_i1.site = shim6_rate(strangersSite)
        control.pointee.acquainted.all = shim6_rate(acquainted)
        control.pointee.acquainted.site = shim6_rate(acquaintedSite)
        control.pointee.pair = shim6_rate(pair)
        control.pointee.tagged = shim6_rate(tagged)
        control.pointee.unknown_tag.site = shim6_rate(unknownTag)
        control.pointee.unknown_tag.all = shim6_rate(unknownTags)
        control.pointee.payload = shim6_rate(payload)
        control.pointee.undeliverable = shim6_rate(undeliverable)
    }
}

extension KernelProgramSettings.Rate {
    init(_ rate: shim6_rate) {
        guard rate.interval > 0 else {
            self.init(perSecond: 0, burst: 0)
            return
        }
        self.init(
            perSecond: UInt32(clamping: 1_000_000_000 / rate.interval),
            burst: UInt32(clamping: rate.burst / rate.interval))
    }
}

extension shim6_rate {
    init(_ rate: KernelProgramSettings.Rate) {
        self.init()
        guard rate.perSecond > 0 else { return }
        interval = 1_000_000_000 / UInt64(rate.perSecond)
        burst = interval * UInt64(rate.burst)
    }
}
