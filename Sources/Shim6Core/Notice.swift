import REAP
import Shim6Wire

/// Something that happened, for logs, `shim6ctl events` and the failover timeline. One schema for all of them.
public struct Notice: Sendable, Equatable {
    public var at: Instant
    /// CT(local) of the context concerned; nil for the host as a whole.
    public var tag: ContextTag?
    public var ulids: ULIDPair?
    public var kind: Kind

    public enum Kind: Sendable, Equatable {
        /// RFC 5533, section 6.2. `from` is nil for a new context, `to` is nil for one that is gone.
        case state(from: ContextState?, to: ContextState?, reason: StateReason)
        /// The peer's locators are now these, all verified.
        case peerLocators([VerifiedLocator])
        /// An Update Request with these local locators went out; withdrawn are those that are in the old list only.
        case locatorsAnnounced([LocalLocator], withdrawn: [IPv6Address])
        /// The peer acknowledged our Update Request.
        case locatorsAcknowledged
        /// A REAP state change (RFC 5534, section 6). Leaving Operational is the suspicion: `reason` says why.
        case reachability(from: REAPState, to: REAPState, reason: REAPReason, lastIn: Instant?, lastOut: Instant?)
        case probeSent(LocatorPair, nonce: UInt32, state: REAPState)
        /// The pair is that of the packet: source is the peer's locator. `reports` counts the reports that match our probes.
        case probeReceived(LocatorPair, nonce: UInt32, state: REAPState, reports: Int)
        case keepaliveSent(LocatorPair)
        /// Outgoing payload moves.
        case switched(from: LocatorPair, to: LocatorPair, UseReason)
        /// Payload does not use the pair that an operator asked for.
        case switchRefused(LocatorPair, SwitchRefusal)
        /// The pair that payload had returned to failed soon: the next return takes longer.
        case damped
        /// First payload since the last switch, this way.
        case firstPayload(Direction, pair: LocatorPair)
        /// Context confusion was found and this context lost (RFC 5533, section 7.6).
        case confused
    }

    public init(at: Instant, tag: ContextTag?, ulids: ULIDPair?, kind: Kind) {
        self.at = at
        self.tag = tag
        self.ulids = ulids
        self.kind = kind
    }
}

/// A locator of the peer and how it was verified.
public struct VerifiedLocator: Hashable, Sendable {
    public var address: IPv6Address
    /// Nil only for the ULID itself when the peer sent no list.
    public var method: VerificationMethod?
    /// What the peer says of it.
    public var preference: LocatorPreferences.Element

    public init(
        address: IPv6Address, method: VerificationMethod?, preference: LocatorPreferences.Element = .init()
    ) {
        self.address = address
        self.method = method
        self.preference = preference
    }
}

/// RFC 5533, section 6.2. IDLE is the absence of a context.
public enum ContextState: String, Sendable, CaseIterable, Codable {
    case i1Sent = "I1-SENT"
    case i2Sent = "I2-SENT"
    case established = "ESTABLISHED"
    case i2bisSent = "I2BIS-SENT"
    case eFailed = "E-FAILED"
    case noSupport = "NO-SUPPORT"
}

/// Why a context was made, changed its state, or is gone. The raw values are what `shim6ctl events` shows.
public enum StateReason: String, Sendable, CaseIterable {
    // A new context.
    /// Enough payload has gone to and fro.
    case trigger = "trigger"
    case askedFor = "asked for by the operator"
    case forked = "forked by the operator"

    // Messages.
    case r1Received = "R1 received"
    case i2Received = "I2 received"
    case r2Received = "R2 received"
    case r1bisReceived = "R1bis received"
    case i2bisReceived = "I2bis received"
    /// After I1_RETRIES_MAX repetitions, as the next two after theirs.
    case noAnswerToI1 = "no answer to I1"
    case noAnswerToI2 = "no answer to I2"
    case noAnswerToI2bis = "no answer to I2bis"
    /// An ICMPv6 Parameter Problem said so (RFC 5533, section 8).
    case noShim6 = "peer does not know Shim6"

    // The end.
    /// Neither way a packet for the idle timeout, and no socket that needs it.
    case idle = "idle"
    /// The negative cache entry has ended.
    case holddownOver = "holddown over"
    /// The negative cache entry gave its place to a newer one.
    case tooManyHolddowns = "too many holddowns"
    /// The peer made it, and it carried no payload while the table was full.
    case madeRoom = "makes room, never used"
    /// It was idle, and kept for a socket, while the table was full.
    case idleMadeRoom = "makes room, idle"
    /// The peer gave its tag, or its ULIDs, to another context (RFC 5533, section 7.6).
    case confusion = "context confusion"
    case removed = "removed by the operator"
    case shutdown = "shutdown"
}
