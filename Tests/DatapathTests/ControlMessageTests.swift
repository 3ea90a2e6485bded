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
            var settings = bench.datapath.settings
            settings.i1 = .init(perSecond: 1, burst: 3)
            bench.datapath.settings = settings
            var passed = 0
            for host in 0..<10 {
                let source = try #require(IPv6Address("2001:db8:b1:\(host)::1"))
                if try bench.run(.uplinkIn, source, Bench.a1, next: 140, Self.i1).verdict == .unspecified {
                    passed += 1
                }
            }
            #expect(passed == 3)
            #expect(try bench.count(.i1Rate) == 7)
            #expect(try bench.run(.uplinkIn, Bench.b2, Bench.a1, next: 140, Self.i1).verdict == .unspecified)
            for _ in 0..<10 {
                let keepalive = try bench.run(.uplinkIn, Bench.b1, Bench.a1, next: 140, Self.keepalive)
                #expect(keepalive.verdict == .unspecified)
            }
        }
    }

    @Test func `I1 messages of strangers share a limit, those of hosts that this one has sent to do not`() throws {
        try Bench.run { bench in
            var settings = bench.datapath.settings
            settings.strangersI1 = .init(perSecond: 1, burst: 3)
            bench.datapath.settings = settings
            var passed = 0
            for site in 0..<20 {
                let source = try #require(IPv6Address("2001:db8:\(String(0x1000 + site, radix: 16))::1"))
                if try bench.run(.uplinkIn, source, Bench.a1, next: 140, Self.i1).verdict == .unspecified {
                    passed += 1
                }
            }
            #expect((3...4).contains(passed))
            #expect(try bench.count(.strangersI1Rate) == UInt64(20 - passed))
            #expect(try bench.run(.uplinkIn, Bench.b2, Bench.a1, next: 140, Self.i1).verdict == .drop)
            _ = try bench.run(.uplinkOut, Bench.a1, Bench.b2, next: 17, Frame.udp())
            #expect(try bench.run(.uplinkIn, Bench.b2, Bench.a1, next: 140, Self.i1).verdict == .unspecified)
            try bench.datapath.install(Bench.entry())
            #expect(try bench.run(.uplinkIn, Bench.b1, Bench.a1, next: 140, Self.i1).verdict == .unspecified)
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
            var settings = bench.datapath.settings
            settings.strangersI1 = .init(perSecond: 0, burst: 0)
            bench.datapath.settings = settings
            for site in 0..<1000 {
                let source = try #require(IPv6Address("2001:db8:\(String(site, radix: 16))::1"))
                #expect(try bench.run(.uplinkIn, source, Bench.a1, next: 140, Self.i1).verdict == .unspecified)
            }
        }
    }
}
