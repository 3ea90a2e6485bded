/// The constants and variables of RFC 5534, section 7, for one context.
public struct REAPConfiguration: Sendable, Hashable {
    /// Send Timeout: how long outgoing payload may go without return traffic. At least 20 milliseconds.
    public var sendTimeout: Duration
    /// The peer's Send Timeout as its Keepalive Timeout option announced it; nil if it announced none.
    public var peerSendTimeout: Duration?
    /// Initial Probe Timeout: the gap between the first Probes of an exploration.
    public var initialProbeTimeout: Duration
    /// Number of Initial Probes: how many Probes go out before the gap grows.
    public var initialProbes: Int
    /// Max Probe Timeout (RFC 5534, section 4.3): the largest gap between Probes.
    public var maxProbeTimeout: Duration
    /// By how much the gap between Probes grows, each time, after the initial ones.
    public var backoffFactor: Int
    /// The largest deviation of a timer from its nominal value, in thousandths of it; 0 switches jitter off. The Send
    /// Timer and the Keepalive Interval only get longer, the gaps between Probes only shorter.
    public var jitterPermille: Int

    public init(
        sendTimeout: Duration = .seconds(15),
        peerSendTimeout: Duration? = nil,
        initialProbeTimeout: Duration = .milliseconds(500),
        initialProbes: Int = 4,
        maxProbeTimeout: Duration = .seconds(60),
        backoffFactor: Int = 2,
        jitterPermille: Int = 50
    ) {
        self.sendTimeout = sendTimeout
        self.peerSendTimeout = peerSendTimeout
        self.initialProbeTimeout = initialProbeTimeout
        self.initialProbes = initialProbes
        self.maxProbeTimeout = maxProbeTimeout
        self.backoffFactor = backoffFactor
        self.jitterPermille = jitterPermille
    }

    /// Keepalive Timeout: the peer's Send Timeout, but at least 20 milliseconds; 15 seconds if it announced none.
    public var keepaliveTimeout: Duration { max(peerSendTimeout ?? .seconds(15), .milliseconds(20)) }
    /// Keepalive Interval: a third of Keepalive Timeout, the short end of the recommended range.
    public var keepaliveInterval: Duration { keepaliveTimeout / 3 }

    /// The nominal gap after Probe `number` (1, 2, ...) of a schedule: Initial Probe Timeout up to the last initial
    /// Probe, from there on multiplied by the back-off factor, never above Max Probe Timeout. By default the Probes go
    /// out at 0, 0.5, 1, 1.5, 2.5, 4.5, 8.5 ... seconds: the gap after the last initial Probe has grown already.
    public func probeGap(after number: Int) -> Duration {
        var gap = initialProbeTimeout
        var left = number - initialProbes + 1
        while left > 0, gap < maxProbeTimeout, backoffFactor > 1 {
            gap *= backoffFactor
            left -= 1
        }
        return min(gap, maxProbeTimeout)
    }
}
