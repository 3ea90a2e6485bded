import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@testable import BPFDataPath

/// Packets that the payload header makes too big for a path that takes no more than every link does.
@Suite struct FragmentsTests {
    private static let source = IPv6Address(high: 0x2001_0db8_00a1_0000, low: 1)
    private static let destination = IPv6Address(high: 0x2001_0db8_00b1_0000, low: 2)
    private static let tag = ContextTag(truncating: 0x7edc_ba98_7654)

    private static func packet(next: UInt8, _ rest: [UInt8]) -> [UInt8] {
        let length = [UInt8(rest.count >> 8), UInt8(rest.count & 0xff)]
        return [0x60, 0, 0, 0] + length + [next, 64] + source.octets + destination.octets + rest
    }
    private static func udp(_ count: Int) -> [UInt8] {
        let length = count + 8
        return [0x12, 0x34, 0, 9, UInt8(length >> 8), UInt8(length & 0xff), 0x77, 0x77]
            + (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    }
    /// The data, put together again; nil if a fragment is no fragment of the tag, too big, or out of place.
    private static func assembled(_ parts: [[UInt8]], from first: Int = 0) -> (next: UInt8, data: [UInt8], more: Bool)?
    {
        var data: [UInt8] = []
        var (next, more): (UInt8, Bool) = (0, true)
        for part in parts {
            guard part.count + 40 <= 1280, part.prefix(8) == PayloadHeader(nextHeader: 44, tag: tag).encoded[...] else {
                return nil
            }
            let offset = Int(part[10]) << 8 | Int(part[11] & 0xf8)
            guard more, offset == first + data.count, part[12..<16] == parts[0][12..<16] else { return nil }
            (next, more) = (part[8], part[11] & 1 == 1)
            data += part[16...]
        }
        return (next, data, more)
    }
    /// One's complement sum over pseudo-header and data.
    private static func sum(_ next: UInt8, _ data: [UInt8]) -> Int {
        let octets =
            source.octets + destination.octets + [UInt8(data.count >> 8), UInt8(data.count & 0xff), 0, next] + data
        var sum = octets.enumerated().reduce(0) { $0 + Int($1.element) << ($1.offset % 2 == 0 ? 8 : 0) }
        while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
        return sum
    }

    @Test(.requirement("5533-4.6-01", "5533-5.2-03"), arguments: [1226, 1231, 1232])
    func `Each fragment has the payload header in front of the Fragment header and fits`(count: Int) throws {
        let parts = Fragments.of(Self.packet(next: 17, Self.udp(count)), tag: Self.tag, identification: 0xcafe_babe)
        #expect(parts.count == 2)
        #expect(parts.first?[12..<16] == [0xca, 0xfe, 0xba, 0xbe])
        let whole = try #require(Self.assembled(parts))
        #expect(whole.next == 17 && !whole.more)
        #expect(whole.data.count == count + 8 && whole.data[8...] == Self.udp(count)[8...])
        // The checksum that the kernel leaves to a device is done here.
        #expect(Self.sum(17, whole.data) == 0xffff)
    }

    @Test func `A fragment is fragmented further and keeps its place`() throws {
        let header: [UInt8] = [17, 0, 0x13, 0x89, 1, 2, 3, 4]
        let data = (0..<1232).map { UInt8(truncatingIfNeeded: $0) }
        for more in [UInt8(0), 1] {
            var header = header
            header[3] = 0x88 | more
            let parts = Fragments.of(Self.packet(next: 44, header + data), tag: Self.tag, identification: 9)
            let whole = try #require(Self.assembled(parts, from: 0x1388))
            #expect(whole == (17, data, more == 1))
            #expect(parts[0][12..<16] == [1, 2, 3, 4])
        }
    }

    @Test func `Where headers of 48 octets come in front, fragments leave room for them and are whole packets`() throws
    {
        let packet = Self.packet(next: 17, Self.udp(1232))
        let parts = Fragments.plain(packet, room: 48, identification: 0xcafe_babe)
        #expect(parts.count == 2)
        for part in parts {
            #expect(part.count + 48 <= 1280 && part[6] == 44)
            #expect(part[8..<40] == packet[8..<40])
            #expect(Int(part[4]) << 8 | Int(part[5]) == part.count - 40)
        }
        let header = PayloadHeader(nextHeader: 44, tag: Self.tag).encoded
        let whole = try #require(Self.assembled(parts.map { header + $0[40...] }))
        #expect(whole.next == 17 && !whole.more)
        #expect(whole.data[8...] == Self.udp(1232)[8...])
        #expect(Self.sum(17, whole.data) == 0xffff)
    }

    @Test func `What has headers in front is left`() {
        for next in [0, 43] as [UInt8] {
            let packet = Self.packet(next: next, [17, 0, 0, 0, 0, 0, 0, 0] + Self.udp(1200))
            #expect(Fragments.of(packet, tag: Self.tag, identification: 1).isEmpty)
        }
    }

    @Test(.requirement("5533-15.4-03"))
    func `What routers say is believed of one path, downwards, and for ten minutes`() {
        let pair = LocatorPair(source: Self.source, destination: Self.destination)
        let other = LocatorPair(source: Self.destination, destination: Self.source)
        var known = PathMTUs()
        let start = Instant(nanoseconds: 5)
        let isNarrower = ([1279, 1400, 1450, 1280] as [UInt32]).map { known.learn($0, of: pair, at: start) }
        #expect(isNarrower == [false, true, false, true])
        #expect(known[pair] == 1280 && known[other] == nil)
        let expired = [599, 600].map { known.expire(at: start + .seconds($0)) }
        #expect(expired == [[], [pair]])
        #expect(known[pair] == nil)
    }

    @Test func `A peer with ever more locators does not fill the memory with their paths`() {
        var known = PathMTUs()
        func path(_ number: Int) -> LocatorPair {
            LocatorPair(source: Self.source, destination: IPv6Address(high: 0x2001_0db8_0000_0000, low: UInt64(number)))
        }
        let isNarrower = (0..<PathMTUs.most + 3).map { known.learn(1400, of: path($0), at: Instant(nanoseconds: 5)) }
        #expect(isNarrower.count { $0 } == PathMTUs.most && known.count == PathMTUs.most && known.refused == 3)
        let isKnownOneNarrower = known.learn(1300, of: path(0), at: Instant(nanoseconds: 5))
        let expired = known.expire(at: Instant(nanoseconds: 5) + .seconds(600))
        let isThereRoom = known.learn(1400, of: path(PathMTUs.most), at: Instant(nanoseconds: 6))
        #expect(isKnownOneNarrower && expired.count == PathMTUs.most && isThereRoom)
    }
}
