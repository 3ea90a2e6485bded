import Shim6Wire

/// What is known of one pair of locators between two hosts, whoever of their contexts has found it out.
public struct PathEvidence: Sendable, Equatable {
    /// What is known of payload in one direction.
    public enum Payload: Sendable, Equatable {
        /// Nothing: the peer answers no test on the pair in use either, or none was made.
        case untested
        /// It got through at this time.
        case passed(Instant)
        /// It was lost at this time, while it got through on the pair in use.
        case lost(Instant)
    }

    /// One direction of a pair.
    public struct Direction: Sendable, Equatable {
        /// When a Probe last got through.
        public var control: Instant?
        public var payload = Payload.untested

        public init() {}
    }

    /// From this host to the peer.
    public var outgoing = Direction()
    /// From the peer to this host.
    public var incoming = Direction()
    /// As the latest Probe on it showed; nil while none was answered.
    public var roundTrip: Duration?

    public init() {}

    /// When anything about it was last found out; nil if nothing was.
    public var latest: Instant? {
        [outgoing, incoming].flatMap { direction -> [Instant?] in
            switch direction.payload {
            case .untested: [direction.control]
            case .passed(let time), .lost(let time): [direction.control, time]
            }
        }.compactMap { $0 }.max()
    }
}
