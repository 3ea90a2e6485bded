import Netlink
import Requirements
import Shim6Wire
import Testing

@testable import Shim6Daemon

@Suite struct MessagesToTheHostTests {
    private static let i1: [UInt8] = [
        59, 1, 1, 0, 0x7c, 0x2f, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0x11, 0x22, 0x33, 0x44,
    ]
    private static let source = IPv6Address(high: 1, low: 2)
    private static let destination = IPv6Address(high: 3, low: 4)

    private static func problem(type: UInt8 = 4, code: UInt8 = 1, nextHeader: UInt8 = 140, quoting: [UInt8] = i1)
        -> ICMPv6Error
    {
        let header: [UInt8] = [0x60, 0, 0, 0, 0, 16, nextHeader, 64] + source.octets + destination.octets
        return ICMPv6Error(ICMPv6Error.Kind(rawValue: type), code: code, word: 6, quote: header + quoting)
    }

    @Test(.requirement("5533-7.8-07"))
    func `A Parameter Problem gives the message that it quotes and its addresses`() throws {
        let quoted = try #require(QuotedMessage(Self.problem()))
        #expect(quoted.octets == Self.i1)
        #expect(quoted.locators == LocatorPair(source: Self.source, destination: Self.destination))
    }

    @Test(
        .requirement("5533-7.8-07"),
        arguments: [problem(type: 1), problem(code: 0), problem(nextHeader: 17), problem(quoting: [])])
    func `Other errors, codes, next headers and quotes without a message give nothing`(_ error: ICMPv6Error) {
        #expect(QuotedMessage(error) == nil)
    }

    @Test func `A Packet Too Big carries the MTU in network order before the packet`() {
        #expect(ICMPv6Error.packetTooBig(mtu: 0x0102_0304, quoting: [9]).encoded == [2, 0, 0, 0, 1, 2, 3, 4, 9])
    }

    @Test func `An unreachable says that there is no route`() {
        #expect(ICMPv6Error.unreachable(quoting: [9]).encoded == [1, 0, 0, 0, 0, 0, 0, 0, 9])
    }
}
