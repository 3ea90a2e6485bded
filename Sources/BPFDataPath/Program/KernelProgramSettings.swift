import CDataPath
import REAP
import Shim6Core

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
    /// As in `DataPathLimits`, the age in nanoseconds.
    public var triggerOctets: UInt64
    public var triggerAge: UInt64
    /// Age of the daemon's last heartbeat in nanoseconds beyond which control messages are dropped.
    public var heartbeatLimit: UInt64 = 2_000_000_000
    // As in `DataPathLimits`.
    public var strangersI1: Rate
    public var strangers: Rate
    public var strangersSite: Rate
    public var acquainted: Rate
    public var acquaintedSite: Rate
    public var pair: Rate
    public var tagged: Rate
    public var unknownTags: Rate
    /// `DataPathEvent.unknownTag` for one /48.
    public var unknownTag = Rate(perSecond: 4, burst: 8)
    /// `DataPathEvent.payload` for one context.
    public var payload = Rate(perSecond: 4, burst: 1)
    /// `DataPathEvent.tooBig` and `.unreachable` for one address pair, each.
    public var undeliverable = Rate(perSecond: 1, burst: 1)

    public init(_ limits: DataPathLimits = DataPathLimits()) {
        /// Those of one second at once, too.
        func rate(_ perSecond: Int) -> Rate {
            Rate(perSecond: UInt32(clamping: perSecond), burst: UInt32(clamping: perSecond))
        }
        triggerOctets = UInt64(limits.triggerOctets)
        triggerAge = UInt64(max(0, limits.triggerAge.wholeNanoseconds))
        strangersI1 = rate(limits.strangerMessagesPerSecond)
        strangers = strangersI1
        strangersSite = rate(limits.strangerMessagesPerSite)
        acquainted = rate(limits.peerMessagesPerSecond)
        acquaintedSite = rate(limits.peerMessagesPerSite)
        pair = rate(limits.messagesPerPair)
        tagged = rate(limits.messagesPerContext)
        unknownTags = rate(limits.unknownTagsPerSecond)
    }
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
