import Shim6Wire

/// The answer to `timeline`: failovers, oldest first. The daemon keeps a bounded number of them.
public struct TimelineReport: Codable, Hashable, Sendable {
    public var failovers: [Failover]

    public init(failovers: [Failover]) {
        self.failovers = failovers
    }
}

/// One failover of one context, from the suspicion to the first payload on the new pair.
///
/// Every `seconds` counts from the suspicion and is negative before it.
public struct Failover: Codable, Hashable, Sendable {
    public enum Outcome: String, Codable, Hashable, Sendable, CaseIterable {
        /// Still exploring, or payload has not yet been seen on the new pair.
        case open = "open"
        /// Payload goes on, on another pair.
        case switched = "switched"
        /// The pair in use works after all.
        case resumed = "resumed"
        /// The context went away first.
        case ended = "ended"
    }

    /// Counts failovers since the start of the daemon, from 1.
    public var number: UInt64
    /// CT(local) of the context.
    public var tag: ContextTag
    public var ulids: ULIDPair
    /// The locators of outgoing payload when the suspicion arose.
    public var pair: LocatorPair
    public var outcome: Outcome
    /// When REAP left Operational: the origin of `seconds`.
    public var suspicion: Moment
    /// Why, as in the `reachability` event of that moment.
    public var reason: String
    /// The last good packet in; nil if none ever came.
    public var lastIn: Step?
    /// The last packet out before the suspicion.
    public var lastOut: Step?
    public var probes: [ProbeStep]
    /// Changes of the outgoing pair.
    public var switches: [SwitchStep]
    public var firstOut: Step?
    public var firstIn: Step?
    /// Seconds without incoming payload: from the last good packet in to the first one after the suspicion. Nil while open.
    public var gap: Double?

    public init(
        number: UInt64, tag: ContextTag, ulids: ULIDPair, pair: LocatorPair, outcome: Outcome, suspicion: Moment,
        reason: String, lastIn: Step? = nil, lastOut: Step? = nil, probes: [ProbeStep] = [],
        switches: [SwitchStep] = [], firstOut: Step? = nil, firstIn: Step? = nil, gap: Double? = nil
    ) {
        self.number = number
        self.tag = tag
        self.ulids = ulids
        self.pair = pair
        self.outcome = outcome
        self.suspicion = suspicion
        self.reason = reason
        self.lastIn = lastIn
        self.lastOut = lastOut
        self.probes = probes
        self.switches = switches
        self.firstOut = firstOut
        self.firstIn = firstIn
        self.gap = gap
    }

    /// A packet of payload.
    public struct Step: Codable, Hashable, Sendable {
        public var at: Moment
        public var seconds: Double
        /// The locators it carried, when they are known.
        public var pair: LocatorPair?

        public init(at: Moment, seconds: Double, pair: LocatorPair? = nil) {
            self.at = at
            self.seconds = seconds
            self.pair = pair
        }
    }

    /// A Probe, sent or received.
    public struct ProbeStep: Codable, Hashable, Sendable {
        public enum Direction: String, Codable, Hashable, Sendable, CaseIterable {
            case sent = "sent"
            case received = "received"
        }

        public var at: Moment
        public var seconds: Double
        public var direction: Direction
        /// The locators of the Probe itself, in its own direction.
        public var pair: LocatorPair
        public var nonce: UInt32
        /// The sender's REAP state in it: `operational`, `exploring` or `inbound-ok`.
        public var state: String
        /// How many of its reports name a Probe that this host sent; nil for a Probe sent.
        public var reports: Int?

        public init(
            at: Moment, seconds: Double, direction: Direction, pair: LocatorPair, nonce: UInt32, state: String,
            reports: Int? = nil
        ) {
            self.at = at
            self.seconds = seconds
            self.direction = direction
            self.pair = pair
            self.nonce = nonce
            self.state = state
            self.reports = reports
        }
    }

    /// Outgoing payload moves.
    public struct SwitchStep: Codable, Hashable, Sendable {
        public var at: Moment
        public var seconds: Double
        public var from: LocatorPair
        public var to: LocatorPair

        public init(at: Moment, seconds: Double, from: LocatorPair, to: LocatorPair) {
            self.at = at
            self.seconds = seconds
            self.from = from
            self.to = to
        }
    }
}
