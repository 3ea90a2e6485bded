import Shim6Wire

/// The answer to `explain` and `explore`: why a context's payload uses its pair of locators, and what is known of each.
public struct Explanation: Codable, Hashable, Sendable {
    public var tag: ContextTag
    /// The pair of outgoing payload; nil unless the context is established.
    public var outgoing: LocatorPair?
    /// Why it is that pair.
    public var reason: Reason
    public var reachability: String?
    /// The pairs that an exploration would try now, in its order; the one in use comes last.
    public var pairs: [Pair]
    /// The timers that are armed, soonest first.
    public var timers: [ArmedTimer]
    /// Seconds; nil if it is not known.
    public var roundTrip: Double?
    /// Why the session is not protected now; nil if it is.
    public var obstacle: String?
    public var now: Moment

    public enum Reason: String, Codable, Hashable, Sendable, CaseIterable {
        /// Nothing has moved payload from the ULIDs.
        case ulids = "ulids"
        /// The pair before failed.
        case exploration = "exploration"
        /// A better pair works again.
        case failback = "failback"
        /// An operator wanted it.
        case asked = "asked"
    }

    public struct Pair: Codable, Hashable, Sendable {
        public var source: IPv6Address
        public var destination: IPv6Address
        public var inUse: Bool
        /// Whether the peer has proved that the destination is its own, and how.
        public var verified: Bool
        public var method: String?
        /// Seconds since the peer reported a Probe on this pair, and since one of its Probes came the other way.
        public var confirmedAgo: Double?
        public var arrivedAgo: Double?

        public init(
            source: IPv6Address, destination: IPv6Address, inUse: Bool, verified: Bool, method: String?,
            confirmedAgo: Double?, arrivedAgo: Double?
        ) {
            self.source = source
            self.destination = destination
            self.inUse = inUse
            self.verified = verified
            self.method = method
            self.confirmedAgo = confirmedAgo
            self.arrivedAgo = arrivedAgo
        }
    }

    public struct ArmedTimer: Codable, Hashable, Sendable {
        public var name: String
        public var secondsLeft: Double

        public init(name: String, secondsLeft: Double) {
            self.name = name
            self.secondsLeft = secondsLeft
        }
    }

    public init(
        tag: ContextTag, outgoing: LocatorPair?, reason: Reason, reachability: String?, pairs: [Pair],
        timers: [ArmedTimer], roundTrip: Double?, obstacle: String? = nil, now: Moment
    ) {
        self.tag = tag
        self.outgoing = outgoing
        self.reason = reason
        self.reachability = reachability
        self.pairs = pairs
        self.timers = timers
        self.roundTrip = roundTrip
        self.obstacle = obstacle
        self.now = now
    }
}

/// The answer to `switch`.
public struct SwitchReport: Codable, Hashable, Sendable {
    public var tag: ContextTag
    public var from: LocatorPair
    public var to: LocatorPair

    public init(tag: ContextTag, from: LocatorPair, to: LocatorPair) {
        self.tag = tag
        self.from = from
        self.to = to
    }
}

/// The answer to `set` and `rank`: what is in force now.
public struct SettingsReport: Codable, Hashable, Sendable {
    /// Seconds.
    public var sendTimeout: Double
    /// The pairs that explorations try before all others.
    public var ranking: [LocatorPair]

    public init(sendTimeout: Double, ranking: [LocatorPair]) {
        self.sendTimeout = sendTimeout
        self.ranking = ranking
    }
}
