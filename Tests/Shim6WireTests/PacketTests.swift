import Testing

@testable import Shim6Wire

/// IPv6, fragments, ICMPv6 errors and checksums, octet for octet.
@Suite struct PacketTests {
    private static let header = IPv6Header(
        classAndLabel: 0x0a5_1234, payloadLength: 0x0102, nextHeader: NextHeader.udp, hopLimit: 9,
        source: IPv6Address(high: 0x2001_0db8_0000_0001, low: 2), destination: IPv6Address(high: 3, low: 4))

    @Test func `An IPv6 header is 40 octets in network order`() {
        let source: [UInt8] = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2]
        let destination: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4]
        let octets = [0x60, 0x0a, 0x51, 0x23] as [UInt8]
        var other = Self.header
        other.classAndLabel = 0x0a_5123
        #expect(other.encoded == octets + [1, 2, 17, 9] + source + destination)
        #expect(IPv6Header(other.encoded[...]) == other)
        // A slice that does not begin at index 0.
        #expect(IPv6Header(([7, 7, 7] + other.encoded + [1])[3...]) == other)
    }

    @Test func `What is too short or of another version is no IPv6 packet`() {
        let octets = Self.header.encoded
        for length in 0..<40 { #expect(IPv6Header(octets[..<length]) == nil) }
        for version in [0, 4, 5, 7, 15] as [UInt8] {
            #expect(IPv6Packet([version << 4] + octets.dropFirst()) == nil)
        }
        #expect(IPv6Packet(octets)?.payload == [])
    }

    @Test func `A packet's length is that of its payload`() {
        let packet = IPv6Packet(header: Self.header, payload: [1, 2, 3])
        #expect(packet.header.payloadLength == 3)
        #expect(packet.encoded.count == 43 && IPv6Packet(packet.encoded) == packet)
    }

    @Test func `Headers in front of the payload extension header are followed, and no further`() throws {
        var header = Self.header
        header.nextHeader = NextHeader.hopByHopOptions
        let hopByHop: [UInt8] = [NextHeader.routing, 0, 1, 4, 0, 0, 0, 0]
        let routing: [UInt8] = [NextHeader.fragment, 1] + [UInt8](repeating: 0, count: 14)
        let octets = header.encoded + hopByHop + routing + [NextHeader.shim6, 0, 0, 0, 0, 0, 0, 1]
        let place = try #require(IPv6Packet(octets)?.placeBehindFrontHeaders)
        #expect(place == IPv6Packet.Place(offset: 64, nameOffset: 48, nextHeader: NextHeader.fragment))
        for length in 41..<56 where length < 48 || (49..<56).contains(length) {
            #expect(IPv6Packet(Array(octets[..<length]))?.placeBehindFrontHeaders == nil)
        }
    }

    @Test func `An endless chain of headers is not followed to its end`() throws {
        var header = Self.header
        header.nextHeader = NextHeader.destinationOptions
        let link: [UInt8] = [NextHeader.destinationOptions, 0, 1, 4, 0, 0, 0, 0]
        let chain = (0..<100).flatMap { _ in link }
        let place = try #require(IPv6Packet(header: header, payload: chain).placeBehindFrontHeaders)
        #expect(place.nextHeader == NextHeader.destinationOptions)
    }

    @Test func `A Fragment header keeps its offset in octets, the flag and the identification`() {
        let first = FragmentHeader(nextHeader: NextHeader.udp, offset: 0, hasMore: true, identification: 0x0102_0304)
        #expect(first.encoded == [17, 0, 0, 1, 1, 2, 3, 4])
        let last = FragmentHeader(nextHeader: NextHeader.tcp, offset: 65_528, identification: .max)
        #expect(last.encoded == [6, 0, 0xff, 0xf8, 0xff, 0xff, 0xff, 0xff])
        for header in [first, last] { #expect(FragmentHeader(header.encoded[...]) == header) }
        // The reserved bits are ignored.
        #expect(FragmentHeader([17, 9, 0, 7, 1, 2, 3, 4]) == first)
        #expect(FragmentHeader(first.encoded[..<7]) == nil)
    }

    @Test func `An ICMPv6 error is read and written, and says what it means`() throws {
        let quote = Self.header.encoded
        let error = try #require(ICMPv6Error([1, 3, 0xaa, 0xbb, 0, 0, 0, 7] + quote))
        #expect(error == ICMPv6Error(.destinationUnreachable, code: 3, word: 7, quote: quote))
        // The checksum is for the kernel to fill in.
        #expect(error.encoded == [1, 3, 0, 0, 0, 0, 0, 7] + quote)
        #expect(error.quotedPair == LocatorPair(source: Self.header.source, destination: Self.header.destination))
        #expect(ICMPv6Error([UInt8](repeating: 1, count: 7)) == nil)
        #expect(ICMPv6Error(.destinationUnreachable, quote: []).quotedPair == nil)
        let isPathGone = (0...6).map { ICMPv6Error(.destinationUnreachable, code: $0, quote: []).isPathGone }
        #expect(isPathGone == [true, true, false, true, false, true, true])
        #expect(!ICMPv6Error(.timeExceeded, quote: []).isPathGone)
    }

    @Test func `The checksum is that of RFC 1071, whatever the parts in which octets are added`() {
        // The example of section 3 there.
        let octets: [UInt8] = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]
        #expect(InternetChecksum.over(octets, count: 8) == ~0xddf2)
        var parts = InternetChecksum()
        parts.add(octets[..<2])
        parts.add(octets[2..<6])
        parts.add(octets[6...])
        #expect(parts.value == ~0xddf2)
        var odd = InternetChecksum()
        odd.add([0x12, 0x34, 0x56])
        #expect(odd.value == ~(0x1234 + 0x5600 as UInt16))
    }

    @Test(arguments: [(NextHeader.tcp, 16), (NextHeader.udp, 6)])
    func `A transport's checksum is completed so that its sum comes out right`(number: UInt8, field: Int) {
        var payload = [UInt8](repeating: 0, count: 8) + (0..<33).map { UInt8($0 * 7) }
        (payload[8 + field], payload[8 + field + 1]) = (0x77, 0x77)
        var packet = IPv6Packet(header: Self.header, payload: payload)
        packet.completeChecksum(of: number, at: 8)
        var sum = InternetChecksum()
        sum.addPseudoHeader(packet.header, length: 33, protocol: number)
        sum.add(packet.payload[8...])
        #expect(sum.value == 0)
        #expect(packet.payload[(8 + field)..<(8 + field + 2)] != [0x77, 0x77])
        var short = IPv6Packet(header: Self.header, payload: Array(payload[..<(8 + field + 1)]))
        let before = short
        short.completeChecksum(of: number, at: 8)
        #expect(short == before)
    }

    @Test func `A UDP checksum is never zero`() throws {
        let zero = IPv6Address(high: 0, low: 0)
        // 0xffff - 17 - 8 makes the sum of everything 0xffff.
        let header = IPv6Header(payloadLength: 8, nextHeader: NextHeader.udp, source: zero, destination: zero)
        var packet = IPv6Packet(header: header, payload: [0xff, 0xff - 25, 0, 0, 0, 0, 9, 9])
        packet.completeChecksum(of: NextHeader.udp)
        #expect(packet.payload[6...] == [0xff, 0xff])
    }
}
