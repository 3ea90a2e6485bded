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
    /// What the data path has.
    var entry: DataPathEntry?
    /// Ls(local) as the peer knows it, or is about to.
    var announced: LocalList
    /// When outgoing payload last moved.
    var lastSwitch: Instant?
    /// When `Timer.context` is due; nil while it is not armed.
    var deadline: Instant?
    var stateSince: Instant
    var counters = ContextCounters()
    var state: State

    /// RFC 5533, section 6.2. IDLE is the absence of a context.
    enum State {
        case i1Sent(I1Sent)
        case i2Sent(I2Sent)
        case established(Established)
        case eFailed
        case noSupport
    }

    init(tag: ContextTag, key: ContextKey, slot: UInt32?, announced: LocalList, state: State, at now: Instant) {
        self.tag = tag
        self.key = key
        self.slot = slot
        self.announced = announced
        self.state = state
        createdAt = now
        stateSince = now
    }

    var ulids: ULIDPair { key.ulids }

    /// The ULIDs as addresses of a packet of ours.
    var ulidLocators: LocatorPair { LocatorPair(source: ulids.local, destination: ulids.peer) }

    var name: ContextState {
        switch state {
        case .i1Sent: .i1Sent
        case .i2Sent: .i2Sent
        case .established: .established
        case .eFailed: .eFailed
        case .noSupport: .noSupport
        }
    }

    /// The data of ESTABLISHED; nil in other states. Setting it is possible only in that state.
    var established: Established? {
        get {
            if case .established(let established) = state { established } else { nil }
        }
        set {
            if case .established = state, let newValue { state = .established(newValue) }
        }
    }

    /// What is known of the peer.
    var peer: Peer? {
        switch state {
        case .established(let established): established.peer
        case .i2Sent(let sent): sent.peer
        case .i1Sent, .eFailed, .noSupport: nil
        }
    }

    /// The Initiator Nonce by which R1 and R2 find the context.
    var initiatorNonce: UInt32? {
        switch state {
        case .i1Sent(let sent): sent.initiatorNonce
        case .i2Sent(let sent): sent.initiatorNonce
        case .established, .eFailed, .noSupport: nil
        }
    }
}

/// The data of I1-SENT.
struct I1Sent {
    var initiatorNonce: UInt32
    var retransmissions = 0
}

/// The data of I2-SENT. Responder Nonce and validator are in the message, which is kept whole to be sent again.
struct I2Sent {
    var initiatorNonce: UInt32
    var message: [UInt8]
    var retransmissions = 0
    var sentAt: Instant
    /// Those of I1 before this I2.
    var i1Retransmissions: Int
    /// From an I2 of the peer that crossed ours; it is used only when the R2 has come (RFC 5533, section 7.13).
    var peer: Peer?
}

/// The data of ESTABLISHED.
struct Established {
    var peer: Peer
    var machine: REAPMachine
    /// The Update Request that is not acknowledged yet.
    var update: PendingUpdate?
    var since: Instant
    /// Directions whose first payload after a switch is still to be reported.
    var awaitedPayload: Set<Direction> = []
}

/// What a peer has told, all of it verified (RFC 5533, section 6.1).
struct Peer {
    /// CT(peer).
    var tag: ContextTag
    /// Ls(peer): just the ULID if it sent no list.
    var locators: [VerifiedLocator]
    /// Of the latest list; nil if it sent none.
    var generation: UInt32?
    /// The PDS, for Update Requests without one.
    var parameters: [UInt8]?
    /// The peer's Send Timeout in seconds, which is our Keepalive Timeout.
    var keepaliveTimeout: UInt16?
    /// The forms of rehomed payload that it accepts.
    var forms = PayloadForms.payloadHeader
    /// The list as received, to know a repetition without verifying it again.
    var list: LocatorList?
    /// Of the I2 that made it known: the same one again is just answered.
    var i2Nonce: UInt32?
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
    var retransmissions = 0
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
