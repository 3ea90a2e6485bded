/// The data of a Multi-Prefix extension (RFC 5535, section 5), which ties the members of an HBA set to each other:
///
///     octets 0-3  P flag in the top bit, then 31 reserved bits, zero
///     octets 4-   8 octets for each subnet prefix of the set, in the order chosen when the set was made
public struct MultiPrefix: Hashable, Sendable {
    /// P: the Public Key field of the parameters holds a real public key.
    public var hasPublicKey: Bool
    /// The leftmost 64 bits of each address of the set.
    public var subnetPrefixes: [UInt64]

    public init(hasPublicKey: Bool, subnetPrefixes: [UInt64]) {
        self.hasPublicKey = hasPublicKey
        self.subnetPrefixes = subnetPrefixes
    }

    /// Reads the data of a Multi-Prefix extension; the reserved bits may have any value.
    ///
    /// Throws `malformedExtension`.
    public init(_ data: [UInt8]) throws(CGAError) {
        // 5535-5-06
        guard data.count >= 4, data.count % 8 == 4 else { throw .malformedExtension }
        hasPublicKey = data[0] >= 0x80
        subnetPrefixes = stride(from: 4, to: data.count, by: 8).map { UInt64(bigEndian: data[$0..<$0 + 8]) }
    }

    /// The extension field.
    public var extensionField: CGAExtension {
        var data: [UInt8] = []
        data.append(bigEndian: UInt32(hasPublicKey ? 0x8000_0000 : 0))  // 5535-5-05
        for prefix in subnetPrefixes { data.append(bigEndian: prefix) }
        return CGAExtension(type: CGAExtension.multiPrefix, data: data)
    }
}

extension CGAParameters {
    /// The Multi-Prefix extension, the first one if there are several; nil if there is none.
    ///
    /// Throws `malformedExtension`.
    public func multiPrefix() throws(CGAError) -> MultiPrefix? {
        guard let field = try parsedExtensions().first(where: { $0.type == CGAExtension.multiPrefix }) else {
            return nil
        }
        return try MultiPrefix(field.data)
    }
}
