import Shim6Core
import Shim6Wire
import Testing

@testable import DataPath

/// ICMPv6 errors about packets with a type 2 routing header and a Home Address option.
@Suite struct RehomedQuoteTests {
    private static let ulids = ULIDPair(local: IPv6Address(high: 1, low: 1), peer: IPv6Address(high: 2, low: 2))
    private static let locators = LocatorPair(
        source: IPv6Address(high: 3, low: 3), destination: IPv6Address(high: 4, low: 4))
    private static let data: [UInt8] = [0x12, 0x34, 0, 9, 0, 13, 0x0a, 0x26, 1, 2, 3, 4, 5]

    private static func ipv6(_ source: IPv6Address, _ destination: IPv6Address, next: UInt8, _ rest: [UInt8]) -> [UInt8]
    {
        [0x60, 0, 0, 0, 0, UInt8(rest.count), next, 64] + source.octets + destination.octets + rest
    }
    private static var rehomed: [UInt8] {
        let routing = [60, 2, 2, 1, 0, 0, 0, 0] + ulids.peer.octets
        let options = [17, 2, 1, 2, 0, 0, 201, 16] + ulids.local.octets
        return ipv6(locators.source, locators.destination, next: 43, routing + options + data)
    }
    private static func error(_ type: UInt8, word: UInt32 = 0) throws -> ICMPv6Error {
        let field = (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
        return try #require(ICMPv6Error([type, 4, 0, 0] + field + rehomed))
    }

    @Test func `The context is found by the ULIDs in the headers and the locator in front`() throws {
        let quote = try #require(RehomedQuote(Self.rehomed))
        #expect(quote.possibleULIDs.contains(Self.ulids))
        #expect(quote.source == Self.locators.source)
    }

    @Test func `The quote is of the packet as its socket sent it`() throws {
        let error = try Self.error(1)
        let message = try #require(RehomedQuote(error.quote)?.message(for: Self.ulids, error))
        let plain = Self.ipv6(Self.ulids.local, Self.ulids.peer, next: 17, Self.data)
        #expect(message.error.encoded == [1, 4, 0, 0, 0, 0, 0, 0] + plain)
        #expect(message.ulid == Self.ulids.local)
    }

    @Test(arguments: [(1500, 1452), (1400, 1352), (1327, 1280), (1280, 1280)])
    func `The MTU is lowered by the headers, as far as a stack takes it`(mtu: UInt32, told: UInt32) throws {
        let error = try Self.error(2, word: mtu)
        let message = try #require(RehomedQuote(error.quote)?.message(for: Self.ulids, error))
        #expect(message.error.encoded[4..<8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } == told)
        let lie = try Self.error(2, word: 1279)
        #expect(RehomedQuote(lie.quote)?.message(for: Self.ulids, lie) == nil)
    }

    @Test func `For XFRM an MTU is that of the path between the locators`() throws {
        let entry = DataPathEntry(
            localTag: ContextTag(truncating: 1), peerTag: ContextTag(truncating: 2), slot: 0, ulids: Self.ulids,
            outgoing: Self.locators, inbound: .deliver, form: .homeAddress)
        let error = try Self.error(2, word: 1400)
        let message = try #require(RehomedQuote(error.quote)?.message(for: entry, error))
        #expect(message.error.encoded[4..<8].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } == 1400)
        #expect(
            message.error.encoded[16..<48].elementsEqual(Self.locators.source.octets + Self.locators.destination.octets)
        )
    }

    @Test func `Anything else is no quote of ours`() {
        for length in 0..<88 { #expect(RehomedQuote(Array(Self.rehomed.prefix(length))) == nil) }
        for place in [6, 40, 42, 65, 70] {
            var octets = Self.rehomed
            octets[place] ^= 1
            #expect(RehomedQuote(octets) == nil, "octet \(place)")
        }
    }
}
