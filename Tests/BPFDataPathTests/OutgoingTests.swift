import BPFDataPath
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite(.needsRoot) struct OutgoingTests {
    /// RFC 5533 with REAP: packets 5.7 and 5.8 of the worked packets, host A to host B.
    static let plain = Frame.hex(
        """
        60000000000d114020010db800a10000146d163d2e2f1af320010db800b10000
        000000000000000b12340009000d0a267368696d36
        """)
    static let tagged = Frame.hex(
        """
        6000000000158c4020010db800a20000000000000000000a20010db800b20000
        000000000000000b1100fedcba98765412340009000d0a267368696d36
        """)

    @Test(.requirement("5533-11-05", "5533-1.6-03", "5534-3.4-01"))
    func `Payload of a context on its ULID pair goes out unchanged and is stamped`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry())
            let before = Bench.tickBeforeNow
            let out = try bench.run(.uplinkOut, Frame.ethernet + Self.plain)
            #expect(out.verdict == .unspecified)
            #expect(out.packet == Self.plain)
            let stamp = try #require(bench.stamps.lastOut)
            #expect(stamp >= before && stamp <= Bench.now)
            #expect(bench.stamps.sendStart == stamp)
            #expect(bench.stamps.lastIn == nil && bench.stamps.keepStart == nil)
        }
    }

    @Test(.requirement("5533-11.1-01", "5533-11.1-02", "5533-11.1-04", "5533-11.1-05", "5533-11.1-06", "5533-5.2-01"))
    func `Rehomed payload is the worked packet octet for octet`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            for part in [KernelProgramPart.uplinkOut, .steer] {
                let out = try bench.run(part, Frame.ethernet + Self.plain)
                #expect(out.verdict == .redirect)
                #expect(out.packet == Self.tagged)
            }
            #expect(try bench.count(.rehomed) == 2)
            #expect(bench.stamps.lastOut != nil)
            // On its uplink already it goes on to the neighbour that the stack has chosen.
            try bench.program.set(locator: Bench.a2, uplink: 1)
            #expect(try bench.run(.uplinkOut, Frame.ethernet + Self.plain) == (.unspecified, Self.tagged))
        }
    }

    @Test func `What is not rehomed leaves by its own uplink, even if the route of its session names another`() throws {
        try Bench.run { bench in
            // A flow of the session has been forked off and rehomed, and the test runs on neither uplink.
            try bench.program.install(Bench.entry(), wayBack: Bench.a2)
            #expect(try bench.run(.uplinkOut, Frame.ethernet + Self.plain) == (.redirect, Self.plain))
            #expect(bench.stamps.lastOut == nil)
            try bench.program.set(locator: Bench.a1, uplink: 1)
            #expect(try bench.run(.uplinkOut, Frame.ethernet + Self.plain) == (.unspecified, Self.plain))
            #expect(bench.stamps.lastOut != nil)
            try bench.program.set(locator: Bench.a1, uplink: nil)
            #expect(try bench.run(.uplinkOut, Frame.ethernet + Self.plain).verdict == .drop)
            #expect(try bench.program.takeEvents() == [.unreachable(Bench.ulids, quote: Self.plain)])
        }
    }

    @Test(
        .requirement("5533-11-06"),
        arguments: [(Bench.a1, Bench.b2), (Bench.a2, Bench.b1), (Bench.a2, Bench.b2)])
    func `A pair that differs at either end is rehomed`(source: IPv6Address, destination: IPv6Address) throws {
        try Bench.run { bench in
            try bench.program.install(Bench.entry(outgoing: LocatorPair(source: source, destination: destination)))
            let out = try bench.run(.uplinkOut, Frame.ethernet + Self.plain)
            #expect(out.packet[8..<24] == source.octets[...])
            #expect(out.packet[24..<40] == destination.octets[...])
            #expect(out.packet[6] == 140)
        }
    }

    @Test(.requirement("5533-11.1-07", "5533-4-06"))
    func `Payload is no longer tagged once the ULID pair is current again`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            #expect(try bench.run(.uplinkOut, Frame.ethernet + Self.plain).packet == Self.tagged)
            try bench.program.install(Bench.entry())
            #expect(try bench.run(.uplinkOut, Frame.ethernet + Self.plain).packet == Self.plain)
        }
    }

    @Test(.requirement("5533-11-01"))
    func `Payload without a context is left alone, also after its context is gone`() throws {
        try Bench.run { bench in
            #expect(try bench.run(.uplinkOut, Frame.ethernet + Self.plain) == (.unspecified, Self.plain))
            try bench.program.install(Bench.rehomed)
            try bench.program.remove(Bench.rehomed)
            #expect(try bench.run(.uplinkOut, Frame.ethernet + Self.plain) == (.unspecified, Self.plain))
        }
    }

    @Test(.requirement("5533-11-03"))
    func `A context whose peer tag is not known yet changes nothing`() throws {
        try Bench.run { bench in
            var entry = Bench.rehomed
            entry.peerTag = nil
            try bench.program.install(entry)
            #expect(try bench.run(.uplinkOut, Frame.ethernet + Self.plain) == (.unspecified, Self.plain))
        }
    }

    @Test(
        .requirement("5533-1.4-01"),
        arguments: ["ff02::1", "ff0e::1234", "fe80::1", "::1"])
    func `Multicast and link-local packets are never rewritten, nor do they count towards a context`(text: String)
        throws
    {
        let destination = try #require(IPv6Address(text))
        try Bench.run { bench in
            // Nothing makes such a context; the program does not rely on it.
            var entry = Bench.rehomed
            entry.ulids.peer = destination
            try bench.program.install(entry)
            let frame = Frame.ipv6(Bench.a1, destination, next: 17, Frame.udp(3000))
            #expect(try bench.run(.uplinkOut, frame) == (.unspecified, [UInt8](frame.dropFirst(14))))
            #expect(bench.stamps.lastOut == nil)
        }
    }

    @Test(arguments: Array(UInt8(130)...137) + [143])
    func `Neighbour and multicast listener discovery between ULIDs is not touched`(type: UInt8) throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            let message = [type, 0, 0, 0] + [UInt8](repeating: 0, count: 20)
            let frame = Frame.ipv6(Bench.a1, Bench.b1, next: 58, message)
            #expect(try bench.run(.uplinkOut, frame) == (.unspecified, [UInt8](frame.dropFirst(14))))
            #expect(bench.stamps.lastOut == nil)
            // Seen behind a Destination Options header as well.
            let hidden = Frame.ipv6(Bench.a1, Bench.b1, next: 60, [58, 0, 1, 4, 0, 0, 0, 0] + message)
            #expect(try bench.run(.uplinkOut, hidden).verdict == .unspecified)
            // On shim0 there is no link that it could be about.
            #expect(try bench.run(.steer, frame).verdict == .drop)
        }
    }

    @Test func `An echo request of a rehomed session is rehomed`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            let out = try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 58, [128, 0, 0, 0, 0, 1, 0, 1])
            #expect(out.verdict == .redirect)
            #expect(out.packet[6] == 140 && out.packet[40] == 58)
        }
    }

    @Test func `A control message keeps its addresses whatever its ULID pair does`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            let keepalive = Frame.hex("3b014200d3347edcba98765400000000")
            let frame = Frame.ipv6(Bench.a1, Bench.b1, next: 140, keepalive)
            let packet = [UInt8](frame.dropFirst(14))
            #expect(try bench.run(.uplinkOut, frame) == (.unspecified, packet))
            // The stack may route it to shim0 for its addresses; from there it goes to its own uplink.
            #expect(try bench.run(.steer, frame) == (.redirect, packet))
            #expect(bench.stamps.lastOut == nil)
        }
    }

    @Test func `A packet that the header makes too big is dropped and reported once a second`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            let fits = try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 17, Frame.udp(1500 - 40 - 8 - 8))
            #expect(fits.verdict == .redirect)
            #expect(fits.packet.count == 1500)
            let frame = Frame.ipv6(Bench.a1, Bench.b1, next: 17, Frame.udp(1500 - 40 - 8 - 7))
            for _ in 0..<3 { #expect(try bench.run(.uplinkOut, frame).verdict == .drop) }
            let quote = [UInt8](frame.dropFirst(14).prefix(128))
            #expect(try bench.program.takeEvents() == [.tooBig(Bench.ulids, mtu: 1492, quote: quote)])
            #expect(try bench.count(.tooBig) == 3)
        }
    }

    @Test(.requirement("5533-15.4-02"))
    func `A packet that is too big for its path is reported with what the path leaves`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed, pathMTU: 1400)
            let fits = try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 17, Frame.udp(1400 - 40 - 8 - 8))
            #expect(fits.verdict == .redirect)
            let frame = Frame.ipv6(Bench.a1, Bench.b1, next: 17, Frame.udp(1400 - 40 - 8 - 7))
            #expect(try bench.run(.uplinkOut, frame).verdict == .drop)
            let quote = [UInt8](frame.dropFirst(14).prefix(128))
            #expect(try bench.program.takeEvents() == [.tooBig(Bench.ulids, mtu: 1392, quote: quote)])
        }
    }

    @Test func `What only the payload header makes too big for the smallest path goes to the daemon whole`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed, pathMTU: 1280)
            #expect(
                try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 17, Frame.udp(1272 - 48)).verdict == .redirect)
            for length in [1273, 1280] {
                let frame = Frame.ipv6(Bench.a1, Bench.b1, next: 17, Frame.udp(length - 48))
                // Not dropped: the kernel would not send the rest of the datagram then.
                #expect(try bench.run(.uplinkOut, frame).verdict == .taken)
                let event = KernelProgramEvent.toFragment(Bench.localTag, [UInt8](frame.dropFirst(14)))
                #expect(try bench.program.takeEvents() == [event])
            }
            #expect(try bench.count(.toFragment) == 2)
            #expect(bench.stamps.lastOut != nil)
            let frame = Frame.ipv6(Bench.a1, Bench.b1, next: 17, Frame.udp(1281 - 48))
            #expect(try bench.run(.uplinkOut, frame).verdict == .drop)
            let quote = [UInt8](frame.dropFirst(14).prefix(128))
            #expect(try bench.program.takeEvents() == [.tooBig(Bench.ulids, mtu: 1280, quote: quote)])
        }
    }

    @Test func `A rehomed packet whose locator is on no uplink is dropped and counted`() throws {
        try Bench.run { bench in
            try bench.program.install(Bench.rehomed)
            try bench.program.set(locator: Bench.a2, uplink: nil)
            #expect(try bench.run(.uplinkOut, Frame.ethernet + Self.plain).verdict == .drop)
            try bench.program.remove(locator: Bench.a2)
            #expect(try bench.run(.uplinkOut, Frame.ethernet + Self.plain).verdict == .drop)
            #expect(try bench.count(.noUplink) == 2)
        }
    }

    @Test func `What shim0 gets and is not rehomed goes to the uplink of its source, or is refused`() throws {
        try Bench.run { bench in
            #expect(try bench.run(.steer, Frame.ethernet + Self.plain) == (.redirect, Self.plain))
            try bench.program.set(locator: Bench.a1, uplink: nil)
            for _ in 0..<2 { #expect(try bench.run(.steer, Frame.ethernet + Self.plain).verdict == .drop) }
            #expect(try bench.program.takeEvents() == [.unreachable(Bench.ulids, quote: Self.plain)])
            #expect(try bench.count(.unreachable) == 2)
            #expect(try bench.count(.stray) == 0)
        }
    }

    @Test func `Segments of a super-packet leave shim0x as Shim6 packets, and nothing else leaves it`() throws {
        try Bench.run { bench in
            var marked = Self.tagged
            marked[6] = 60
            let sent = try bench.run(.segment, Frame.ethernet + marked)
            #expect(sent.verdict == .redirect)
            #expect(sent.packet == Self.tagged)
            let options = Frame.ipv6(Bench.a2, Bench.b2, next: 60, [17, 0, 1, 4, 0, 0, 0, 0] + Frame.udp())
            let strays = [Frame.ethernet + Self.plain, Frame.ethernet + Self.tagged, options]
            for stray in strays {
                #expect(try bench.run(.segment, stray).verdict == .drop)
            }
            #expect(try bench.count(.stray) == 3)
        }
    }

    @Test func `The program knows the next hop of the pair in use and follows its routes`() throws {
        try Bench.run { bench in
            let pair = Bench.rehomed.outgoing
            let gateways = [try #require(IPv6Address("2001:db8:a2::1")), try #require(IPv6Address("2001:db8:a2::2"))]
            try PrivateNetwork.ip("link set lo up")
            for device in ["a1", "a1x", "a2", "a2x"] { try PrivateNetwork.ip("link set \(device) up") }
            try PrivateNetwork.ip("addr add \(Bench.a2)/64 dev a2 nodad")
            // No route: packets ask for themselves.
            try bench.program.install(Bench.rehomed)
            #expect(bench.program.nextHop(for: pair) == nil)
            #expect(try bench.run(.uplinkOut, Frame.ethernet + Self.plain) == (.redirect, Self.tagged))
            try PrivateNetwork.ip("-6 route add default via \(gateways[0]) dev a2")
            try bench.program.install(Bench.rehomed)
            #expect(bench.program.nextHop(for: pair) == gateways[0])
            #expect(try bench.run(.uplinkOut, Frame.ethernet + Self.plain) == (.redirect, Self.tagged))
            try PrivateNetwork.ip("-6 route replace default via \(gateways[1]) dev a2")
            try bench.program.refreshNextHops()
            #expect(bench.program.nextHop(for: pair) == gateways[1])
            // A neighbour is its own next hop.
            try PrivateNetwork.ip("-6 route add \(Bench.b2)/128 dev a2")
            try bench.program.refreshNextHops()
            #expect(bench.program.nextHop(for: pair) == Bench.b2)
            // A route by another interface is of no use to this source.
            try PrivateNetwork.ip("-6 route del default")
            try PrivateNetwork.ip("-6 route replace \(Bench.b2)/128 dev a1")
            try bench.program.refreshNextHops()
            #expect(bench.program.nextHop(for: pair) == nil)
        }
    }
}
