import REAP
import Shim6Wire

/// The state of a context with the exchange that is under way in it (RFC 5533, section 6.2). IDLE is the absence of a
/// context.
enum AssociationState {
    case i1Sent(I1Sent)
    case i2Sent(I2Sent)
    case established(Established)
    case i2bisSent(I2bisSent)
    case eFailed
    case noSupport

    var name: ContextState {
        switch self {
        case .i1Sent: .i1Sent
        case .i2Sent: .i2Sent
        case .established: .established
        case .i2bisSent: .i2bisSent
        case .eFailed: .eFailed
        case .noSupport: .noSupport
        }
    }

    /// What a context is found by besides its tag and key.
    struct Index: Equatable {
        let state: ContextState
        /// The Initiator Nonce by which R1 and R2 find it.
        let nonce: UInt32?
        /// CT(peer), if it is known.
        let peerTag: ContextTag?
    }

    var index: Index {
        let nonce: UInt32? =
            switch self {
            case .i1Sent(let sent): sent.initiatorNonce
            case .i2Sent(let sent): sent.request.initiatorNonce
            case .i2bisSent(let sent): sent.request.initiatorNonce
            case .established, .eFailed, .noSupport: nil
            }
        return Index(state: name, nonce: nonce, peerTag: peerTag)
    }

    /// CT(peer), if it is known.
    var peerTag: ContextTag? {
        if case .i2Sent(let sent) = self { sent.peer?.tag } else { kept?.reachability.peer.tag }
    }

    /// What ESTABLISHED has and I2BIS-SENT keeps; nil in other states.
    var kept: Established? {
        switch self {
        case .established(let established): established
        case .i2bisSent(let sent): sent.kept
        case .i1Sent, .i2Sent, .eFailed, .noSupport: nil
        }
    }

    /// Whether it is a negative cache entry.
    var isHolddown: Bool {
        switch self {
        case .eFailed, .noSupport: true
        case .i1Sent, .i2Sent, .established, .i2bisSent: false
        }
    }

    /// What is known of the peer.
    var peer: Peer? {
        if case .i2Sent(let sent) = self { sent.peer } else { kept?.reachability.peer }
    }

    /// Whether the peer has proven that an address is a locator of its own.
    func hasVerified(_ address: IPv6Address) -> Bool {
        if case .i2Sent(let sent) = self { return sent.peer?.hasLocator(address) == true }
        return kept?.reachability.peer.hasLocator(address) == true
    }

    /// Whether an R1 or R2 on this pair can answer what was sent (RFC 5533, section 12.4).
    func awaitsAnswer(on locators: LocatorPair) -> Bool {
        switch self {
        case .i1Sent(let sent): sent.awaitsAnswer(on: locators)
        case .i2Sent(let sent): sent.request.awaitsAnswer(on: locators)
        case .i2bisSent(let sent): sent.request.awaitsAnswer(on: locators)
        case .established, .eFailed, .noSupport: false
        }
    }

    /// How long an R2 that comes in now took. Nil where it could be the answer to an earlier message of the same kind.
    func roundTrip(since start: Instant, at now: Instant) -> Duration? {
        switch self {
        case .i1Sent(let sent): sent.roundTrip(since: start, at: now)
        case .i2Sent(let sent): sent.request.roundTrip(at: now)
        case .established, .i2bisSent, .eFailed, .noSupport: nil
        }
    }

    /// Payload or a control message that came in on `locators` shows that the peer has the context: an I2 or I2bis on its
    /// way is repeated, and I1 goes where that cannot.
    mutating func remind(_ locators: LocatorPair?, _ common: inout Common, _ turn: inout Turn) {
        switch self {
        case .i1Sent(var sent):
            sent.remind(locators, &common, &turn)
            self = .i1Sent(sent)
        case .i2Sent(var sent):
            sent.request.remind(locators, &common, &turn)
            self = .i2Sent(sent)
        case .i2bisSent(var sent):
            sent.request.remind(locators, &common, &turn)
            self = .i2bisSent(sent)
        case .established, .eFailed, .noSupport: break
        }
    }
}
