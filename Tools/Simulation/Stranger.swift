import Shim6Core
import Shim6Wire

/// A third party of a script: it has a proper ULID, and can prove that and nothing else.
public struct Stranger {
    private let identity: any AddressMaker
    public let address: IPv6Address

    /// With `keys` it proves its address as the hosts of a run with cryptography do.
    public init(keys: Keys? = nil, prefix: UInt64 = 0x2001_0db8_0bad_0001) {
        identity = (keys?.proofs ?? .arithmetic).identity(ofHost: 14)
        address = identity.makeAddress(prefix: prefix)
    }

    /// Its CGA Parameter Data Structure.
    public var parameters: [UInt8] { identity.parameters(of: address) ?? [] }

    /// A list of locators as it can prove it, with any addresses.
    public func options(generation: UInt32 = 1, _ locators: [IPv6Address]) -> LocatorOptions {
        LocatorOptions(
            locatorList: LocatorList(
                generation: generation, locators: locators.map { LocatorList.Entry(locator: $0, method: .cga) }),
            cgaParameters: parameters,
            cgaSignature: identity.signature(by: address, generation: generation, locators: locators))
    }
}
