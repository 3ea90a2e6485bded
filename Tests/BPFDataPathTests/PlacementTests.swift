import BPFDataPath
import Requirements
import Shim6Core
import Shim6Wire
import Testing

/// Where the payload header stands among extension headers.
@Suite(.needsRoot) struct PlacementTests {
    /// An extension header with recognisable content; its first octet is set when it is put into a chain.
    struct Header: Sendable, CustomStringConvertible {
        var kind: UInt8
        var octets: [UInt8]
        var description: String { "\(kind)(\(octets.count))" }

        static let hopByHop = Header(kind: 0, octets: [0, 0, 5, 2, 0, 0, 1, 0])
        static let longHopByHop = Header(kind: 0, octets: [0, 2, 1, 20] + [UInt8](1...20))
        static let options = Header(kind: 60, octets: [0, 1, 1, 12] + [UInt8](101...112))
        static let routing = Header(kind: 43, octets: [0, 2, 4, 0] + [UInt8](repeating: 7, count: 20))
        static let fragment = Header(kind: 44, octets: [0, 0, 0, 1, 0xca, 0xfe, 0xba, 0xbe])
    }
    struct Chain: Sendable, CustomStringConvertible {
        var before: [Header]
        var behind: [Header]
        var description: String { "\(before) | \(behind)" }
    }
    static let chains = [
        Chain(before: [.hopByHop], behind: []),
        Chain(before: [.longHopByHop, .routing], behind: [.fragment]),
        Chain(before: [.options, .routing], behind: []),
        Chain(before: [.hopByHop, .options, .routing], behind: [.options]),
        Chain(before: [.routing], behind: [.options]),
        Chain(before: [], behind: [.options]),
        Chain(before: [], behind: [.fragment]),
        Chain(before: [], behind: [.fragment, .options]),
        Chain(before: [.hopByHop], behind: [.fragment]),
    ]

    /// The frame of a chain of headers in front of UDP.
    static func frame(_ source: IPv6Address, _ destination: IPv6Address, _ headers: [Header]) -> [UInt8] {
        var payload: [UInt8] = []
        for (index, header) in headers.enumerated() {
            payload.append(index + 1 < headers.count ? headers[index + 1].kind : 17)
            payload += header.octets.dropFirst()
        }
        return Frame.ipv6(source, destination, next: headers.first?.kind ?? 17, payload + Frame.udp())
    }

    static func payloadHeader(_ tag: ContextTag) -> Header {
        Header(kind: 140, octets: Frame.payloadHeader(next: 0, tag: tag.rawValue))
    }

    @Test(.requirement("5533-11.1-03", "5533-4.6-01", "5533-5.2-03"), arguments: chains)
    func `The payload header goes behind routing and in front of everything else`(chain: Chain) throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            let plain = Self.frame(Bench.a1, Bench.b1, chain.before + chain.behind)
            let tagged = Self.frame(
                Bench.a2, Bench.b2, chain.before + [Self.payloadHeader(Bench.peerTag)] + chain.behind)
            let out = try bench.run(.uplinkOut, plain)
            #expect(out.verdict == .redirect)
            #expect(out.packet == [UInt8](tagged.dropFirst(14)))
        }
    }

    @Test(.requirement("5533-4.6-03", "5533-12-02", "5533-12.2-07", "5533-12.2-09"), arguments: chains)
    func `The payload header is taken out wherever it stands`(chain: Chain) throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            let tagged = Self.frame(
                Bench.b2, Bench.a2, chain.before + [Self.payloadHeader(Bench.localTag)] + chain.behind)
            let plain = Self.frame(Bench.b1, Bench.a1, chain.before + chain.behind)
            let restored = try bench.run(.uplinkIn, tagged)
            #expect(restored.verdict == .redirect)
            #expect(restored.packet == [UInt8](plain.dropFirst(14)))
        }
    }

    @Test(.requirement("5533-4.6-03"))
    func `A payload header behind Destination Options is understood, though nobody should send it so`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            let tagged = Self.frame(Bench.b2, Bench.a2, [.options, Self.payloadHeader(Bench.localTag)])
            let restored = try bench.run(.uplinkIn, tagged)
            #expect(restored.packet == [UInt8](Self.frame(Bench.b1, Bench.a1, [.options]).dropFirst(14)))
        }
    }

    @Test func `A packet with segments left in its routing header is still on its way and not touched`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            var routing = Header.routing
            routing.octets[3] = 1
            let frame = Self.frame(Bench.b2, Bench.a2, [routing, Self.payloadHeader(Bench.localTag)])
            #expect(try bench.run(.uplinkIn, frame) == (.unspecified, [UInt8](frame.dropFirst(14))))
        }
    }

    @Test func `More headers in front than the program moves make a drop, not a wrong packet`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            let long = Header(kind: 0, octets: [0, 64] + [UInt8](repeating: 0, count: 8 * 65 - 2))
            #expect(try bench.run(.uplinkOut, Self.frame(Bench.a1, Bench.b1, [long])).verdict == .drop)
            let longest = Header(kind: 0, octets: [0, 63] + [UInt8](repeating: 9, count: 8 * 64 - 2))
            let out = try bench.run(.uplinkOut, Self.frame(Bench.a1, Bench.b1, [longest]))
            let expected = Self.frame(Bench.a2, Bench.b2, [longest, Self.payloadHeader(Bench.peerTag)])
            #expect(out.packet == [UInt8](expected.dropFirst(14)))
            #expect(try bench.count(.unchangeable) == 1)
        }
    }
}
