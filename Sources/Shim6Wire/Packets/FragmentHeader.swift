/// A Fragment header, 8 octets (RFC 8200, section 4.5).
public struct FragmentHeader: Hashable, Sendable {
    /// Its length in octets.
    public static let length = 8

    public var nextHeader: UInt8
    /// Of this fragment's data in that of the packet, in octets, a multiple of 8.
    public var offset: Int
    /// Whether fragments follow.
    public var hasMore: Bool
    public var identification: UInt32

    public init(nextHeader: UInt8, offset: Int = 0, hasMore: Bool = false, identification: UInt32) {
        self.nextHeader = nextHeader
        self.offset = offset
        self.hasMore = hasMore
        self.identification = identification
    }

    /// The header at the beginning of `octets`; nil if they are too few.
    public init?(_ octets: ArraySlice<UInt8>) {
        guard octets.count >= Self.length else { return nil }
        let bits = octets.bigEndian(UInt16.self, at: 2)
        self.init(
            nextHeader: octets.bigEndian(UInt8.self, at: 0), offset: Int(bits & 0xfff8), hasMore: bits & 1 == 1,
            identification: octets.bigEndian(UInt32.self, at: 4))
    }

    /// The 8 octets.
    public var encoded: [UInt8] {
        let bits = UInt16(truncatingIfNeeded: offset) & 0xfff8 | (hasMore ? 1 : 0)
        return [nextHeader, 0] + bits.octets + identification.octets
    }
}
