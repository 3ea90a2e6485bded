import BPFDataPath
import Requirements
import Shim6Core
import Shim6Wire
import SpecialAddresses
import Testing

@Suite(.needsRoot) struct IncomingTests {
    /// From B2 to A2 with A's tag.
    static func tagged(
        _ tag: ContextTag = Bench.localTag, from source: IPv6Address = Bench.b2, to destination: IPv6Address = Bench.a2,
        _ data: [UInt8] = Frame.udp()
    ) -> [UInt8] {
        Frame.ipv6(source, destination, next: 140, Frame.payloadHeader(next: 17, tag: tag.rawValue) + data)
    }
    static let restored = [UInt8](Frame.ipv6(Bench.b1, Bench.a1, next: 17, Frame.udp()).dropFirst(14))

    @Test(.requirement("5533-12.2-01", "5533-12.2-03", "5533-12.2-07", "5533-1.6-05", "5533-5.2-02"))
    func `The worked packet gets its ULIDs back octet for octet`() throws {
        // Host B's side of packet 5.7.
        try Bench.run { bench in
            for address in [Bench.a1, Bench.a2] { try bench.program.remove(locator: address) }
            try bench.program.set(locator: Bench.b1, uplink: bench.uplink1)
            try bench.program.set(locator: Bench.b2, uplink: bench.uplink2)
            var entry = Bench.entry()
            entry.ulids = ULIDPair(local: Bench.b1, peer: Bench.a1)
            entry.localTag = Bench.peerTag
            entry.peerTag = Bench.localTag
            entry.outgoing = LocatorPair(source: Bench.b1, destination: Bench.a1)
            try bench.program.install(entry)
            let result = try bench.run(.uplinkIn, Frame.ethernet + OutgoingTests.tagged)
            #expect(result.packet == OutgoingTests.plain)
            // Through the veth pair, to be merged with its neighbours.
            #expect(result.verdict == .redirect)
            #expect(try bench.count(.restored) == 1)
        }
    }

    @Test(.requirement("5533-12.2-08", "5533-12.4-05"))
    func `Any locators will do as long as the tag is known`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            let stranger = try #require(IPv6Address("2001:db8:dead::1"))
            #expect(try bench.run(.uplinkIn, Self.tagged(from: stranger)).packet == Self.restored)
        }
    }

    @Test func `What comes out of shim0 goes on to an uplink, whatever it is, and never stays there`() throws {
        try Bench.run { bench in
            func appears(_ frame: [UInt8]) throws -> Bool {
                let result = try bench.run(.appear, frame)
                return result == (.redirect, [UInt8](frame.dropFirst(14)))
            }
            let long = PlacementTests.frame(
                Bench.b1, Bench.a1, Array(repeating: PlacementTests.Header.options, count: 9))
            for frame in [Frame.ethernet + Self.restored, long] {
                #expect(try appears(frame))
                try bench.program.install(Bench.entry())
                #expect(try appears(frame))
                try bench.program.install(Bench.rehomed)
                #expect(try appears(frame))
                try bench.program.set(locator: Bench.a2, uplink: nil)
                #expect(try appears(frame))
                try bench.program.set(locator: Bench.a1, uplink: nil)
                #expect(try appears(frame))
                try bench.program.remove(Bench.entry())
                #expect(try appears(frame))
                try bench.program.set(locator: Bench.a1, uplink: bench.uplink1)
                try bench.program.set(locator: Bench.a2, uplink: bench.uplink2)
            }
        }
    }

    @Test(.requirement("5533-12.1-01", "5534-6.1-01", "5534-6.2-01", "5534-6-06"))
    func `A plain packet of a context is stamped and passes`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            bench.stamps.sendStart = Bench.now
            let frame = Frame.ipv6(Bench.b1, Bench.a1, next: 17, Frame.udp())
            #expect(try bench.run(.uplinkIn, frame) == (.unspecified, Self.restored))
            let first = try #require(bench.stamps.lastIn)
            #expect(bench.stamps.sendStart == nil)
            #expect(bench.stamps.keepStart == first)
            // A running Keepalive Timer keeps its start.
            Bench.passTick()
            _ = try bench.run(.uplinkIn, frame)
            #expect(try #require(bench.stamps.lastIn) > first)
            #expect(bench.stamps.keepStart == first)
            // Payload out stops it and starts the Send Timer, which further payload out leaves alone.
            _ = try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 17, Frame.udp())
            let started = try #require(bench.stamps.sendStart)
            #expect(bench.stamps.keepStart == nil)
            Bench.passTick()
            _ = try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 17, Frame.udp())
            #expect(bench.stamps.sendStart == started)
            #expect(try #require(bench.stamps.lastOut) > started)
        }
    }

    @Test func `The locators of the last packet in are remembered, with and without payload header`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            #expect(bench.stamps.incoming == nil)
            _ = try bench.run(.uplinkIn, Self.tagged())
            #expect(bench.stamps.incoming == LocatorPair(source: Bench.b2, destination: Bench.a2))
            _ = try bench.run(.uplinkIn, Frame.ipv6(Bench.b1, Bench.a1, next: 17, Frame.udp()))
            #expect(bench.stamps.incoming == LocatorPair(source: Bench.b1, destination: Bench.a1))
            bench.program.activity.clear(slot: Bench.entry().slot)
            #expect(bench.stamps.incoming == nil)
        }
    }

    @Test func `A plain packet of a context comes in where the way back leaves`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            let frame = Frame.ipv6(Bench.b1, Bench.a1, next: 17, Frame.udp())
            #expect(try bench.run(.uplinkIn, frame) == (.redirect, Self.restored))
            // The loopback stands for the uplink, since it takes the frames of the tests for its own.
            try bench.program.set(locator: Bench.a2, uplink: 1)
            #expect(try bench.run(.uplinkIn, frame) == (.unspecified, Self.restored))
            // Without an uplink to leave by it stays where it came in.
            try bench.program.set(locator: Bench.a2, uplink: nil)
            #expect(try bench.run(.uplinkIn, frame) == (.unspecified, Self.restored))
        }
    }

    @Test func `Reports of unknown tags are limited for all sites together`() throws {
        try Bench.run { bench in
            bench.program.settings.unknownTags = .init(perSecond: 1, burst: 3)
            for source in try ControlMessageTests.sites(20) {
                let payload = Frame.payloadHeader(next: 17, tag: 77) + Frame.udp()
                #expect(try bench.run(.uplinkIn, source, Bench.a2, next: 140, payload).verdict == .drop)
            }
            #expect((3...4).contains(try bench.program.takeEvents().count))
            #expect(try bench.count(.unknownTag) == 20)
        }
    }

    @Test func `Payload with an unknown tag is dropped and reported at a bounded rate`() throws {
        try Bench.run { bench in
            var settings = bench.program.settings
            settings.unknownTag = .init(perSecond: 1, burst: 2)
            bench.program.settings = settings
            try bench.program.install(Bench.entry())
            let tag = ContextTag(truncating: 0x4242)
            for _ in 0..<5 { #expect(try bench.run(.uplinkIn, Self.tagged(tag)).verdict == .drop) }
            let report = KernelProgramEvent.unknownTag(tag, LocatorPair(source: Bench.b2, destination: Bench.a2))
            #expect(try bench.program.takeEvents() == [report, report])
            // Another site has a budget of its own.
            let other = try #require(IPv6Address("2001:db8:ffff::1"))
            _ = try bench.run(.uplinkIn, Self.tagged(tag, from: other))
            #expect(try bench.program.takeEvents().count == 1)
            #expect(try bench.count(.unknownTag) == 6)
            #expect(bench.stamps.lastIn == nil)
        }
    }

    @Test(.requirement("5533-12.2-04"))
    func `Payload of a context in mode discard is dropped and counts as no traffic`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry(inbound: .discard))
            #expect(try bench.run(.uplinkIn, Self.tagged()).verdict == .drop)
            #expect(try bench.count(.discardMode) == 1)
            #expect(bench.stamps.lastIn == nil)
        }
    }

    @Test(.requirement("5533-12.2-05"))
    func `Payload that arrives before the handshake ends is delivered and reported`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry(inbound: .deliverAndNotify))
            for _ in 0..<3 { #expect(try bench.run(.uplinkIn, Self.tagged()).packet == Self.restored) }
            #expect(try bench.program.takeEvents() == [.payload(Bench.localTag)])
            try bench.program.install(Bench.entry())
            #expect(try bench.run(.uplinkIn, Self.tagged()).packet == Self.restored)
            #expect(try bench.program.takeEvents().isEmpty)
        }
    }

    @Test(.requirement("5533-5.2-05"))
    func `A payload header of another length is dropped`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            var frame = Self.tagged()
            frame[14 + 40 + 1] = 1
            #expect(try bench.run(.uplinkIn, frame).verdict == .drop)
            #expect(try bench.count(.malformed) == 1)
        }
    }

    @Test func `Payload headers that cannot be right are dropped and counted`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            // Cut short in the middle of the header.
            #expect(try bench.run(.uplinkIn, [UInt8](Self.tagged().prefix(14 + 44))).verdict == .drop)
            // The IPv6 header says that there is less than a header.
            var short = Self.tagged()
            short[14 + 5] = 7
            #expect(try bench.run(.uplinkIn, short).verdict == .drop)
            // Shim6 inside Shim6.
            var nested = Self.tagged()
            nested[14 + 40] = 140
            #expect(try bench.run(.uplinkIn, nested).verdict == .drop)
            #expect(try bench.count(.malformed) == 3)
            #expect(bench.stamps.lastIn == nil)
        }
    }

    @Test(arguments: SpecialAddresses.blocks)
    func `Payload is taken from addresses that can be locators and from no others`(_ block: SpecialAddresses.Block)
        throws
    {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            for (number, source) in block.ends.enumerated() {
                let isTaken = try bench.run(.uplinkIn, Self.tagged(from: source)).verdict != .drop
                #expect(isTaken == block.canBeLocator, "\(source)")
                #expect(try bench.count(.badAddress) == (block.canBeLocator ? 0 : UInt64(number) + 1))
            }
        }
    }

    @Test func `Shim6 packets for an address that is not ours are left alone`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            let other = try bench.forwardedAddress()
            let frame = Self.tagged(ContextTag(truncating: 0x4242), to: other)
            #expect(try bench.run(.uplinkIn, frame) == (.unspecified, [UInt8](frame.dropFirst(14))))
        }
    }

    @Test func `No arrangement of octets gets anything but a verdict`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            var generator = SplitMix(state: 5533)
            let seeds =
                PlacementTests.chains.map {
                    PlacementTests.frame(Bench.b2, Bench.a2, $0.before + [PlacementTests.payloadHeader(Bench.localTag)])
                } + PlacementTests.chains.map { PlacementTests.frame(Bench.a1, Bench.b1, $0.before + $0.behind) }
            for round in 0..<4000 {
                var frame = seeds[round % seeds.count]
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    frame[Int.random(in: 14..<frame.count, using: &generator)] = .random(in: 0...255, using: &generator)
                }
                frame = [UInt8](frame.prefix(Int.random(in: 54...frame.count, using: &generator)))
                for part in [KernelProgramPart.uplinkIn, .uplinkOut, .steer, .segment, .appear] {
                    let result = try bench.program.run(part, on: 1, frame: frame)
                    #expect(result.verdict != nil)
                    #expect(abs(result.frame.count - frame.count) <= 8 || result.verdict == .drop)
                }
            }
        }
    }
}

/// A small generator with a seed, so that a failure repeats.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
