/// The headers of Mobile IPv6 that carry the ULIDs of a rehomed packet, 48 octets: a type 2 routing header (RFC 6275,
/// section 6.4) and a Destination Options header with nothing but a Home Address option (section 6.3).
public struct HomeAddressHeaders: Hashable, Sendable {
    /// Their length in octets.
    public static let length = 48

    /// What follows them.
    public var nextHeader: UInt8
    /// In the routing header: the receiver's ULID on the way, its locator once it has arrived.
    public var routed: IPv6Address
    /// In the Home Address option: the sender's ULID.
    public var home: IPv6Address

    /// The headers at the beginning of `octets`, if there is a routing header; nil if they have another shape.
    public init?(_ octets: ArraySlice<UInt8>) {
        guard octets.count >= Self.length else { return nil }
        func octet(_ offset: Int) -> UInt8 { octets.bigEndian(UInt8.self, at: offset) }
        let isRouting = octet(0) == NextHeader.destinationOptions && octet(1) == 2 && octet(2) == 2
        // Padding of 4 octets (PadN), then the option: type 201, 16 octets.
        let isHomeAddress = octet(25) == 2 && octet(26) == 1 && octet(27) == 2 && octet(30) == 201 && octet(31) == 16
        guard isRouting, isHomeAddress else { return nil }
        nextHeader = octet(24)
        routed = octets.address(at: 8)
        home = octets.address(at: 32)
    }
}
