import Shim6Wire

/// Something that happened, as `events` lists and streams it. Which of the optional fields are present depends on the kind.
public struct EventRecord: Codable, Hashable, Sendable {
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        /// The daemon is ready, or ends; `detail` says which and why.
        case daemon = "daemon"
        /// An uplink's link, carrier or gateway changed: `interface`, `detail`.
        case uplink = "uplink"
        /// A context's state changed: `fromState`, `toState` (RFC 5533, section 6.2), `reason`.
        case state = "state"
        /// The peer's locators are now `locators`.
        case peerLocators = "peer-locators"
        /// An Update Request with the local `locators` went out; `withdrawn` are no longer among them.
        case locatorsAnnounced = "locators-announced"
        case locatorsAcknowledged = "locators-acknowledged"
        /// REAP's state changed: `fromState`, `toState` (RFC 5534, section 6), `reason`, `lastIn`, `lastOut`.
        case reachability = "reachability"
        /// `pair`, `nonce`, `toState` (the state the Probe carries).
        case probeSent = "probe-sent"
        /// `pair`, `nonce`, `toState` (the state the Probe carries), `reports`.
        case probeReceived = "probe-received"
        /// `pair`.
        case keepaliveSent = "keepalive-sent"
        /// Outgoing payload moved: `from`, `to`, `reason` (`exploration`, `failback` or `asked`).
        case switched = "switched"
        /// Payload does not use `pair`, which an operator asked for: `reason`.
        case switchRefused = "switch-refused"
        /// The pair that payload had returned to failed soon: the next return takes longer.
        case damped = "damped"
        /// First payload since a switch: `direction` (`in` or `out`), `pair`.
        case firstPayload = "first-payload"
        /// Context confusion was found, and this context lost.
        case confused = "confused"
        /// The reader was too slow or came too late for some events: `detail` says how many.
        case lost = "lost"
    }

    public var at: Moment
    public var kind: Kind
    /// CT(local); nil for the host as a whole.
    public var tag: ContextTag?
    public var ulids: ULIDPair?
    public var fromState: String?
    public var toState: String?
    public var reason: String?
    public var pair: LocatorPair?
    public var from: LocatorPair?
    public var to: LocatorPair?
    public var nonce: UInt32?
    public var reports: Int?
    public var direction: String?
    public var locators: [IPv6Address]?
    public var withdrawn: [IPv6Address]?
    public var lastIn: Moment?
    public var lastOut: Moment?
    public var interface: String?
    public var detail: String?

    public init(
        at: Moment, kind: Kind, tag: ContextTag? = nil, ulids: ULIDPair? = nil, fromState: String? = nil,
        toState: String? = nil, reason: String? = nil, pair: LocatorPair? = nil, from: LocatorPair? = nil,
        to: LocatorPair? = nil, nonce: UInt32? = nil, reports: Int? = nil, direction: String? = nil,
        locators: [IPv6Address]? = nil, withdrawn: [IPv6Address]? = nil, lastIn: Moment? = nil,
        lastOut: Moment? = nil, interface: String? = nil, detail: String? = nil
    ) {
        self.at = at
        self.kind = kind
        self.tag = tag
        self.ulids = ulids
        self.fromState = fromState
        self.toState = toState
        self.reason = reason
        self.pair = pair
        self.from = from
        self.to = to
        self.nonce = nonce
        self.reports = reports
        self.direction = direction
        self.locators = locators
        self.withdrawn = withdrawn
        self.lastIn = lastIn
        self.lastOut = lastOut
        self.interface = interface
        self.detail = detail
    }
}
