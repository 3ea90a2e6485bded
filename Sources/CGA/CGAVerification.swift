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
        get throws(CGAError) { try SHA1().digest(of: octets).leading64 }
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

    var hash2Input: [UInt8] {
        var input = octets
        for index in Self.subnetPrefixOffset..<Self.publicKeyOffset { input[index] = 0 }
        return input
    }

    /// Checks that `address` is a CGA made from this structure (RFC 3972, section 5). Stops at the first step that
    /// fails. Several addresses pass for one structure (lower Sec, any u and g bits): elsewhere compare all 128 bits.
    ///
    /// Throws `collisionCount`, `subnetPrefix`, `hash1`, `unassignedSec`, `hash2` or `cryptography`.
    public func verify(_ address: IPv6Address) throws(CGAError) {
        guard collisionCount <= Self.maximumCollisionCount else { throw .collisionCount }
        guard subnetPrefix == address.high else { throw .subnetPrefix }
        let sha1 = try SHA1()
        guard (try sha1.digest(of: octets).leading64 ^ address.low) & Self.hash1Mask == 0 else { throw .hash1 }
        // Sec 3 to 7 have no meaning yet, not even the hash function is known. Refusing them is safe.
        let sec = Int(address.low >> 61)
        guard sec <= Self.maximumSec else { throw .unassignedSec }
        guard sec > 0 else { return }
        guard try sha1.digest(of: hash2Input).leading64 >> (64 - 16 * sec) == 0 else { throw .hash2 }
    }

    /// Checks that `address` belongs to this structure by `method`. For CGA that is `verify(_:)`. For HBA the address is
    /// any member of the set that the Multi-Prefix extension lists (RFC 5535, section 7.2); the public key is not looked
    /// at, since that of a set without key is a random number.
    ///
    /// Throws what `verify(_:)` throws; `methodContradictsParameters` for HBA without that extension and for CGA where it
    /// says that there is no key; `malformedExtension`; and `subnetPrefix` if the address is in no prefix of the set.
    public func verify(_ address: IPv6Address, by method: VerificationMethod) throws(CGAError) {
        switch method {
        case .cga:
            // Extensions that cannot be read do not matter for a CGA (RFC 3972, section 5).
            if let multiPrefix = try? multiPrefix(), !multiPrefix.hasPublicKey { throw .methodContradictsParameters }
            try verify(address)
        case .hba:
            guard let multiPrefix = try multiPrefix() else { throw .methodContradictsParameters }
            guard multiPrefix.subnetPrefixes.contains(address.high) else { throw .subnetPrefix }
            var member = self
            member.subnetPrefix = address.high
            try member.verify(address)
        }
    }
}
