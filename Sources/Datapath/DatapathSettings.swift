import CDatapath

/// Limits and thresholds of the program.
public struct DatapathSettings: Hashable, Sendable {
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
    /// I1 messages from one /48 of strangers, and from each host with which there is a session or a context.
    public var i1 = Rate(perSecond: 1000, burst: 2000)
    /// I1 messages from all strangers together: hosts with which there is no session, whose sources may be forged.
    public var strangersI1 = Rate(perSecond: 5000, burst: 2000)
    /// All other control messages of strangers. The peer of a context is none: its tag says so.
    public var strangers = Rate(perSecond: 5000, burst: 2000)
    /// `DatapathEvent.unknownTag` for one /48.
    public var unknownTag = Rate(perSecond: 4, burst: 8)
    /// `DatapathEvent.payload` for one context.
    public var payload = Rate(perSecond: 4, burst: 1)
    /// `DatapathEvent.tooBig` and `.unreachable` for one address pair, each.
    public var undeliverable = Rate(perSecond: 1, burst: 1)

    public init() {}
}

extension DatapathSettings {
    init(_ control: shim6_control) {
        triggerOctets = control.trigger_octets
        triggerAge = control.trigger_age
        heartbeatLimit = control.heartbeat_limit
        i1 = Rate(control.i1)
        strangersI1 = Rate(control.strangers_i1.rate)
        strangers = Rate(control.strangers.rate)
        unknownTag = Rate(control.unknown_tag)
        payload = Rate(control.payload)
        undeliverable = Rate(control.undeliverable)
    }

    func write(to control: UnsafeMutablePointer<shim6_control>) {
        control.pointee.trigger_octets = triggerOctets
        control.pointee.trigger_age = triggerAge
        control.pointee.heartbeat_limit = heartbeatLimit
        control.pointee.i1 = shim6_rate(i1)
        control.pointee.strangers_i1.rate = shim6_rate(strangersI1)
        control.pointee.strangers.rate = shim6_rate(strangers)
        control.pointee.unknown_tag = shim6_rate(unknownTag)
        control.pointee.payload = shim6_rate(payload)
        control.pointee.undeliverable = shim6_rate(undeliverable)
    }
}

extension DatapathSettings.Rate {
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
    init(_ rate: DatapathSettings.Rate) {
        self.init()
        guard rate.perSecond > 0 else { return }
        interval = 1_000_000_000 / UInt64(rate.perSecond)
        burst = interval * UInt64(rate.burst)
    }
}
