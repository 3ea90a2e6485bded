import Shim6Wire

extension CGAParameters {
    /// The largest Collision Count (RFC 3972, section 3).
    public static let maximumCollisionCount: UInt8 = 2

    /// The largest Sec value that has a meaning (RFC 4982, section 6).
    public static let maximumSec = 2

    /// The bits of the interface identifier that come from Hash1: all but Sec (bits 0-2), u and g (bits 6 and 7).
    static let hash1Mask: UInt64 = 0x1cff_ffff_ffff_ffff

    /// Hash1: the leftmost 64 bits of SHA-1 over the whole structure (RFC 3972, section 3).
    ///
    /// Throws `cryptography`.
    public var hash1: UInt64 {
        get throws(CGAError) { try SHA1().digest(of: octets).leading64 }  // 3972-3-12
    }

    /// Hash2: the leftmost 112 bits of SHA-1 over the structure with Subnet Prefix and Collision Count set to zero.
    ///
    /// Throws `cryptography`.
    public var hash2: [UInt8] {
        get throws(CGAError) {
            let digest = try SHA1().digest(of: hash2Input)
            return (0..<14).map { digest[$0] }
        }
    }

    var hash2Input: [UInt8] {  // 3972-3-13
        var input = octets
        for index in Self.subnetPrefixOffset..<Self.publicKeyOffset { input[index] = 0 }
        return input
    }

    /// Checks that `address` is a CGA made from this structure (RFC 3972, section 5). Stops at the first step that
    /// fails. Several addresses pass for one structure (lower Sec, any u and g bits): elsewhere compare all 128 bits.
    ///
    /// Throws `collisionCount`, `subnetPrefix`, `hash1`, `unassignedSec`, `hash2` or `cryptography`.
    public func verify(_ address: IPv6Address) throws(CGAError) {  // 3972-5-01, 3972-5-09
        var hashes = try VerificationHashes(of: self)
        guard subnetPrefix == address.high else { throw .subnetPrefix }
        try hashes.verify(address)
        // Nothing is told of what was verified: 3972-5-12, 3972-5-13.
    }

    /// Checks that each of `addresses` is a member of the set that the Multi-Prefix extension lists (RFC 5535, section
    /// 7.2). The public key is not looked at, since that of a set without key is a random number.
    ///
    /// Throws what `verify(_:)` throws, where `subnetPrefix` means that an address is in no prefix of the set;
    /// `methodContradictsParameters` if there is no such extension; and `malformedExtension`.
    public func verify(members addresses: some Sequence<IPv6Address>) throws(CGAError) {
        // 5533-7.2-07
        guard let multiPrefix = try multiPrefix() else { throw .methodContradictsParameters }
        // Members differ in the Subnet Prefix alone, which Hash2 does not cover: that is computed once for all.
        var hashes = try VerificationHashes(of: self)
        for address in addresses {
            guard multiPrefix.subnetPrefixes.contains(address.high) else { throw .subnetPrefix }
            try hashes.verify(address)
        }
    }

    /// Checks that `address` belongs to this structure by `method`: for CGA `verify(_:)`, for HBA `verify(members:)`.
    ///
    /// Throws what they throw, and `methodContradictsParameters` for CGA where the Multi-Prefix extension says that there
    /// is no key.
    public func verify(_ address: IPv6Address, by method: VerificationMethod) throws(CGAError) {
        switch method {
        case .cga:
            try requireKey()
            try verify(address)
        case .hba:
            try verify(members: CollectionOfOne(address))
        }
    }

    /// Extensions that cannot be read do not matter for a CGA (RFC 3972, section 5).
    func requireKey() throws(CGAError) {
        // 5533-7.2-07
        if let multiPrefix = try? multiPrefix(), !multiPrefix.hasPublicKey { throw .methodContradictsParameters }
    }
}
