import BPFDataPath
import Shim6Core
import Shim6Wire
import Testing

/// The form of rehomed payload that a peer with the `xfrm` data path makes and takes.
@Suite(.needsRoot) struct HomeAddressTests {
    /// As the kernel's XFRM makes them (seen on the wire): 3c020201 00000000, destination; 11020102 0000c910, source.
    private static func headers(
        next: UInt8 = 17, destination: IPv6Address = Bench.a1, source: IPv6Address = Bench.b1, segmentsLeft: UInt8 = 1
    ) -> [UInt8] {
        [0x3c, 2, 2, segmentsLeft, 0, 0, 0, 0] + destination.octets + [next, 2, 1, 2, 0, 0, 0xc9, 0x10] + source.octets
    }
    private static var rehomed: DataPathEntry {
        var entry = Bench.rehomed
        entry.form = .homeAddress
        return entry
    }

    /// Not rehomed, towards a peer that takes no other form.
    private static func plain(inbound: DataPathEntry.Inbound = .deliver) -> DataPathEntry {
        var entry = Bench.entry(inbound: inbound)
        entry.form = .homeAddress
        return entry
    }

    @Test func `Payload of a context whose peer can send the payload header is taken in no other form`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            let frame = Frame.ipv6(Bench.b2, Bench.a2, next: 43, Self.headers() + Frame.udp())
            let result = try bench.run(.uplinkIn, frame)
            #expect(result.verdict == .unspecified && result.packet == [UInt8](frame.dropFirst(14)))
            #expect(try bench.count(.restored) == 0)
            #expect(bench.stamps.lastIn == nil)
        }
    }

    @Test func `Payload of a context gets its ULIDs back octet for octet`() throws {
        try Bench.run { bench in
            try bench.program.install(Self.plain())
            let frame = Frame.ipv6(Bench.b2, Bench.a2, next: 43, Self.headers() + Frame.udp())
            #expect(try bench.run(.uplinkIn, frame) == (.redirect, IncomingTests.restored))
            #expect(try bench.count(.restored) == 1)
            #expect(bench.stamps.lastIn != nil)
            #expect(bench.stamps.incoming == LocatorPair(source: Bench.b2, destination: Bench.a2))
        }
    }

    @Test func `Payload of no context is the kernel's business`() throws {
        try Bench.run { bench in
            try bench.program.install(Self.plain())
            let others: [[UInt8]] = [
                Self.headers(source: Bench.b2), Self.headers(destination: Bench.a2), Self.headers(segmentsLeft: 2),
                Array(Self.headers().prefix(40)),
            ]
            for headers in others {
                let frame = Frame.ipv6(Bench.b2, Bench.a2, next: 43, headers + Frame.udp())
                let result = try bench.run(.uplinkIn, frame)
                #expect(result.verdict == .unspecified && result.packet == [UInt8](frame.dropFirst(14)))
            }
            // To an address that is not this host's.
            let elsewhere = Frame.ipv6(Bench.b2, Bench.b2, next: 43, Self.headers() + Frame.udp())
            #expect(try bench.run(.uplinkIn, elsewhere).verdict == .unspecified)
            #expect(try bench.count(.restored) == 0)
        }
    }

    @Test func `A context that discards payload discards this form too, and no control message gets in by it`() throws {
        try Bench.run { bench in
            try bench.program.install(Self.plain(inbound: .discard))
            let frame = Frame.ipv6(Bench.b2, Bench.a2, next: 43, Self.headers() + Frame.udp())
            #expect(try bench.run(.uplinkIn, frame).verdict == .drop)
            #expect(try bench.count(.discardMode) == 1)
            try bench.program.install(Self.plain())
            let control = Frame.ipv6(Bench.b2, Bench.a2, next: 43, Self.headers(next: 140) + [59, 0, 1, 0, 0, 0, 0, 0])
            #expect(try bench.run(.uplinkIn, control).verdict == .drop)
            #expect(try bench.count(.malformed) == 1)
        }
    }

    @Test func `Payload to a peer that takes this form is made as XFRM makes it`() throws {
        try Bench.run { bench in
            try bench.program.install(Self.rehomed)
            let result = try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 17, Frame.udp())
            let wanted = Frame.ipv6(
                Bench.a2, Bench.b2, next: 43,
                Self.headers(destination: Bench.b1, source: Bench.a1) + Frame.udp())
            #expect(result.packet == [UInt8](wanted.dropFirst(14)))
            #expect(result.verdict == .redirect)
            #expect(try bench.count(.rehomed) == 1)
            // On its way out of the uplink it is met again, and left alone.
            let again = try bench.run(.uplinkOut, wanted)
            #expect(again.verdict == .unspecified && again.packet == [UInt8](wanted.dropFirst(14)))
            #expect(try bench.count(.rehomed) == 1)
        }
    }

    @Test func `A packet that does not fit with 48 octets more is refused with what would fit`() throws {
        try Bench.run { bench in
            try bench.program.install(Self.rehomed)
            // The MTU is 1500: 1452 octets fit, header of 40 and 8 of UDP included.
            #expect(try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 17, Frame.udp(1404)).verdict == .redirect)
            #expect(try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 17, Frame.udp(1405)).verdict == .drop)
            guard case .tooBig(Bench.ulids, mtu: 1452, quote: _)? = try bench.program.takeEvents().first else {
                Issue.record("no report")
                return
            }
        }
    }
}
