import Requirements
import Shim6Core
import Shim6Wire
import Testing

@testable import BPFDataPath

/// ICMPv6 errors about rehomed packets, as the host's own sockets understand them (RFC 5533, section 8).
@Suite struct TaggedQuoteTests {
    private static let ulids = ULIDPair(local: IPv6Address(high: 1, low: 1), peer: IPv6Address(high: 2, low: 2))
    private static let locators = LocatorPair(
        source: IPv6Address(high: 3, low: 3), destination: IPv6Address(high: 4, low: 4))
    private static let tag = ContextTag(truncating: 0x7edc_ba98_7654)
    private static let data: [UInt8] = [0x12, 0x34, 0, 9, 0, 13, 0x0a, 0x26, 1, 2, 3, 4, 5]

    private static func ipv6(_ source: IPv6Address, _ destination: IPv6Address, next: UInt8, _ rest: [UInt8]) -> [UInt8]
    {
        [0x60, 0, 0, 0, 0, UInt8(rest.count), next, 64] + source.octets + destination.octets + rest
    }
    private static func tagged(_ front: [UInt8] = [], next: UInt8 = 140, data: [UInt8] = data) -> [UInt8] {
        let header = PayloadHeader(nextHeader: 17, tag: tag).encoded
        return ipv6(locators.source, locators.destination, next: next, front + header + data)
    }
    private static func plain(_ front: [UInt8] = [], next: UInt8 = 17, data: [UInt8] = data) -> [UInt8] {
        ipv6(ulids.local, ulids.peer, next: next, front + data)
    }
    private static func error(_ type: UInt8, _ code: UInt8 = 0, word: UInt32 = 0, _ quote: [UInt8]) throws
        -> ICMPv6Error
    {
        let field = (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
        return try #require(ICMPv6Error([type, code, 0, 0] + field + quote))
    }
    private static func translated(_ error: ICMPv6Error) throws -> [UInt8]? {
        try #require(TaggedQuote(error.quote)).message(for: ulids, error)?.error.encoded
    }

    @Test(.requirement("5533-8-11"))
    func `The context is found by the quoted locators and the peer's tag`() throws {
        let quote = try #require(TaggedQuote(Self.tagged()))
        let key = TaggedQuote.Key(source: Self.locators.source, destination: Self.locators.destination, tag: Self.tag)
        #expect(quote.key == key)
        var entry = DataPathEntry(
            localTag: ContextTag(truncating: 1), peerTag: Self.tag, slot: 0, ulids: Self.ulids, outgoing: Self.locators,
            inbound: .deliver)
        #expect(TaggedQuote.Key(entry) == key)
        entry.outgoing = LocatorPair(source: Self.ulids.local, destination: Self.ulids.peer)
        #expect(TaggedQuote.Key(entry) == nil)
    }

    @Test(.requirement("5533-8-10"))
    func `The quote gets its ULIDs back and loses the payload header, wherever that stands`() throws {
        let closed = try Self.error(1, 4, Self.tagged())
        #expect(try Self.translated(closed) == [1, 4, 0, 0, 0, 0, 0, 0] + Self.plain())
        let front: [UInt8] = [43, 0, 1, 4, 0, 0, 0, 0] + [140, 0, 0, 0, 0, 0, 0, 0]
        let behind: [UInt8] = [43, 0, 1, 4, 0, 0, 0, 0] + [17, 0, 0, 0, 0, 0, 0, 0]
        let exceeded = try Self.error(3, 0, Self.tagged(front, next: 0))
        #expect(try Self.translated(exceeded) == [3, 0, 0, 0, 0, 0, 0, 0] + Self.plain(behind, next: 0))
    }

    @Test(.requirement("5533-8-12"), arguments: [(1500, 1492), (1400, 1392), (1287, 1280), (1280, 1280)])
    func `The MTU is lowered by the payload header, as far as a stack takes it`(mtu: UInt32, told: UInt32) throws {
        let message = try #require(try Self.translated(Self.error(2, word: mtu, Self.tagged())))
        #expect(message[4..<8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } == told)
        #expect(try Self.translated(Self.error(2, word: 1279, Self.tagged())) == nil)
    }

    @Test(.requirement("5533-8-08"))
    func `The pointer of a Parameter Problem follows its octet, and one to the payload header is the shim's affair`()
        throws
    {
        func pointer(_ word: UInt32) throws -> [UInt8]? {
            try Self.translated(Self.error(4, 0, word: word, Self.tagged())).map { Array($0[4..<8]) }
        }
        #expect(try pointer(7) == [0, 0, 0, 7])
        #expect(try pointer(50) == [0, 0, 0, 42])
        for word in [6, 40, 44, 47] as [UInt32] { #expect(try pointer(word) == nil) }
    }

    @Test(.requirement("5533-8-10"))
    func `Extensions stay where the length says that they are`() throws {
        let data = Self.data + [UInt8](repeating: 0, count: 128 - 48 - Self.data.count)
        let extensions: [UInt8] = [0x20, 0, 0xab, 0xcd, 9, 9, 9, 9]
        let error = try Self.error(1, word: 16 << 24, Self.tagged(data: data) + extensions)
        let message = try #require(try Self.translated(error))
        #expect(message[4] == 16)
        #expect(message.count == 8 + 128 + extensions.count)
        #expect(message.suffix(extensions.count) == extensions[...])
        #expect(message[8..<128] == Self.plain(data: data)[..<120])
    }

    @Test func `What carries no whole payload header is no quote of ours`() {
        let control = Self.ipv6(Self.locators.source, Self.locators.destination, next: 140, [59, 1, 1, 0, 0, 0, 0, 0])
        for quote in [Self.plain(), control, Array(Self.tagged().prefix(47)), Array(Self.tagged().prefix(40)), []] {
            #expect(TaggedQuote(quote) == nil)
        }
        for length in 0..<Self.tagged([43, 9, 1, 4, 0, 0, 0, 0], next: 0).count {
            #expect(TaggedQuote(Array(Self.tagged([43, 9, 1, 4, 0, 0, 0, 0], next: 0).prefix(length))) == nil)
        }
    }
}
