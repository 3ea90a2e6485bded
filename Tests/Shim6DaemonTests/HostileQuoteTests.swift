import DataPath
import Netlink
import REAP
import Shim6Core
import Shim6Wire
import Testing

@testable import BPFDataPath
@testable import Shim6Daemon

/// ICMPv6 errors come from anybody, and quote whatever they like.
@Suite struct HostileQuoteTests {
    private static let ulids = ULIDPair(local: IPv6Address(high: 1, low: 1), peer: IPv6Address(high: 2, low: 2))
    private static let tag = ContextTag(truncating: 0x7edc_ba98_7654)

    private static func ipv6(next: UInt8, _ rest: [UInt8]) -> [UInt8] {
        [0x60, 0, 0, 0, 0, UInt8(rest.count), next, 64] + ulids.local.octets + ulids.peer.octets + rest
    }

    private static let quotes: [[UInt8]] = {
        let data = [UInt8](repeating: 0x55, count: 24)
        let tagged = PayloadHeader(nextHeader: 17, tag: tag).encoded + data
        let routing: [UInt8] = [60, 2, 2, 1, 0, 0, 0, 0] + ulids.peer.octets
        let homeAddress: [UInt8] = [17, 2, 1, 2, 0, 0, 201, 16] + ulids.local.octets
        return [
            ipv6(next: 140, tagged),
            ipv6(next: 0, [60, 0, 1, 4, 0, 0, 0, 0, 140, 1] + [UInt8](repeating: 0, count: 14) + tagged),
            ipv6(next: 43, routing + homeAddress + data),
            ipv6(next: 140, [59, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 7]),
        ]
    }()

    /// A packet cut at every place, and with each octet in turn set to values at the edges.
    private static func variants(of packet: [UInt8]) -> [[UInt8]] {
        let cut = packet.indices.map { Array(packet[..<$0]) }
        let changed = packet.indices.flatMap { index in
            ([0, 1, 43, 44, 60, 140, 0x7f, 0x80, 0xff] as [UInt8]).map { value in
                var packet = packet
                packet[index] = value
                return packet
            }
        }
        return [packet] + cut + changed
    }

    @Test(arguments: quotes)
    func `No quote traps, and none makes a message larger than itself`(quote: [UInt8]) {
        let entry = DataPathEntry(
            localTag: Self.tag, peerTag: Self.tag, slot: 0, ulids: Self.ulids,
            outgoing: LocatorPair(source: Self.ulids.local, destination: Self.ulids.peer), inbound: .deliver)
        var read = 0
        for variant in Self.variants(of: quote) {
            for type: UInt8 in [1, 2, 3, 4] {
                for word: UInt32 in [0, 40, 48, 1280, 0x0a00_0000, 0x7f00_0000, .max] {
                    let octets = [type, 1, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
                    guard let error = ICMPv6Error(octets + variant) else { continue }
                    _ = error.quotedPair
                    let messages = [
                        TaggedQuote(error.quote)?.message(for: Self.ulids, error),
                        RehomedQuote(error.quote)?.message(for: Self.ulids, error),
                        RehomedQuote(error.quote)?.message(for: entry, error),
                    ]
                    for message in messages.compactMap(\.self) {
                        read += 1
                        #expect(message.error.encoded.count <= octets.count + max(variant.count, 48))
                    }
                    if QuotedMessage(error) != nil { read += 1 }
                }
            }
        }
        #expect(read > 0)
    }

    @Test(arguments: quotes)
    func `A packet of any shape can be fragmented or is left alone`(packet: [UInt8]) {
        let long = packet + [UInt8](repeating: 0xaa, count: 1280 - packet.count)
        for variant in Self.variants(of: packet) + [long, Array(long.prefix(1279))] {
            for part in Fragments.of(variant, tag: Self.tag, identification: .max) { #expect(part.count <= 1240) }
            for part in Fragments.plain(variant, room: 48, identification: 0) { #expect(part.count <= 1232) }
        }
    }
}
