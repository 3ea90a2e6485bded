import BPFDataPath
import Requirements
import Shim6Core
import Shim6Wire
import Testing

/// Several contexts for one ULID pair, each with its own locators and tags (RFC 5533, section 4.2).
@Suite(.needsRoot) struct ForkTests {
    private static let ways = [
        LocatorPair(source: Bench.a2, destination: Bench.b2), LocatorPair(source: Bench.a2, destination: Bench.b1),
        LocatorPair(source: Bench.a1, destination: Bench.b2),
    ]

    private static func fork(_ number: Int, _ flows: [Flow], outgoing: LocatorPair? = nil) -> DataPathEntry {
        let instance = UInt32(number + 1)
        return DataPathEntry(
            localTag: ContextTag(truncating: 0x1000 + UInt64(number)), peerTag: peerTag(number), slot: 4 + instance,
            ulids: Bench.ulids, outgoing: outgoing ?? ways[number], inbound: .deliver, forkedInstance: instance,
            flows: flows)
    }
    private static func peerTag(_ number: Int) -> ContextTag { ContextTag(truncating: 0x2000 + UInt64(number)) }

    private static func datagram(_ from: UInt16, _ to: UInt16) -> [UInt8] {
        let ports = [from, to].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
        return ports + Frame.udp()[4...]
    }
    /// Locators and tag of a packet out; nil if it has no payload header.
    private static func sent(
        _ bench: Bench, next: UInt8 = 17, _ payload: [UInt8]
    ) throws -> (pair: LocatorPair, tag: ContextTag)? {
        let out = try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: next, payload)
        guard out.packet[6] == 140 else { return nil }
        return (
            LocatorPair(
                source: try #require(IPv6Address(octets: out.packet[8..<24])),
                destination: try #require(IPv6Address(octets: out.packet[24..<40]))),
            try PayloadHeader(out.packet[40...]).tag
        )
    }

    @Test(.requirement("5533-4.2-02", "5533-12.4-09"))
    func `Each forked context takes its flows over its own locators and the rest stays with the default one`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            let forks = [
                Self.fork(0, [Flow(protocolNumber: 17, sourcePort: 1000, destinationPort: 9)]),
                Self.fork(1, [Flow(protocolNumber: 17, destinationPort: 9), Flow(protocolNumber: 6)]),
                Self.fork(2, [Flow(protocolNumber: 17, sourcePort: 1000)]),
            ]
            for fork in forks { try bench.program.install(fork) }
            func takes(_ number: Int, _ from: UInt16, _ to: UInt16, next: UInt8 = 17) throws -> Bool {
                let sent = try Self.sent(bench, next: next, Self.datagram(from, to))
                return sent?.pair == Self.ways[number] && sent?.tag == Self.peerTag(number)
            }
            #expect(try takes(0, 1000, 9))
            #expect(try takes(1, 1001, 9))
            #expect(try takes(1, 5, 6, next: 6))
            #expect(try takes(2, 1000, 10))
            #expect(try Self.sent(bench, Self.datagram(1001, 10)) == nil)
            #expect(try Self.sent(bench, next: 58, [128, 0, 0, 0, 0, 1, 0, 1]) == nil)
            // Fragments of UDP have no ports that all of them know.
            #expect(try Self.sent(bench, next: 44, [17, 0, 0, 1, 1, 2, 3, 4] + Self.datagram(1000, 9)) == nil)
            #expect(
                try Self.sent(bench, next: 44, [6, 0, 0, 1, 1, 2, 3, 4] + Self.datagram(1, 2))?.pair == Self.ways[1])
            // Each has its own stamps. What is not rehomed has them when it leaves by the uplink of its ULID.
            _ = try bench.run(
                .uplinkOut, Bench.a1, Bench.b1, next: 17, Self.datagram(1001, 10), on: bench.uplink1)
            for slot in [3, 5, 6, 7] as [UInt32] { #expect(bench.program.activity[slot].lastOut != nil) }
            try bench.program.remove(forks[0])
            #expect(try takes(2, 1000, 9) || takes(1, 1000, 9))
            try bench.program.remove(forks[1])
            try bench.program.remove(forks[2])
            #expect(try Self.sent(bench, Self.datagram(1000, 9)) == nil)
            #expect(try Self.sent(bench, next: 6, Self.datagram(5, 6)) == nil)
        }
    }

    @Test func `A forked context on the ULID pair tells itself by its tag`() throws {
        try Bench.run { bench in
            let ulids = LocatorPair(source: Bench.a1, destination: Bench.b1)
            try bench.program.install(Bench.entry())
            try bench.program.install(Self.fork(0, [Flow(protocolNumber: 17)], outgoing: ulids))
            let sent = try #require(try Self.sent(bench, Self.datagram(1, 2)))
            #expect(sent.pair == ulids && sent.tag == Self.peerTag(0))
        }
    }

    @Test(.requirement("5533-4.2-03"))
    func `A forked context that the peer made takes in its payload and no packets out`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            let fork = Self.fork(0, [])
            try bench.program.install(fork)
            #expect(try Self.sent(bench, Self.datagram(1, 2)) == nil)
            let restored = try bench.run(.uplinkIn, IncomingTests.tagged(fork.localTag))
            #expect(restored.packet == IncomingTests.restored)
            #expect(bench.program.activity[fork.slot].lastIn != nil)
            #expect(bench.stamps.lastIn == nil)
            // What the peer sends without a header is of the default context.
            _ = try bench.run(.uplinkIn, Bench.b1, Bench.a1, next: 17, Self.datagram(2, 1))
            #expect(bench.stamps.lastIn != nil)
        }
    }

    @Test func `Forked contexts outlive the default one, and other packets have none then`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            try bench.program.install(Self.fork(1, [Flow(protocolNumber: 17)]))
            try bench.program.remove(Bench.rehomed)
            #expect(try Self.sent(bench, Self.datagram(1, 2))?.tag == Self.peerTag(1))
            #expect(try Self.sent(bench, next: 6, Self.datagram(1, 2)) == nil)
            try bench.program.install(Bench.rehomed)
            #expect(try Self.sent(bench, next: 6, Self.datagram(1, 2))?.tag == Bench.peerTag)
            #expect(try Self.sent(bench, Self.datagram(1, 2))?.tag == Self.peerTag(1))
        }
    }
}
