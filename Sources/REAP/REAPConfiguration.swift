/// The constants and variables of RFC 5534, section 7, for one context.
public struct REAPConfiguration: Sendable, Hashable {
    /// Send Timeout where none is configured, and that of a peer that announced none (section 7).
    public static let defaultSendTimeout = Duration.seconds(15)
    /// The Send Timeouts that can be set: no shorter than stamps of the data path are good for, no longer than the 16
    /// bits that announce it can say (section 5.3).
    public static let sendTimeouts = Duration.milliseconds(20)...Duration.seconds(65_535)
    /// The Send Timeouts that section 7 recommends.
    public static let recommendedSendTimeouts = Duration.seconds(10)...Duration.seconds(100)
    /// The least Send Timeout between hosts that agree in whole seconds: less cannot be announced.
    private static let leastCoarseTimeout = Duration.seconds(1)
    /// The least Keepalive Timeout, whatever the peer announces: three Keepalives in this time are all that it may ask for.
    private static let leastKeepaliveTimeout = sendTimeouts.lowerBound
    /// Keepalives in a Keepalive Timeout: two of them may get lost. The RFC recommends two or three.
    public static let keepalivesInTimeout = 3
    /// A silence is one when three packets of the usual spacing are missing: one may be late, and one lost.
    static let missingPackets = 3
    /// Probes that are answered at all are answered in this many round trips: the measured one is the fastest, not the
    /// usual.
    static let roundTripsInGap = 3

    /// Send Timeout: how long outgoing payload may go without return traffic. At least 20 milliseconds. Below one
    /// second it holds only while `isFinelyAgreed` and return traffic is dense; see `effectiveSendTimeout`.
    public var sendTimeout: Duration
    /// The peer's Send Timeout as it announced it; nil if it announced none.
    public var peerSendTimeout: Duration?
    /// Whether both hosts have announced their Send Timeouts to the millisecond.
    public var isFinelyAgreed: Bool
    /// Failure detection that goes by the traffic and the round-trip time; nil for the RFC's timers alone.
    public var quick: QuickDetection?
    /// How long a better pair must have worked before payload returns to it; nil if it never does.
    public var failbackHold: Duration?
    /// The round-trip time that establishment took; nil if it is not known.
    public var roundTrip: Duration?
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
        sendTimeout: Duration = defaultSendTimeout,
        peerSendTimeout: Duration? = nil,
        isFinelyAgreed: Bool = false,
        quick: QuickDetection? = nil,
        failbackHold: Duration? = nil,
        roundTrip: Duration? = nil,
        initialProbeTimeout: Duration = .milliseconds(500),
        initialProbes: Int = 4,
        maxProbeTimeout: Duration = .seconds(60),
        backoffFactor: Int = 2,
        jitterPermille: Int = 50
    ) {
        self.sendTimeout = sendTimeout
        self.peerSendTimeout = peerSendTimeout
        self.isFinelyAgreed = isFinelyAgreed
        self.quick = quick
        self.failbackHold = failbackHold
        self.roundTrip = roundTrip
        self.initialProbeTimeout = initialProbeTimeout
        self.initialProbes = initialProbes
        self.maxProbeTimeout = maxProbeTimeout
        self.backoffFactor = backoffFactor
        self.jitterPermille = jitterPermille
    }

    /// The Send Timeout that the peer goes by, at most: it has been told whole seconds unless both said it finely.
    var announcedSendTimeout: Duration { isFinelyAgreed ? sendTimeout : max(sendTimeout, Self.leastCoarseTimeout) }
    /// Keepalive Timeout: the peer's Send Timeout, but at least 20 milliseconds; 15 seconds if it announced none
    /// (5534-5.3-05, 5534-7-04).
    public var keepaliveTimeout: Duration {
        max(peerSendTimeout ?? Self.defaultSendTimeout, Self.leastKeepaliveTimeout)
    }
    /// Keepalive Interval: a third of Keepalive Timeout, the short end of the recommended range (5534-4.1-16).
    public var keepaliveInterval: Duration { keepaliveTimeout / Self.keepalivesInTimeout }

    /// The Send Timeout in force while return traffic comes in every `spacing`: below one second only as agreed, and only
    /// while it is dense, since a Send Timeout that is not much longer than the spacing would be an alarm by itself.
    public func effectiveSendTimeout(spacing: Duration?) -> Duration {
        let least = Self.leastCoarseTimeout
        return sendTimeout >= least || isFinelyAgreed && isDense(spacing) ? sendTimeout : least
    }

    /// The silence that starts an exploration before Send Timeout; nil if none does.
    func silenceLimit(spacing: Duration?, roundTrip: Duration?) -> Duration? {
        guard let quick, isFinelyAgreed, isDense(spacing), let spacing else { return nil }
        return max(quick.leastSilence, spacing * Self.missingPackets + (roundTrip ?? .zero))
    }

    private func isDense(_ spacing: Duration?) -> Bool {
        spacing.map { $0 * Self.missingPackets <= sendTimeout } ?? false
    }

    /// The nominal gap after Probe `number` (1, 2, ...) of a schedule: Initial Probe Timeout up to the last initial
    /// Probe, from there on multiplied by the back-off factor, never above Max Probe Timeout (5534-4.3-07). By default the Probes go
    /// out at 0, 0.5, 1, 1.5, 2.5, 4.5, 8.5 ... seconds: RFC 5534, section 4.3, spaces the *four* initial Probes by 0.5 s
    /// and lets the gap grow "before every probe" after them, so the gap after the fourth has grown already.
    ///
    /// Quick detection shortens the first gap to three round-trip times, if the time is known; everything else stays.
    public func probeGap(after number: Int, roundTrip: Duration? = nil) -> Duration {
        var gap = initialProbeTimeout
        if let quick, let roundTrip { gap = min(gap, max(quick.leastProbeGap, roundTrip * Self.roundTripsInGap)) }
        var left = number - initialProbes + 1
        while left > 0, gap < maxProbeTimeout, backoffFactor > 1 {
            gap *= backoffFactor
            left -= 1
        }
        return min(gap, maxProbeTimeout)
    }
}

/// How the fast profile notices failures within some tens of milliseconds, and false alarms stay without consequence:
/// whatever looks like a failure is first checked by Probes on the pair in use.
public struct QuickDetection: Sendable, Hashable {
    /// Send Timeout where quick detection is wanted and no other is configured. It is for traffic that is not dense
    /// enough for more, and leaves room for a round trip around the world.
    public static let defaultSendTimeout = Duration.milliseconds(250)
    /// Failback Hold under the same conditions: longer than links flap.
    public static let defaultFailbackHold = Duration.seconds(30)

    /// No silence shorter than this is suspicious, however dense return traffic was: a queue may hold packets up for as
    /// long where nothing has failed.
    public var leastSilence: Duration
    /// How many Probes an exploration that silence has started sends on the pair in use before it tries others: two of
    /// them may get lost.
    public var confirmations: Int
    /// The least gap between Probes, also in a network where an answer takes no time: a daemon may be busy for as long.
    public var leastProbeGap: Duration

    public init(
        leastSilence: Duration = .milliseconds(30), confirmations: Int = 3, leastProbeGap: Duration = .milliseconds(10)
    ) {
        self.leastSilence = leastSilence
        self.confirmations = confirmations
        self.leastProbeGap = leastProbeGap
    }
}
