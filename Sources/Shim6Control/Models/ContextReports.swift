import Shim6Wire

/// A context in one line: what `contexts` lists.
public struct ContextSummary: Codable, Hashable, Sendable {
    /// CT(local).
    public var tag: ContextTag
    /// The state of RFC 5533, section 6.2, by its name there.
    public var state: String
    /// The REAP state of RFC 5534, section 6; nil unless the context is established.
    public var reachability: String?
    public var ulids: ULIDPair
    /// The locators of payload that goes out; nil unless the context is established.
    public var outgoing: LocatorPair?
    /// The locators of the last payload that came in; nil if none did.
    public var lastIncoming: LocatorPair?
    public var rehomed: Rehoming

    public init(
        tag: ContextTag, state: String, reachability: String?, ulids: ULIDPair, outgoing: LocatorPair?,
        lastIncoming: LocatorPair?, rehomed: Rehoming
    ) {
        self.tag = tag
        self.state = state
        self.reachability = reachability
        self.ulids = ulids
        self.outgoing = outgoing
        self.lastIncoming = lastIncoming
        self.rehomed = rehomed
    }
}

/// In which directions payload travels on other locators than the ULIDs. The two are independent.
public struct Rehoming: Codable, Hashable, Sendable {
    public var outgoing: Bool
    public var incoming: Bool

    public init(outgoing: Bool, incoming: Bool) {
        self.outgoing = outgoing
        self.incoming = incoming
    }
}

/// All that is known of one context.
public struct ContextDetail: Codable, Hashable, Sendable {
    public var summary: ContextSummary
    /// CT(peer); nil until the peer has told it.
    public var peerTag: ContextTag?
    /// FII; 0 for a context that was not forked.
    public var forkedInstance: UInt32
    /// Of a context that was forked here: the packets that are its own. Empty for others.
    public var flows: [FlowSelector]
    public var localLocators: LocatorSet
    public var peerLocators: LocatorSet
    public var timeouts: ReachabilityTimeouts?
    public var counters: ContextCounts
    /// An Update Request has not been acknowledged yet.
    public var updatePending: Bool
    /// Why payload is never rehomed, whatever fails; nil if it can be.
    public var obstacle: String?
    /// When the answer was made: the other times are to be compared with it.
    public var now: Moment
    public var created: Moment
    public var established: Moment?
    public var lastIn: Moment?
    public var lastOut: Moment?
    public var lastSwitch: Moment?

    public init(
        summary: ContextSummary, peerTag: ContextTag?, forkedInstance: UInt32, flows: [FlowSelector] = [],
        localLocators: LocatorSet, peerLocators: LocatorSet, timeouts: ReachabilityTimeouts?, counters: ContextCounts,
        updatePending: Bool, obstacle: String? = nil, now: Moment, created: Moment, established: Moment? = nil,
        lastIn: Moment? = nil,
        lastOut: Moment? = nil, lastSwitch: Moment? = nil
    ) {
        self.summary = summary
        self.peerTag = peerTag
        self.forkedInstance = forkedInstance
        self.flows = flows
        self.localLocators = localLocators
        self.peerLocators = peerLocators
        self.timeouts = timeouts
        self.counters = counters
        self.updatePending = updatePending
        self.obstacle = obstacle
        self.now = now
        self.created = created
        self.established = established
        self.lastIn = lastIn
        self.lastOut = lastOut
        self.lastSwitch = lastSwitch
    }
}

/// Ls(local) or Ls(peer) with its generation (RFC 5533, section 5.15.1).
public struct LocatorSet: Codable, Hashable, Sendable {
    /// Nil when no Locator List option was sent or received: then the ULID is the only locator.
    public var generation: UInt32?
    public var locators: [ContextLocator]

    public init(generation: UInt32?, locators: [ContextLocator]) {
        self.generation = generation
        self.locators = locators
    }
}

/// A locator of a context.
public struct ContextLocator: Codable, Hashable, Sendable {
    public enum State: String, Codable, Hashable, Sendable, CaseIterable {
        /// The locator that payload uses now.
        case preferred = "preferred"
        /// May be used.
        case usable = "usable"
        /// Was in an earlier list and is not in the present one. A ULID may be withdrawn as a locator and stays the ULID.
        case withdrawn = "withdrawn"
    }

    public var address: IPv6Address
    /// `cga`, `hba`, or nil when none was announced.
    public var method: String?
    /// Whether that method's check succeeded. For a local locator: whether a peer can verify it.
    public var verified: Bool
    public var state: State
    /// Whether it is the context's ULID as well.
    public var ulid: Bool

    public init(address: IPv6Address, method: String?, verified: Bool, state: State, ulid: Bool) {
        self.address = address
        self.method = method
        self.verified = verified
        self.state = state
        self.ulid = ulid
    }
}

/// What one context has counted since it was made.
public struct ContextCounts: Codable, Hashable, Sendable {
    /// Control messages that belong to it.
    public var messagesIn: UInt64
    public var messagesOut: UInt64
    public var explorations: UInt64
    /// Moves of outgoing payload to another locator pair.
    public var switches: UInt64
    /// Update Requests.
    public var updatesSent: UInt64
    public var updatesReceived: UInt64

    public init(
        messagesIn: UInt64, messagesOut: UInt64, explorations: UInt64, switches: UInt64, updatesSent: UInt64,
        updatesReceived: UInt64
    ) {
        self.messagesIn = messagesIn
        self.messagesOut = messagesOut
        self.explorations = explorations
        self.switches = switches
        self.updatesSent = updatesSent
        self.updatesReceived = updatesReceived
    }
}

/// The timeouts of RFC 5534, section 7, in force for one context, in seconds.
public struct ReachabilityTimeouts: Codable, Hashable, Sendable {
    /// How long this host waits for return traffic.
    public var send: Double
    /// How long this host keeps sending Keepalives: the peer's Send Timeout.
    public var keepalive: Double
    public var keepaliveInterval: Double

    public init(send: Double, keepalive: Double, keepaliveInterval: Double) {
        self.send = send
        self.keepalive = keepalive
        self.keepaliveInterval = keepaliveInterval
    }
}
