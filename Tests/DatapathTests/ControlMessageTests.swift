import Datapath
import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

/// Control messages come in untouched, if somebody reads them and there are not too many.
@Suite(.needsRoot) struct ControlMessageTests {
    static let i1 = Frame.hex("3b0101007c2f123456789abc11223344")
    static let keepalive = Frame.hex("3b014200d3347edcba98765400000000")
    static let keepaliveOfContext = Frame.hex("3b0142000000123456789abc00000000")
    /// Its beginning.
    static let i2 = Frame.hex("3b0303000000123456789abc11223344")

    /// Hosts in as many /48s.
    static func sites(_ count: Int) throws -> [IPv6Address] {
        try (0..<count).map { try #require(IPv6Address("2001:db8:\(String(0x1000 + $0, radix: 16))::1")) }
    }

    @Test(.requirement("5533-5.1-03", "5533-12-01"))
    func `A control message passes untouched and is no payload`() throws {
        try Bench.run { bench in
            try bench.datapath.install(Bench.entry())
            let frame = Frame.ipv6(Bench.b1, Bench.a1, next: 140, Self.keepalive)
            #expect(try bench.run(.uplinkIn, frame) == (.unspecified, [UInt8](frame.dropFirst(14))))
            #expect(bench.stamps.lastIn == nil)
        }
    }

    @Test func `Without a heartbeat control messages are dropped, since the kernel would answer for us`() throws {
        try Bench.run { bench in
            try bench.datapath.install(Bench.entry())
            let now = Bench.now
            let frame = Frame.ipv6(Bench.b1, Bench.a1, next: 140, Self.keepalive)
            bench.datapath.beat(at: Instant(nanoseconds: now.nanoseconds - 2_500_000_000))
            #expect(try bench.run(.uplinkIn, frame).verdict == .drop)
            #expect(try bench.count(.noHeartbeat) == 1)
            // Rehomed payload needs no daemon.
            #expect(try bench.run(.uplinkIn, IncomingTests.tagged()).packet == IncomingTests.restored)
            // What is only forwarded is none of our business.
            let other = try #require(IPv6Address("2001:db8:c::1"))
            #expect(try bench.run(.uplinkIn, Bench.b1, other, next: 140, Self.keepalive).verdict == .unspecified)
            bench.datapath.beat(at: Bench.now)
            #expect(try bench.run(.uplinkIn, frame).verdict == .unspecified)
        }
    }

    @Test func `I1 messages are limited by the site they come from, other messages are not`() throws {
        try Bench.run { bench in
            bench.datapath.settings.i1 = .init(perSecond: 1, burst: 3)
            let sources = try (0..<10).map { try #require(IPv6Address("2001:db8:b1:\($0)::1")) }
            #expect(try bench.passing(Self.i1, from: sources) == 3)
            #expect(try bench.count(.i1Rate) == 7)
            #expect(try bench.passes(Self.i1, from: Bench.b2))
            #expect(try bench.passing(Self.keepalive, from: Array(repeating: Bench.b1, count: 10)) == 10)
        }
    }

    @Test func `I1 messages of strangers share a limit, those of hosts that this one has a session with do not`() throws
    {
        try Bench.run { bench in
            bench.datapath.settings.strangersI1 = .init(perSecond: 1, burst: 3)
            #expect((3...4).contains(try bench.passing(Self.i1, from: Self.sites(20))))
            #expect(try bench.count(.strangersI1Rate) >= 16)
            #expect(try !bench.passes(Self.i1, from: Bench.b2))
            // What goes out alone, to a forged source perhaps, is no session.
            _ = try bench.run(.uplinkOut, Bench.a1, Bench.b2, next: 17, Frame.udp())
            #expect(try !bench.passes(Self.i1, from: Bench.b2))
            _ = try bench.run(.uplinkIn, Bench.b2, Bench.a1, next: 17, Frame.udp())
            #expect(try bench.passes(Self.i1, from: Bench.b2))
            try bench.datapath.install(Bench.entry())
            #expect(try bench.passes(Self.i1, from: Bench.b1))
        }
    }

    @Test func `An I1 from another locator is no stranger's if its ULIDs are those of a session`() throws {
        try Bench.run { bench in
            bench.datapath.settings.strangersI1 = .init(perSecond: 1, burst: 3)
            try bench.datapath.install(Bench.entry())
            _ = try bench.passing(Self.i1, from: Self.sites(20))
            let option: [UInt8] = [0, 6 << 1 | 1, 0, 36, 0, 0, 0, 0]
            #expect(try bench.passes(Self.i1 + option + Bench.b1.octets + Bench.a1.octets, from: Bench.b2))
            #expect(try !bench.passes(Self.i1 + option + Bench.b2.octets + Bench.a1.octets, from: Bench.b2))
            #expect(try !bench.passes(Self.i1 + option + Bench.a1.octets + Bench.b1.octets, from: Bench.b2))
            #expect(try !bench.passes(Self.i1 + option, from: Bench.b2))
        }
    }

    @Test func `A flood with sources of a peer's own site takes nothing from the peer`() throws {
        try Bench.run { bench in
            bench.datapath.settings.i1 = .init(perSecond: 1, burst: 3)
            try bench.datapath.install(Bench.entry())
            let sources = try (1..<11).map { try #require(IPv6Address("2001:db8:b1:\($0)::1")) }
            #expect(try bench.passing(Self.i1, from: sources) == 3)
            #expect((3...4).contains(try bench.passing(Self.i1, from: Array(repeating: Bench.b1, count: 10))))
        }
    }

    @Test(arguments: [ControlMessageTests.i1, ControlMessageTests.i2])
    func `Strangers wait until the daemon has read what has come in, others do not`(_ message: [UInt8]) throws {
        try Bench.run { bench in
            bench.datapath.settings.strangersI1 = .init(perSecond: 0, burst: 0)
            bench.datapath.settings.strangers = .init(perSecond: 0, burst: 0)
            try bench.datapath.install(Bench.entry())
            #expect(try bench.passing(message, from: Self.sites(300)) == 256)
            #expect(try bench.passes(message == Self.i1 ? Self.i2 : Self.i1, from: Bench.b2))
            #expect(try bench.passes(message, from: Bench.b1))
            bench.datapath.haveReadAll()
            #expect(try bench.passing(message, from: Self.sites(300)) == 256)
        }
    }

    @Test func `Other messages of strangers share a limit, those with the tag of a context do not`() throws {
        try Bench.run { bench in
            bench.datapath.settings.strangers = .init(perSecond: 1, burst: 3)
            try bench.datapath.install(Bench.entry())
            #expect((3...4).contains(try bench.passing(Self.i2 + Self.keepalive, from: Self.sites(20))))
            #expect(try bench.count(.strangersRate) >= 16)
            #expect(try !bench.passes(Self.keepalive, from: Bench.b2))
            #expect(try bench.passes(Self.keepaliveOfContext, from: Bench.b2))
            #expect(try bench.passes(Self.i2, from: Bench.b1))
            // An initiator's tag is no proof of anything.
            var forged = Self.keepaliveOfContext
            forged[2] = 3
            #expect(try !bench.passes(forged, from: Bench.b2))
            #expect(try bench.passes(Self.i1, from: Bench.b2))
        }
    }

    @Test func `No control message gets around its limit in fragments or behind many headers`() throws {
        try Bench.run { bench in
            let nothing: [UInt8] = [0, 1, 4, 0, 0, 0, 0]
            func fragment(_ next: UInt8, at offset: UInt8 = 0) -> [UInt8] { [next, 0, 0, offset, 1, 2, 3, 4] }
            func verdict(_ next: UInt8, _ payload: [UInt8], to target: IPv6Address = Bench.a1) throws -> Verdict? {
                try bench.run(.uplinkIn, Bench.b1, target, next: next, payload).verdict
            }
            let behindOptions = [140] + nothing + Self.i1
            let behindMany = (0..<9).flatMap { _ in [60] + nothing } + behindOptions
            let other = try #require(IPv6Address("2001:db8:c::1"))
            let hidden =
                [
                    (44, fragment(140) + Self.i1), (44, fragment(60) + behindOptions), (44, fragment(60) + behindMany),
                    (60, behindMany), (60, [44] + nothing + fragment(140, at: 1) + Self.i1),
                ] as [(UInt8, [UInt8])]
            for (next, payload) in hidden {
                #expect(try verdict(next, payload) == .drop)
                #expect(try verdict(next, payload, to: other) == .unspecified)
            }
            #expect(try bench.count(.malformed) == UInt64(hidden.count))
            #expect(try verdict(44, fragment(140, at: 8) + Self.i1) == .unspecified)
            #expect(try verdict(44, fragment(17) + Frame.udp()) == .unspecified)
            #expect(try verdict(44, fragment(60) + [17] + nothing + Frame.udp()) == .unspecified)
        }
    }

    @Test func `The kernel's denial of Shim6 never leaves the host, other problems do`() throws {
        try Bench.run { bench in
            let i1 = [UInt8](Frame.ipv6(Bench.b1, Bench.a1, next: 140, Self.i1).dropFirst(14))
            let problem: [UInt8] = [4, 1, 0, 0, 0, 0, 0, 6]
            #expect(try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 58, problem + i1).verdict == .drop)
            #expect(try bench.count(.denial) == 1)
            var other = i1
            other[6] = 139
            for (start, quote) in [(problem, other), ([4, 0] + problem[2...], i1), ([1, 1] + problem[2...], i1)] {
                let passed = try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 58, start + quote)
                #expect(passed.verdict == .unspecified)
            }
        }
    }

    @Test func `A flood from many sites evicts old limits and still passes what is new`() throws {
        try Bench.run { bench in
            bench.datapath.settings.strangersI1 = .init(perSecond: 0, burst: 0)
            for source in try Self.sites(1000) {
                #expect(try bench.passes(Self.i1, from: source))
                bench.datapath.haveReadAll()
            }
        }
    }
}

extension Bench {
    /// Whether a control message to A1 gets to the daemon.
    fileprivate func passes(_ message: [UInt8], from source: IPv6Address) throws -> Bool {
        try run(.uplinkIn, source, Self.a1, next: 140, message).verdict == .unspecified
    }

    /// How many of a message from each of these do.
    fileprivate func passing(_ message: [UInt8], from sources: [IPv6Address]) throws -> Int {
        try sources.count { try passes(message, from: $0) }
    }
}
