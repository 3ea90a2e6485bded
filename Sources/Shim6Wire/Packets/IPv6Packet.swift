/// A packet, or as much of its beginning as there is, from the IPv6 header on.
public struct IPv6Packet: Hashable, Sendable {
    public private(set) var header: IPv6Header
    /// What follows the IPv6 header.
    public private(set) var payload: [UInt8]

    /// A whole packet. More than 65,535 octets of payload, which no caller has, make its length wrong.
    public init(header: IPv6Header, payload: [UInt8]) {
        self.header = header
        self.header.payloadLength = UInt16(clamping: payload.count)
        self.payload = payload
    }

    /// Nil if `octets` do not begin with an IPv6 header.
    public init?(_ octets: [UInt8]) {
        guard let header = IPv6Header(octets[...]) else { return nil }
        self.header = header
        payload = Array(octets[IPv6Header.length...])
    }

    public var encoded: [UInt8] { header.encoded + payload }

    /// Where a header stands and what names it, in octets from the first one of the packet.
    public struct Place: Hashable, Sendable {
        public var offset: Int
        /// Where the header in front says what this one is.
        public var nameOffset: Int
        public var nextHeader: UInt8
    }

    /// More extension headers than any packet has a use for are not followed.
    private static let mostHeaders = 8

    /// The first header that does not stand in front of the payload extension header (RFC 5533, section 4.6). It may be
    /// behind the end of what there is. Nil if a header in front of it is cut short.
    public var placeBehindFrontHeaders: Place? {
        var place = Place(
            offset: IPv6Header.length, nameOffset: IPv6Header.nextHeaderOffset, nextHeader: header.nextHeader)
        for _ in 0..<Self.mostHeaders where NextHeader.standsInFrontOfShim(place.nextHeader) {
            let start = place.offset - IPv6Header.length
            guard payload.count >= start + 8 else { return nil }
            place = Place(
                offset: place.offset + (Int(payload[start + 1]) + 1) * 8, nameOffset: place.offset,
                nextHeader: payload[start])
        }
        return place
    }

    /// Fills in the checksum of the TCP segment or UDP datagram that begins `offset` octets behind the IPv6 header, as a
    /// device would do it for the kernel. Others are left, and what is too short for the field.
    public mutating func completeChecksum(of number: UInt8, at offset: Int = 0) {
        let field: Int
        switch number {
        case NextHeader.tcp: field = offset + 16
        case NextHeader.udp: field = offset + 6
        default: return
        }
        guard offset >= 0, payload.count >= field + 2 else { return }
        payload.replaceSubrange(field..<field + 2, with: [0, 0])
        var checksum = InternetChecksum()
        checksum.addPseudoHeader(header, length: payload.count - offset, protocol: number)
        checksum.add(payload[offset...])
        // Zero is no checksum in UDP (RFC 768).
        let value = checksum.value == 0 && number == NextHeader.udp ? 0xffff : checksum.value
        payload.replaceSubrange(field..<field + 2, with: value.octets)
    }
}
