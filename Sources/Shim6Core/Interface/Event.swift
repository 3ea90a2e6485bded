import REAP
import Shim6Wire

/// Everything that can happen to a host, as the daemon or the simulator reports it to `Endpoint.handle(_:at:)`.
public enum Event: Sendable {
    /// A packet with next header 140 from the raw socket: `octets` begin at the Shim6 header.
    case packet(octets: [UInt8], source: IPv6Address, destination: IPv6Address)
    /// An ICMPv6 Parameter Problem that quotes a packet of ours with next header 140 (RFC 5533, section 8).
    /// `quoted` begins at the quoted Shim6 header and may be cut short; source and destination are those of the quoted
    /// packet.
    case parameterProblem(quoted: [UInt8], source: IPv6Address, destination: IPv6Address)
    /// A timer that an effect armed has run out.
    case timer(Timer)
    /// The data path has seen enough traffic between two addresses to make a context worthwhile.
    case trigger(ULIDPair)
    /// The data path reports the packet that `ActivityStamps.requestNotification` asked for.
    case activity(ContextTag, Direction)
    /// A payload packet came in with a tag that no context has (RFC 5533, section 12.2).
    case unknownTag(ContextTag, source: IPv6Address, destination: IPv6Address)
    /// The kernel's idle policy of this context expired: a question, not an answer.
    case idle(ContextTag)
    /// The answer to `Effect.askUse`. One that never comes does no harm: the context stays, and is asked about again.
    case use(ContextTag, ULIDUse)
    /// The usable local locators are now these, best first. A ULID that is missing here stays the ULID of its contexts.
    case localLocators([LocalLocator])
    /// Something outside Shim6 says that the pair in use may have failed. Anybody can forge it.
    case hint(ContextTag, REAPHint)
    /// Our Send Timeout is to be another from now on (RFC 5534, section 7).
    case sendTimeout(Duration)
    /// An operator wants a context's payload to use this pair: it does if Probes show that it works.
    case switchTo(ContextTag, LocatorPair)
    /// The order in which explorations try pairs before everything else, best first; empty for none.
    case ranking([LocatorPair])
    /// An operator asks for a context.
    case establish(ULIDPair)
    /// An operator wants some of the packets of this context's ULID pair to have a context, and locators, of their own.
    case fork(ContextTag, [Flow])
    /// An operator removes a context.
    case remove(ContextTag)
    /// The daemon ends: every context is removed.
    case shutdown
}

/// What is known of sockets of this host that may send between two ULIDs.
public enum ULIDUse: Sendable, CaseIterable {
    /// One has a session between the two: TCP from ESTABLISHED to LAST-ACK, a connected socket of another kind.
    case session
    /// None has; but one without a peer is bound to the local ULID.
    case localAddress
    /// None may.
    case none
    /// Sockets could not be read.
    case unknown
}

/// The way a packet goes, seen from this host.
public enum Direction: String, Sendable, Codable {
    case incoming = "in"
    case outgoing = "out"
}

/// A local address that can be offered to peers as a locator.
public struct LocalLocator: Hashable, Sendable {
    public var address: IPv6Address
    /// How peers can verify it: 1 HBA, 2 CGA (RFC 5533, section 5.15.2). Contexts whose ULID is in one HBA set with it
    /// announce it as HBA.
    public var method: VerificationMethod
    /// What peers are told of it (RFC 5533, section 5.15.3).
    public var preference: LocatorPreferences.Element

    public init(
        address: IPv6Address, method: VerificationMethod, preference: LocatorPreferences.Element = .init()
    ) {
        self.address = address
        self.method = method
        self.preference = preference
    }
}

/// A timer of one context. A timer that fires late or twice does no harm.
public enum Timer: Hashable, Sendable {
    /// Retransmission of I1, I2, I2bis or Update Request; end of a holddown.
    case context(ContextTag)
    /// A timer of the context's REAP machine.
    case reap(ContextTag, REAPTimer)
    /// The peer has had time to move its payload after an exploration.
    case resume(ContextTag)
}
