/// An extension field of a CGA Parameters data structure (RFC 4581, section 2):
///
///     octets 0-1  Extension Type
///     octets 2-3  Extension Data Length, without these four octets
///     octets 4-   Extension Data
public struct CGAExtension: Hashable, Sendable {
    /// The type of the Multi-Prefix extension (RFC 5535, section 10).
    public static let multiPrefix: UInt16 = 0x0012

    public var type: UInt16
    public var data: [UInt8]

    public init(type: UInt16, data: [UInt8]) {
        self.type = type
        self.data = data
    }

    /// The encoding; nil if the data needs more than 65,535 octets.
    public var octets: [UInt8]? {  // 4581-2-01
        guard let length = UInt16(exactly: data.count) else { return nil }
        var octets: [UInt8] = []
        octets.append(bigEndian: type)
        octets.append(bigEndian: length)
        return octets + data
    }
}

extension CGAParameters {
    /// The extension fields in order, without padding between them. Throws `malformedExtension` if one runs beyond the
    /// structure; plain CGA verification does not mind that.
    public func parsedExtensions() throws(CGAError) -> [CGAExtension] {
        var parsed: [CGAExtension] = []
        var rest = extensions
        while !rest.isEmpty {
            guard rest.count >= 4 else { throw .malformedExtension }
            let type = UInt16(bigEndian: rest.prefix(2))
            let length = Int(UInt16(bigEndian: rest.dropFirst(2).prefix(2)))
            rest = rest.dropFirst(4)
            guard rest.count >= length else { throw .malformedExtension }
            parsed.append(CGAExtension(type: type, data: Array(rest.prefix(length))))
            rest = rest.dropFirst(length)
        }
        return parsed
    }
}
