import Shim6Wire

/// Makes a set of HBAs: one address in each of several subnet prefixes, tied to each other by a hash over all prefixes
/// (RFC 5535, section 6). One Modifier search serves the whole set.
public struct HBAGenerator: Sendable {
    /// The length of an Extended Modifier in octets.
    public static let extendedModifierLength = 48

    private let subnetPrefixes: [UInt64]
    /// The search for the Modifier, steps 2 to 4.
    public var generator: CGAGenerator

    /// Steps 1 and 2 for a set that is also good for signatures. `publicKey` is a DER SubjectPublicKeyInfo; `modifier` is
    /// random.
    ///
    /// Throws `unassignedSec`, `malformedPublicKey` or `prefixes`.
    public init(
        subnetPrefixes: [UInt64], publicKey: [UInt8], sec: Int, modifier: UInt128
    ) throws(CGAGenerationError) {
        try self.init(subnetPrefixes, publicKey, hasPublicKey: true, sec, modifier)
    }

    /// Steps 1 and 2 for a set without a key. `extendedModifier` is 384 random bits; set the first of them to have all of
    /// them survive the encoding as a number.
    ///
    /// Throws `unassignedSec`, `malformedPublicKey` if the Extended Modifier has another length, or `prefixes`.
    public init(
        subnetPrefixes: [UInt64], extendedModifier: [UInt8], sec: Int, modifier: UInt128
    ) throws(CGAGenerationError) {
        guard extendedModifier.count == Self.extendedModifierLength else { throw .malformedPublicKey }
        // 5535-6-04, 5535-6-05, 5535-6-06
        let wrapped = RSAPublicKeyFields.subjectPublicKeyInfo(modulus: extendedModifier, exponent: [1, 0, 1])
        try self.init(subnetPrefixes, wrapped, hasPublicKey: false, sec, modifier)
    }

    /// Steps 1 and 2 with a Modifier, and without `publicKey` an Extended Modifier, from OpenSSL's random generator.
    ///
    /// Throws `unassignedSec`, `malformedPublicKey` or `prefixes`.
    public init(subnetPrefixes: [UInt64], publicKey: [UInt8]?, sec: Int) throws(CGAGenerationError) {
        let modifier = UInt128(bigEndian: systemRandom(16)[...])
        if let publicKey {
            try self.init(subnetPrefixes: subnetPrefixes, publicKey: publicKey, sec: sec, modifier: modifier)
        } else {
            var extended = systemRandom(Self.extendedModifierLength)
            extended[0] |= 0x80
            try self.init(subnetPrefixes: subnetPrefixes, extendedModifier: extended, sec: sec, modifier: modifier)
        }
    }

    private init(
        _ subnetPrefixes: [UInt64], _ publicKey: [UInt8], hasPublicKey: Bool, _ sec: Int, _ modifier: UInt128
    ) throws(CGAGenerationError) {
        let multiPrefix = MultiPrefix(hasPublicKey: hasPublicKey, subnetPrefixes: subnetPrefixes)
        guard !subnetPrefixes.isEmpty, Set(subnetPrefixes).count == subnetPrefixes.count,
            let extensions = multiPrefix.extensionField.octets
        else { throw .prefixes }
        self.subnetPrefixes = subnetPrefixes
        generator = try CGAGenerator(publicKey: publicKey, sec: sec, modifier: modifier, extensions: extensions)
    }

    /// Steps 5 and 6: the addresses, in the order of the prefixes, each with its parameters. Ask with `collisionCount` 0
    /// first, and with one more each time duplicate address detection finds any one of the addresses taken.
    ///
    /// Throws `searchNotFinished`, or `tooManyCollisions` if `collisionCount` is above 2.
    public func addresses(
        collisionCount: Int = 0
    ) throws(CGAGenerationError) -> [(address: IPv6Address, parameters: CGAParameters)] {
        var addresses: [(address: IPv6Address, parameters: CGAParameters)] = []
        for prefix in subnetPrefixes {
            addresses.append(try generator.address(in: prefix, collisionCount: collisionCount))
        }
        return addresses
    }
}
