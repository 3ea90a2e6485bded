import BPFDataPath
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

    /// From some locator, about the session between these (RFC 5533, section 5.15.6).
    static func i1(about sender: IPv6Address, _ receiver: IPv6Address) -> [UInt8] {
        i1 + [0, 6 << 1 | 1, 0, 36, 0, 0, 0, 0] + sender.octets + receiver.octets
    }

    @Test(.requirement("5533-5.1-03", "5533-12-01"))
    func `A control message passes untouched and is no payload`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            let frame = Frame.ipv6(Bench.b1, Bench.a1, next: 140, Self.keepalive)
            #expect(try bench.run(.uplinkIn, frame) == (.unspecified, [UInt8](frame.dropFirst(14))))
            #expect(bench.stamps.lastIn == nil)
        }
    }

    @Test func `Without a heartbeat control messages are dropped, since the kernel would answer for us`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            let now = Bench.now
            let frame = Frame.ipv6(Bench.b1, Bench.a1, next: 140, Self.keepalive)
            bench.program.beat(at: Instant(nanoseconds: now.nanoseconds - 2_500_000_000))
            #expect(try bench.run(.uplinkIn, frame).verdict == .drop)
            #expect(try bench.count(.noHeartbeat) == 1)
            // Rehomed payload needs no daemon.
            #expect(try bench.run(.uplinkIn, IncomingTests.tagged()).packet == IncomingTests.restored)
            // What is only forwarded is none of our business.
            let other = try bench.forwardedAddress()
            #expect(try bench.run(.uplinkIn, Bench.b1, other, next: 140, Self.keepalive).verdict == .unspecified)
            bench.program.beat(at: Bench.now)
            #expect(try bench.run(.uplinkIn, frame).verdict == .unspecified)
        }
    }

    @Test(arguments: [(ControlMessageTests.i1, KernelProgramCounter.i1Rate), (ControlMessageTests.i2, .otherRate)])
    func `Messages of strangers are limited by the site they come from`(
        _ message: [UInt8], counter: KernelProgramCounter
    ) throws {
        try Bench.run { bench in
            bench.program.settings.strangersSite = .init(perSecond: 1, burst: 3)
            let sources = try (0..<10).map { try #require(IPv6Address("2001:db8:b1:\($0)::1")) }
            #expect((3...4).contains(try bench.passing(message, from: sources)))
            #expect(try bench.count(counter) >= 6)
            // Neither other sites nor messages of another kind have less for it.
            #expect(try bench.passes(message, from: Bench.b2))
            #expect(try bench.passes(message == Self.i1 ? Self.i2 : Self.i1, from: Bench.b1))
        }
    }

    @Test(arguments: [ControlMessageTests.i1, ControlMessageTests.i2])
    func `A site that sends all it can leaves the others what they need, and 500 hosts of one are served`(
        _ message: [UInt8]
    ) throws {
        try Bench.run { bench in
            let flood = try (0..<20_000).map { try #require(IPv6Address("2001:db8:bad:\($0 & 0xfff)::1")) }
            let honest = try (0..<20).map { try #require(IPv6Address("2001:db8:\(4000 + $0)::1")) }
            var (passed, served) = (0, 0)
            for (index, source) in flood.enumerated() {
                if try bench.passes(message, from: source) { passed += 1 }
                if index % 1000 == 999, try bench.passes(message, from: honest[index / 1000]) { served += 1 }
                bench.program.haveReadAll()
            }
            #expect(served == 20)
            // At once, and what comes to that while the test runs.
            #expect(passed >= 500 && passed < 5000)
            let site = try (0..<500).map { try #require(IPv6Address("2001:db8:c:\($0)::1")) }
            #expect(try bench.passing(message, from: site) == 500)
        }
    }

    @Test func `I1 messages of strangers share a limit, those of hosts that this one has a session with do not`() throws
    {
        try Bench.run { bench in
            bench.program.settings.strangersI1 = .init(perSecond: 1, burst: 3)
            #expect((3...4).contains(try bench.passing(Self.i1, from: Self.sites(20))))
            #expect(try bench.count(.strangersI1Rate) >= 16)
            #expect(try !bench.passes(Self.i1, from: Bench.b2))
            // What goes out alone, to a forged source perhaps, is no session.
            _ = try bench.run(.uplinkOut, Bench.a1, Bench.b2, next: 17, Frame.udp())
            #expect(try !bench.passes(Self.i1, from: Bench.b2))
            _ = try bench.run(.uplinkIn, Bench.b2, Bench.a1, next: 17, Frame.udp())
            #expect(try bench.passes(Self.i1, from: Bench.b2))
            try bench.program.install(Bench.entry())
            #expect(try bench.passes(Self.i1, from: Bench.b1))
        }
    }

    @Test func `An I1 from another locator is no stranger's if its ULIDs are those of a session`() throws {
        try Bench.run { bench in
            bench.program.settings.strangersI1 = .init(perSecond: 1, burst: 3)
            try bench.program.install(Bench.entry())
            _ = try bench.passing(Self.i1, from: Self.sites(20))
            #expect(try bench.passes(Self.i1(about: Bench.b1, Bench.a1), from: Bench.b2))
            #expect(try !bench.passes(Self.i1(about: Bench.b2, Bench.a1), from: Bench.b2))
            #expect(try !bench.passes(Self.i1(about: Bench.a1, Bench.b1), from: Bench.b2))
            #expect(try !bench.passes([UInt8](Self.i1(about: Bench.b1, Bench.a1).prefix(24)), from: Bench.b2))
            // What a frame has behind the packet is no part of it.
            var frame = Frame.ipv6(Bench.b2, Bench.a1, next: 140, Self.i1(about: Bench.b1, Bench.a1))
            frame[19] = 16
            #expect(try bench.run(.uplinkIn, frame).verdict == .drop)
        }
    }

    @Test func `I1s that name one session are limited together, and those of its peer come through beside them`() throws
    {
        try Bench.run { bench in
            var entry = Bench.entry()
            entry.peerLocators = [Bench.b1, Bench.b2]
            try bench.program.install(entry)
            bench.program.settings.pair = .init(perSecond: 1, burst: 3)
            let i1 = Self.i1(about: Bench.b1, Bench.a1)
            #expect((3...4).contains(try bench.passing(i1, from: Self.sites(200))))
            #expect(try bench.count(.i1Rate) >= 196)
            #expect(try bench.passes(i1, from: Bench.b1))
            #expect(try bench.passes(Self.i1, from: Bench.b1))
            #expect(try bench.passes(i1, from: Bench.b2))
            // Each of these is limited as well.
            #expect((2...3).contains(try bench.passing(i1, from: Array(repeating: Bench.b2, count: 50))))
            // A locator that is the peer's no more is a stranger's.
            entry.peerLocators = [Bench.b1]
            try bench.program.install(entry)
            try bench.program.install(Bench.entry(slot: 4))
            #expect(try !bench.passes(i1, from: Bench.b2))
            entry.peerLocators = [Bench.b1, Bench.b2]
            try bench.program.install(entry)
            #expect(bench.program.peerLocatorCount == 2)
            try bench.program.remove(entry)
            #expect(bench.program.peerLocatorCount == 0)
        }
    }

    @Test func `I1s that name a session count with the others of their site`() throws {
        try Bench.run { bench in
            bench.program.settings.strangersSite = .init(perSecond: 1, burst: 3)
            try bench.program.install(Bench.entry())
            let i1 = Self.i1(about: Bench.b1, Bench.a1)
            let sources = try (0..<10).map { try #require(IPv6Address("2001:db8:bad:\($0)::1")) }
            #expect((3...4).contains(try bench.passing(i1, from: sources)))
            #expect(try !bench.passes(Self.i1, from: sources[0]))
            #expect(try bench.passes(i1, from: Bench.b2))
        }
    }

    @Test func `Hosts with a session are limited one by one, by site, and all together`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            _ = try bench.run(.uplinkOut, Bench.a1, Bench.b2, next: 17, Frame.udp())
            _ = try bench.run(.uplinkIn, Bench.b2, Bench.a1, next: 17, Frame.udp())
            bench.program.settings.pair = .init(perSecond: 1, burst: 3)
            for message in [Self.i1, Self.i2] {
                #expect((3...4).contains(try bench.passing(message, from: Array(repeating: Bench.b1, count: 10))))
                #expect(try bench.passes(message, from: Bench.b2))
            }
            bench.program.settings.pair = .init(perSecond: 0, burst: 0)
            bench.program.settings.acquaintedSite = .init(perSecond: 1, burst: 3)
            _ = try bench.passing(Self.i1, from: Array(repeating: Bench.b1, count: 10))
            #expect(try !bench.passes(Self.i2, from: Bench.b1))
            #expect(try bench.passes(Self.i2, from: Bench.b2))
            bench.program.settings.acquaintedSite = .init(perSecond: 0, burst: 0)
            bench.program.settings.acquainted = .init(perSecond: 1, burst: 3)
            _ = try bench.passing(Self.i1, from: Array(repeating: Bench.b1, count: 10))
            #expect(try !bench.passes(Self.i2, from: Bench.b2))
            #expect(try bench.count(.acquaintedRate) > 0)
            // Strangers, and whoever names a context, have room of their own.
            #expect(try bench.passes(Self.i1, from: Self.sites(1)[0]))
            #expect(try bench.passes(Self.keepaliveOfContext, from: Bench.b1))
        }
    }

    @Test func `Shim6 from outside with an address of this host as its source is dropped`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            for message in [Self.i1, Self.i2, Self.keepaliveOfContext] {
                #expect(try !bench.passes(message, from: Bench.a2))
            }
            let payload = Frame.payloadHeader(next: 17, tag: 0x1234_5678_9abc) + Frame.udp()
            #expect(try bench.run(.uplinkIn, Bench.a2, Bench.a1, next: 140, payload).verdict == .drop)
            #expect(try bench.count(.ownSource) == 4)
            #expect(bench.stamps.lastIn == nil)
        }
    }

    @Test func `Shim6 to any address of this host is limited, whatever frame it comes in`() throws {
        try Bench.run { bench in
            bench.program.settings.strangersSite = .init(perSecond: 1, burst: 3)
            try PrivateNetwork.ip("link set lo up")
            try PrivateNetwork.ip("addr add 2001:db8:d::1/128 dev lo nodad")
            let other = try #require(IPv6Address("2001:db8:d::1"))
            let forwarded = try bench.forwardedAddress()
            func passing(to target: IPv6Address, ethernet: [UInt8] = Frame.ethernet) throws -> Int {
                let frame = ethernet + Frame.ipv6(Bench.b1, target, next: 140, Self.i1).dropFirst(14)
                return try (0..<20).count { _ in try bench.run(.uplinkIn, frame).verdict == .unspecified }
            }
            #expect((3...4).contains(try passing(to: other)))
            #expect(try passing(to: forwarded) == 20)
            // To all stations.
            let toAll = [UInt8](repeating: 0xff, count: 6) + Frame.ethernet.dropFirst(6)
            #expect(try passing(to: Bench.a1, ethernet: toAll) <= 1)
            let dropped = try bench.count(.badAddress)
            for text in ["ff02::1", "fe80::1"] {
                #expect(try passing(to: try #require(IPv6Address(text)), ethernet: toAll) == 0)
            }
            #expect(try bench.count(.badAddress) == dropped + 40)
            #expect(try passing(to: forwarded, ethernet: [2] + Frame.ethernet.dropFirst(1)) == 20)
        }
    }

    @Test(arguments: [UInt8(60), 0, 43, 44])
    func `A first fragment has the whole header chain, or is dropped`(_ header: UInt8) throws {
        try Bench.run { bench in
            let other = try bench.forwardedAddress()
            func fragment(_ next: UInt8, _ more: UInt8, at offset: UInt8 = 0) -> [UInt8] {
                [next, 0, 0, offset << 3 | more, 1, 2, 3, 4]
            }
            // Ends before the header, in it, behind it, or in the next one.
            let long: [UInt8] = [60, 1, 0, 0, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 0, 0]
            let starts: [[UInt8]] = header == 44 ? [[]] : [[], [60], Array(long.prefix(8)), long]
            for start in starts {
                let first = fragment(header, 1) + start
                #expect(try bench.run(.uplinkIn, Bench.b1, Bench.a1, next: 44, first).verdict == .drop)
                #expect(try bench.run(.uplinkIn, Bench.b1, other, next: 44, first).verdict == .unspecified)
                // Also where the frame goes on with something harmless.
                var padded = Frame.ipv6(Bench.b1, Bench.a1, next: 44, first)
                padded += [17, 0, 0, 0, 0, 0, 0, 0] + [17, 0, 0, 0, 0, 0, 0, 0]
                #expect(try bench.run(.uplinkIn, padded).verdict == .drop)
            }
            #expect(try bench.count(.incompleteChain) == UInt64(2 * starts.count))
        }
    }

    @Test func `Fragments that hide nothing pass`() throws {
        try Bench.run { bench in
            let nothing: [UInt8] = [0, 1, 4, 0, 0, 0, 0]
            func verdict(_ octets: [UInt8]) throws -> Verdict? {
                try bench.run(.uplinkIn, Bench.b1, Bench.a1, next: 44, octets).verdict
            }
            for more: UInt8 in [0, 1] {
                #expect(try verdict([17, 0, 0, more, 1, 2, 3, 4] + Frame.udp(500)) == .unspecified)
                #expect(
                    try verdict([60, 0, 0, more, 1, 2, 3, 4] + [43] + nothing + [50] + nothing + Frame.udp(500))
                        == .unspecified)
            }
            // A later one, whatever it says.
            #expect(try verdict([140, 0, 0, 9, 1, 2, 3, 4] + Self.i1) == .unspecified)
            // An atomic one without anything in it.
            #expect(try verdict([59, 0, 0, 0, 1, 2, 3, 4]) == .unspecified)
            let dropped = try bench.count(.malformed) + bench.count(.incompleteChain)
            #expect(dropped == 0)
        }
    }

    @Test func `No control message gets around its limit inside payload or behind a routing header`() throws {
        try Bench.run { bench in
            let nothing: [UInt8] = [0, 1, 4, 0, 0, 0, 0]
            try bench.program.install(Bench.entry())
            let fragment: [UInt8] = [140, 0, 0, 1, 1, 2, 3, 4]
            for (next, payload) in [
                (140, Self.i1), (60, [140] + nothing + Self.i1), (44, fragment + Self.i1),
                (60, [44] + nothing + fragment + Self.i1), (0, [140] + nothing + Self.i1),
            ] as [(UInt8, [UInt8])] {
                let tagged = Frame.payloadHeader(next: next, tag: 0x1234_5678_9abc) + payload
                #expect(try bench.run(.uplinkIn, Bench.b2, Bench.a1, next: 140, tagged).verdict == .drop)
            }
            #expect(try bench.count(.malformed) == 5)
            let cut = Frame.payloadHeader(next: 60, tag: 0x1234_5678_9abc) + [140]
            #expect(try bench.run(.uplinkIn, Bench.b2, Bench.a1, next: 140, cut).verdict == .drop)
            #expect(try bench.count(.incompleteChain) == 1)
            let routing: [UInt8] = [140, 2, 2, 1, 0, 0, 0, 0] + Bench.a1.octets
            #expect(try bench.run(.uplinkIn, Bench.b2, Bench.a1, next: 43, routing + Self.i1).verdict == .drop)
            #expect(try bench.count(.malformed) == 6)
            #expect(bench.stamps.lastIn == nil)
        }
    }

    @Test func `Payload that is longer than its frame is dropped`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            var frame = IncomingTests.tagged()
            frame[19] += 1
            #expect(try bench.run(.uplinkIn, frame).verdict == .drop)
            #expect(try bench.count(.malformed) == 1)
        }
    }

    @Test func `A flood with sources of a peer's own site takes nothing from the peer`() throws {
        try Bench.run { bench in
            bench.program.settings.strangersSite = .init(perSecond: 1, burst: 3)
            bench.program.settings.pair = .init(perSecond: 1, burst: 3)
            try bench.program.install(Bench.entry())
            let sources = try (1..<11).map { try #require(IPv6Address("2001:db8:b1:\($0)::1")) }
            #expect((3...4).contains(try bench.passing(Self.i1, from: sources)))
            #expect((3...4).contains(try bench.passing(Self.i1, from: Array(repeating: Bench.b1, count: 10))))
        }
    }

    @Test(arguments: [ControlMessageTests.i1, ControlMessageTests.i2])
    func `Strangers wait until the daemon has read what has come in, others do not`(_ message: [UInt8]) throws {
        try Bench.run { bench in
            bench.program.settings.strangersI1 = .init(perSecond: 0, burst: 0)
            bench.program.settings.strangers = .init(perSecond: 0, burst: 0)
            try bench.program.install(Bench.entry())
            #expect(try bench.passing(message, from: Self.sites(600)) == 512)
            #expect(try bench.passes(message == Self.i1 ? Self.i2 : Self.i1, from: Bench.b2))
            #expect(try bench.passes(message, from: Bench.b1))
            bench.program.haveReadAll()
            #expect(try bench.passing(message, from: Self.sites(600)) == 512)
        }
    }

    @Test func `Other messages of strangers share a limit, those with the tag of a context do not`() throws {
        try Bench.run { bench in
            bench.program.settings.strangers = .init(perSecond: 1, burst: 3)
            try bench.program.install(Bench.entry())
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

    @Test func `Messages that name a context are limited by it`() throws {
        try Bench.run { bench in
            bench.program.settings.tagged = .init(perSecond: 1, burst: 3)
            try bench.program.install(Bench.entry())
            let sources = Array(repeating: Bench.b1, count: 10)
            #expect((3...4).contains(try bench.passing(Self.keepaliveOfContext, from: sources)))
            // It has as much again as any host with a session.
            #expect(try bench.passes(Self.i2, from: Bench.b1))
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
            let other = try bench.forwardedAddress()
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
            // About one behind options.
            let options: [UInt8] = [140, 0, 1, 4, 0, 0, 0, 0]
            let behind = [UInt8](Frame.ipv6(Bench.b1, Bench.a1, next: 60, options + Self.i1).dropFirst(14))
            let later: [UInt8] = [4, 1, 0, 0, 0, 0, 0, 40]
            #expect(try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 58, later + behind).verdict == .drop)
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
            bench.program.settings.strangersI1 = .init(perSecond: 0, burst: 0)
            for source in try Self.sites(1000) {
                #expect(try bench.passes(Self.i1, from: source))
                bench.program.haveReadAll()
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
