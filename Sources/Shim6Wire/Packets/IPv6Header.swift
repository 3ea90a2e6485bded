/// An IPv6 header, 40 octets (RFC 8200, section 3).
public struct IPv6Header: Hashable, Sendable {
    /// Its length in octets.
    public static let length = 40
    /// Where the header says what follows it, in octets.
    public static let nextHeaderOffset = 6
    /// No link has a smaller MTU (RFC 8200, section 5).
    public static let leastMTU = 1280

    /// Traffic class and flow label: the low 28 bits of the first word.
    public var classAndLabel: UInt32
    /// The octets behind this header.
    public var payloadLength: UInt16
    public var nextHeader: UInt8
    public var hopLimit: UInt8
    public var source: IPv6Address
    public var destination: IPv6Address

    public init(
        classAndLabel: UInt32 = 0, payloadLength: UInt16, nextHeader: UInt8, hopLimit: UInt8 = 64, source: IPv6Address,
        destination: IPv6Address
    ) {
        self.classAndLabel = classAndLabel & 0x0fff_ffff
        self.payloadLength = payloadLength
        self.nextHeader = nextHeader
        self.hopLimit = hopLimit
        self.source = source
        self.destination = destination
    }

    /// The header at the beginning of `octets`; nil if they are too few, or of another version.
    public init?(_ octets: ArraySlice<UInt8>) {
        guard octets.count >= Self.length else { return nil }
        let first = octets.bigEndian(UInt32.self, at: 0)
        guard first >> 28 == 6 else { return nil }
        self.init(
            classAndLabel: first, payloadLength: octets.bigEndian(UInt16.self, at: 4),
            nextHeader: octets.bigEndian(UInt8.self, at: 6), hopLimit: octets.bigEndian(UInt8.self, at: 7),
            source: octets.address(at: 8), destination: octets.address(at: 24))
    }

    /// The addresses, in the direction of the packet.
    public var addresses: LocatorPair { LocatorPair(source: source, destination: destination) }

    /// The 40 octets.
    public var encoded: [UInt8] {
        (6 << 28 | classAndLabel).octets + payloadLength.octets + [nextHeader, hopLimit] + source.octets
            + destination.octets
    }
}
