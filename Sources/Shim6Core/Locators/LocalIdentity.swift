import CGA
import Shim6Wire

/// What proves that this host's addresses are its own (RFC 5533, section 7.2).
public protocol LocalIdentity {
    /// The CGA Parameter Data Structure of a local address; nil if the address has none. Its contexts then have the
    /// ULID as their only local locator.
    func parameters(of ulid: IPv6Address) -> [UInt8]?
    /// The CGA Signature with the key of `ulid` over a generation and the locators of a list whose method is CGA, in
    /// the order of the list (RFC 5533, section 5.15.5); nil if it cannot be made.
    func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]?
    /// Whether `locator` is in the HBA set that the parameters of `ulid` describe: then it is announced with the method
    /// HBA and needs no signature (RFC 5533, section 7.2).
    func isInSet(_ locator: IPv6Address, of ulid: IPv6Address) -> Bool
}

extension LocalIdentity {
    /// There is no HBA set.
    public func isInSet(_ locator: IPv6Address, of ulid: IPv6Address) -> Bool { false }
}

/// A host whose addresses are CGAs.
public struct CGAIdentities: LocalIdentity, Sendable {
    private let identities: [IPv6Address: CGAIdentity]

    public init(_ identities: [CGAIdentity]) {
        self.identities = Dictionary(identities.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
    }

    public func parameters(of ulid: IPv6Address) -> [UInt8]? {
        identities[ulid]?.parameters.octets
    }

    public func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? {
        try? identities[ulid]?.sign(generation: generation, locators: locators)
    }
}
