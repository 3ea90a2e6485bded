import REAP
import Shim6Wire

/// What names a context on its host: the ULID pair and the Forked Instance Identifier (RFC 5533, section 4.2).
struct ContextKey: Hashable {
    var ulids: ULIDPair
    var forkedInstance: UInt32 = 0
}

/// One context (RFC 5533, section 6.1). Only its host touches it.
final class Context {
    /// CT(local); also the name of the context towards the daemon.
    let tag: ContextTag
    let key: ContextKey
    let createdAt: Instant
    /// The index of the activity stamps; nil in E-FAILED and NO-SUPPORT, which see no traffic.
    var slot: UInt32?
    /// Of a forked context that this host has asked for: the packets that are its own.
    let flows: [Flow]
    /// What the data path has.
    var entry: DataPathEntry?
    /// Ls(local) as the peer knows it, or is about to.
    var announced: LocalList
    /// When outgoing payload last moved.
    var lastSwitch: Instant?
    var lastSwitchReason: UseReason?
    /// When `Timer.context` is due; nil while it is not armed.
    var deadline: Instant?
    /// When `Timer.resume` is due; nil while it is not armed.
    var resumesAt: Instant?
    var stateSince: Instant
    var counters = ContextCounters()
    /// The latest I2 and I2bis messages, newest last. The same one again is just answered; a late copy of an older one
    /// must not bring a tag back that the peer has given up.
    var introductions: [Introduction.ID] = []
    /// Up to when the R2 messages that went out are those of its rate.
    var answersUsedUp = Instant(nanoseconds: 0)
    /// Whether a peer asked for it, not this host.
    let isOfPeer: Bool
    var state: State

    /// RFC 5533, section 6.2. IDLE is the absence of a context.
    enum State {
        case i1Sent(I1Sent)
        case i2Sent(I2Sent)
        case established(Established)
        case i2bisSent(I2bisSent)
        case eFailed
        case noSupport
    }

    init(
        tag: ContextTag, key: ContextKey, flows: [Flow] = [], slot: UInt32?, announced: LocalList, state: State,
        isOfPeer: Bool = false, at now: Instant
    ) {
        self.tag = tag
        self.key = key
        self.flows = flows
        self.slot = slot
        self.announced = announced
        self.state = state
        self.isOfPeer = isOfPeer
        createdAt = now
        stateSince = now
    }

    var ulids: ULIDPair { key.ulids }

    /// The ULIDs as addresses of a packet of ours.
    var ulidLocators: LocatorPair { ulids.locators }

    var name: ContextState {
        switch state {
        case .i1Sent: .i1Sent
        case .i2Sent: .i2Sent
        case .established: .established
        case .i2bisSent: .i2bisSent
        case .eFailed: .eFailed
        case .noSupport: .noSupport
        }
    }

    /// The data of ESTABLISHED; nil in other states.
    var established: Established? {
        if case .established(let established) = state { established } else { nil }
    }

    /// What ESTABLISHED has and I2BIS-SENT keeps; nil in other states.
    var kept: Established? {
        switch state {
        case .established(let established): established
        case .i2bisSent(let sent): sent.kept
        case .i1Sent, .i2Sent, .eFailed, .noSupport: nil
        }
    }

    /// What is known of the peer.
    var peer: Peer? {
        switch state {
        case .established(let established): established.peer
        case .i2Sent(let sent): sent.peer
        case .i2bisSent(let sent): sent.kept.peer
        case .i1Sent, .eFailed, .noSupport: nil
        }
    }

    /// CT(peer), if it is known.
    var peerTag: ContextTag? {
        switch state {
        case .established(let established): established.peer.tag
        case .i2Sent(let sent): sent.peer?.tag
        case .i2bisSent(let sent): sent.kept.peer.tag
        case .i1Sent, .eFailed, .noSupport: nil
        }
    }

    /// The Initiator Nonce by which R1 and R2 find the context.
    var initiatorNonce: UInt32? {
        switch state {
        case .i1Sent(let sent): sent.initiatorNonce
        case .i2Sent, .i2bisSent: request?.initiatorNonce
        case .established, .eFailed, .noSupport: nil
        }
    }

    /// The I2 or I2bis on its way. Setting it is possible only in I2-SENT and I2BIS-SENT.
    var request: OutstandingRequest? {
        get {
            switch state {
            case .i2Sent(let sent): sent.request
            case .i2bisSent(let sent): sent.request
            case .i1Sent, .established, .eFailed, .noSupport: nil
            }
        }
        set {
            guard let newValue else { return }
            switch state {
            case .i2Sent(var sent):
                sent.request = newValue
                state = .i2Sent(sent)
            case .i2bisSent(var sent):
                sent.request = newValue
                state = .i2bisSent(sent)
            case .i1Sent, .established, .eFailed, .noSupport: break
            }
        }
    }

    /// Whether an R1 or R2 on this pair can answer what the context has sent (RFC 5533, section 12.4).
    func awaitsAnswer(on locators: LocatorPair) -> Bool {
        switch state {
        case .i1Sent(let sent): sent.pairs.contains(locators.reversed)
        case .i2Sent, .i2bisSent: request?.locators == locators.reversed
        case .established, .eFailed, .noSupport: false
        }
    }
}

/// The data of I1-SENT.
struct I1Sent {
    var initiatorNonce: UInt32
    /// Where I1 goes, in turns, never empty: the ULID pair, or first the pair that served the context before.
    var pairs: [LocatorPair]
    var retransmissions = 0
}

/// The data of I2-SENT. Responder Nonce and validator are in the message.
struct I2Sent {
    var request: OutstandingRequest
    /// To go back to.
    var i1: I1Sent
    /// From an I2 of the peer that crossed ours; it is used only when the R2 has come (RFC 5533, section 7.13).
    var peer: Peer?
}

/// The data of I2BIS-SENT. Payload goes on as before; reachability rests, since the peer knows nothing of the context.
struct I2bisSent {
    var request: OutstandingRequest
    var kept: Established
}

/// An I2 or I2bis that waits for its R2. It is kept whole, to be sent again.
struct OutstandingRequest {
    var initiatorNonce: UInt32
    var message: [UInt8]
    /// Those of the R1 or R1bis, reversed: the validator holds for no others.
    var locators: LocatorPair
    var retransmissions = 0
    /// Whether it was also sent again since packets came that wait for it.
    var isRepeated = false
    var sentAt: Instant
}

/// The data of ESTABLISHED. It belongs to one context, and is no value because it is too much to be copied at every event.
final class Established {
    private(set) var peer: Peer
    var machine: REAPMachine
    /// The Update Request that is not acknowledged yet.
    @Rare var update: PendingUpdate? = nil
    let since: Instant
    /// Directions whose first payload after a switch is still to be reported.
    var awaitedPayload: Set<Direction> = []
    /// When the last packet came in before the exploration that is under way.
    @Rare var lastInBefore: Instant? = nil
    var reach = Reach()
    /// What there is to explore for, once there is payload.
    var postponed: Set<Doubt> = []

    /// Why the pair in use may not work.
    enum Doubt {
        /// Locators have come or gone, and the pair with them.
        case locatorsChanged
        /// The context's messages took another pair.
        case establishedElsewhere
    }

    init(peer: Peer, machine: REAPMachine, since: Instant) {
        self.peer = peer
        self.machine = machine
        self.since = since
    }

    /// Puts in what the peer says of itself now.
    func replace(_ peer: Peer) {
        self.peer = peer
        machine.peerTag = peer.tag
        reach.keep(where: peer.hasLocator)
    }
}

/// What a peer has told, all of it verified (RFC 5533, section 6.1).
struct Peer {
    /// CT(peer).
    var tag: ContextTag
    /// Ls(peer): just the ULID if it sent no list.
    var locators: [VerifiedLocator]
    /// Their addresses to use, best first.
    var candidates: [IPv6Address]
    /// Of the latest list; nil if it sent none.
    var generation: UInt32?
    /// The PDS, for Update Requests without one.
    var parameters: [UInt8]?
    /// The peer's Send Timeout in seconds, which is our Keepalive Timeout.
    var keepaliveTimeout: UInt16?
    /// The forms of rehomed payload that it accepts.
    var forms = PayloadForms.payloadHeader
    /// The same to the millisecond; it holds if we announce ours so too.
    var timing: ReachabilityTiming?
    /// The list as received, to know a repetition without verifying it again.
    var list: LocatorList?
    /// Request Nonces of the latest Update Requests, newest last. A late duplicate of an older one must not undo a
    /// newer one.
    var requestNonces: [UInt32] = []

    static let rememberedRequests = 8

    func hasLocator(_ address: IPv6Address) -> Bool { locators.contains { $0.address == address } }
}

/// An Update Request on its way (RFC 5533, section 10).
struct PendingUpdate {
    var requestNonce: UInt32
    var list: LocalList
    /// Whether it has everything in it, since the peer has refused a part.
    var isWhole = false
    var retransmissions = 0
    /// Whether it tells our Send Timeout as well.
    var announcesTiming = false
    /// Nil while there was no locator to send from.
    var sentAt: Instant?
}

/// What a context has counted.
public struct ContextCounters: Sendable, Equatable {
    public internal(set) var messagesIn: UInt64 = 0
    public internal(set) var messagesOut: UInt64 = 0
    public internal(set) var switches: UInt64 = 0
    public internal(set) var explorations: UInt64 = 0
    public internal(set) var updatesSent: UInt64 = 0
    public internal(set) var updatesReceived: UInt64 = 0
}
