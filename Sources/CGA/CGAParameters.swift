import Shim6Wire

/// The CGA Parameters data structure (RFC 3972, section 3), which ties an address to a public key:
///
///     octets 0-15   Modifier
///     octets 16-23  Subnet Prefix
///     octet  24     Collision Count
///     octets 25-    Public Key: DER SubjectPublicKeyInfo, which tells its own length
///     then          Extension Fields, which may be absent
///
/// The octets are kept as they came, since they are what is hashed.
public struct CGAParameters: Hashable, Sendable {
    static let subnetPrefixOffset = 16
    static let collisionCountOffset = 24
    static let publicKeyOffset = 25

    /// The whole structure, as it stands in a CGA Parameter Data Structure option (RFC 5533, section 5.15.4).
    public private(set) var octets: [UInt8]
    private let publicKeyEnd: Int

    /// Reads a structure that fills `octets`. The key is only asked for its length, and the extensions for nothing:
    /// the public key of an HBA is no key, and an unknown extension is no reason to refuse an address.
    ///
    /// Throws `truncatedParameters` or `malformedPublicKey`.
    public init(_ octets: [UInt8]) throws(CGAError) {
        guard octets.count > Self.publicKeyOffset else { throw .truncatedParameters }
        var reader = DERReader(octets, in: Self.publicKeyOffset..<octets.count)
        _ = try reader.element(.sequence)  // 3972-3-05
        self.octets = octets
        publicKeyEnd = reader.position
    }

    /// Puts a structure together.
    ///
    /// Throws `malformedPublicKey` unless `publicKey` is one DER SEQUENCE and nothing else, `collisionCount` if that is
    /// above 2.
    public init(
        modifier: UInt128, subnetPrefix: UInt64, collisionCount: UInt8 = 0, publicKey: [UInt8], extensions: [UInt8] = []
    ) throws(CGAError) {
        guard collisionCount <= Self.maximumCollisionCount else { throw .collisionCount }
        var octets: [UInt8] = []
        octets.reserveCapacity(Self.publicKeyOffset + publicKey.count + extensions.count)
        octets.append(bigEndian: modifier)
        octets.append(bigEndian: subnetPrefix)
        octets.append(collisionCount)
        octets += publicKey
        let end = octets.count
        octets += extensions
        do {
            try self.init(octets)
        } catch {
            throw .malformedPublicKey
        }
        guard publicKeyEnd == end else { throw .malformedPublicKey }
    }

    /// The Modifier, found so that Hash2 has the zero bits that Sec demands.
    public var modifier: UInt128 { UInt128(bigEndian: octets[0..<Self.subnetPrefixOffset]) }

    /// The leftmost 64 bits of the address.
    public var subnetPrefix: UInt64 {
        get { UInt64(bigEndian: octets[Self.subnetPrefixOffset..<Self.collisionCountOffset]) }
        set {
            for index in 0..<8 {
                octets[Self.subnetPrefixOffset + index] = UInt8(truncatingIfNeeded: newValue >> (56 - 8 * index))
            }
        }
    }

    /// How often duplicate address detection found the address taken: 0, 1 or 2 in a structure that verifies.
    public internal(set) var collisionCount: UInt8 {
        get { octets[Self.collisionCountOffset] }
        set { octets[Self.collisionCountOffset] = newValue }
    }

    /// The public key: DER SubjectPublicKeyInfo. Random octets in that form for an HBA without key.
    public var publicKey: [UInt8] { Array(octets[Self.publicKeyOffset..<publicKeyEnd]) }

    /// The extension fields in their encoding (RFC 4581), unread: 3972-3-11, 3972-5-18. They are hashed with the rest.
    public var extensions: ArraySlice<UInt8> { octets[publicKeyEnd...] }
}

extension [UInt8] {
    mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// The number that these octets are in network order; of more octets than fit, the last ones count.
    init(bigEndian octets: ArraySlice<UInt8>) {
        self = octets.reduce(0) { $0 << 8 | Self($1) }
    }
}
