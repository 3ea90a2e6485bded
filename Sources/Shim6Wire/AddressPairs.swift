/// The two upper-layer identifiers of a session, seen from this host (RFC 5533, section 2.1).
public struct ULIDPair: Hashable, Sendable {
    public var local: IPv6Address
    public var peer: IPv6Address

    public init(local: IPv6Address, peer: IPv6Address) {
        self.local = local
        self.peer = peer
    }

    /// The ULIDs as addresses of a packet of ours.
    public var locators: LocatorPair { LocatorPair(source: local, destination: peer) }
}

/// The locators that a packet carries, in the direction of that packet.
public struct LocatorPair: Hashable, Sendable {
    public var source: IPv6Address
    public var destination: IPv6Address

    public init(source: IPv6Address, destination: IPv6Address) {
        self.source = source
        self.destination = destination
    }

    /// The pair of a packet that goes the other way.
    public var reversed: LocatorPair { LocatorPair(source: destination, destination: source) }
}
