/// The payload extension header, 8 octets: Next Header, Hdr Ext Len = 0, P = 1 and the 47-bit Receiver Context Tag
/// (RFC 5533, section 5.2).
public struct PayloadHeader: Hashable, Sendable {
    /// Its length in octets.
    public static let length = 8

    /// The protocol of what follows this header.
    public var nextHeader: UInt8
    /// The tag that the receiver allocated.
    public var tag: ContextTag

    public init(nextHeader: UInt8, tag: ContextTag) {
        self.nextHeader = nextHeader
        self.tag = tag
    }

    /// Reads the header at the beginning of `octets`.
    /// - Throws: `truncated`, `payloadHeaderLength`, or `wrongKind` if this is a control message.
    public init(_ octets: ArraySlice<UInt8>) throws(ParseError) {
        guard octets.count >= Self.length else { throw ParseError(.truncated, at: octets.count) }
        var bits: UInt64 = 0
        for octet in octets.prefix(Self.length) { bits = bits << 8 | UInt64(octet) }
        guard bits >> 47 & 1 == 1 else { throw ParseError(.wrongKind, at: 2) }
        guard bits >> 48 & 0xff == 0 else { throw ParseError(.payloadHeaderLength, at: 1) }
        self.init(nextHeader: UInt8(truncatingIfNeeded: bits >> 56), tag: ContextTag(truncating: bits))
    }

    /// The same from a whole array. A generic one would take heap blocks in other modules.
    public init(_ octets: [UInt8]) throws(ParseError) { try self.init(octets[...]) }

    /// The 8 octets.
    public var encoded: [UInt8] {
        let bits = UInt64(nextHeader) << 56 | 1 << 47 | tag.rawValue
        return (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - 8 * $0)) }
    }
}
