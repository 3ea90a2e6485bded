import Lab
import Requirements
import Shim6Wire
import Testing

extension HostTests {
    /// The payload header as it stands on the wire, and what becomes of it at the other end. No link is cut.
    @Suite struct TaggingTests {
        private let pair: SteeredPair

        init() throws {
            pair = try SteeredPair()
            try pair.a.withoutOffloads()
            try pair.b.withoutOffloads()
        }

        /// The packets that crossed the Internet towards a device while `body` ran, those of neighbours and of multicast
        /// listeners, with Hop-by-Hop Options, left out.
        private func seen(on device: String, _ body: () throws -> Void) throws -> [CapturedPacket] {
            let capture = try Capture(
                pair.laboratory, in: pair.topology.internet, device: device, filter: "ip6 and not icmp6 and ip6[6] != 0"
            )
            try body()
            try pair.laboratory.pass(seconds: 0.3)
            capture.stop()
            return try capture.packets()
        }

        @Test(
            .requirement(
                "5533-5.2-04", "5533-1.6-03", "5533-11-05", "5533-11-06", "5533-4-06", "5533-11.1-07"))
        func `Payload has the header exactly while either locator differs from its ULID`() throws {
            let sockets = try pair.datagramSockets(port: 5201)
            let (a1, a2, b1, b2) = (pair.a1, pair.a2, pair.b1, pair.b2)
            for (source, destination) in [(a1, b1), (a2, b1), (a1, b2), (a2, b2), (a1, b1)] {
                try pair.moveA(source, destination)
                let packets = try seen(on: destination == b1 ? "b1" : "b2") {
                    #expect(pair.deliver(10, of: 500, from: sockets.a, to: sockets.b) == 10)
                }.filter { $0.source == source && $0.destination == destination }
                #expect(packets.count == 10)
                if (source, destination) == (a1, b1) {
                    #expect(packets.allSatisfy { $0.nextHeader == 17 })
                } else {
                    #expect(packets.allSatisfy { $0.tag == SteeredPair.tagB.rawValue })
                }
            }
        }

        @Test(
            .requirement("5533-11.1-01", "5533-1.6-05", "5533-12.2-07", "5533-3-04", "5533-4-05", "5533-15.4-01"))
        func `Rehoming changes the addresses, puts 8 octets in, and nothing else; the other end undoes it`() throws {
            let sockets = try pair.datagramSockets(port: 5202)
            func one(_ source: IPv6Address) throws -> CapturedPacket {
                try pair.moveA(source, pair.b1)
                let packets = try seen(on: "b1") {
                    #expect(pair.deliver(1, of: 500, from: sockets.a, to: sockets.b) == 1)
                }
                #expect(packets.count == 1)
                return try #require(packets.first)
            }
            let plain = try one(pair.a1)
            let tagged = try one(pair.a2)
            #expect(plain.source == pair.a1 && tagged.source == pair.a2)
            #expect(plain.destination == pair.b1 && tagged.destination == pair.b1)
            let tag = SteeredPair.tagB.rawValue | 1 << 47
            let header = [17, 0] + (0..<6).map { UInt8(truncatingIfNeeded: tag >> (40 - 8 * $0)) }
            #expect(tagged.payload == header + plain.payload)
            #expect(tagged.payloadLength == plain.payloadLength + 8)
            #expect(tagged.flowLabel == plain.flowLabel)
        }

        @Test(.requirement("5533-1.6-01"))
        func `A datagram is fragmented first, and each fragment gets its own header`() throws {
            let sockets = try pair.datagramSockets(port: 5203)
            try pair.moveA(pair.a2, pair.b2)
            let packets = try seen(on: "b2") {
                #expect(pair.deliver(1, of: 4000, from: sockets.a, to: sockets.b) == 1)
            }
            #expect(packets.count == 3)
            let fragment: UInt8 = 44
            #expect(packets.allSatisfy { $0.isShim6Payload && $0.payload.first == fragment })
        }

        @Test(.requirement("5533-1.6-02", "5533-12.2-09"))
        func `Fragments that come from different locators make one datagram`() throws {
            let sockets = try pair.datagramSockets(port: 5204)
            let data = (0..<2000).map { UInt8(truncatingIfNeeded: $0 / 7) }
            let datagram = Self.datagram(from: pair.a1, to: pair.b1, port: 5204, data)
            func fragment(_ range: Range<Int>, isLast: Bool) -> [UInt8] {
                let place = UInt16(range.lowerBound) | (isLast ? 0 : 1)
                return Self.payloadHeader(before: 44) + [17, 0, UInt8(place >> 8), UInt8(place & 0xff), 1, 2, 3, 4]
                    + datagram[range]
            }
            try pair.topology.internet.inject([
                Injector.packet(from: pair.a2, to: pair.b2, fragment(0..<1000, isLast: false)),
                Injector.packet(from: pair.a1, to: pair.b2, fragment(1000..<datagram.count, isLast: true)),
            ])
            #expect(sockets.b.isReadable(within: 2000))
            #expect(sockets.b.receive() == data)
        }

        @Test(.requirement("5533-C.3-02"))
        func `Payload of somebody else with the tag of this context fails the checksum`() throws {
            let sockets = try pair.datagramSockets(port: 5206)
            // Of a peer whose ULID is another one, and of the context's own.
            for (ulid, data) in [(pair.a2, [UInt8](repeating: 1, count: 50)), (pair.a1, [2, 2, 2])] {
                let datagram = Self.datagram(from: ulid, to: pair.b1, port: 5206, data)
                try pair.topology.internet.inject([
                    Injector.packet(from: pair.a2, to: pair.b2, Self.payloadHeader(before: 17) + datagram)
                ])
            }
            #expect(sockets.b.isReadable(within: 2000))
            #expect(sockets.b.receive() == [2, 2, 2])
            #expect(try pair.b.count(.restored) >= 2)
        }

        private static func datagram(
            from source: IPv6Address, to destination: IPv6Address, port: UInt16, _ data: [UInt8]
        ) -> [UInt8] {
            let length = UInt16(data.count + 8)
            var datagram = [UInt8(port >> 8), UInt8(port & 0xff), UInt8(port >> 8), UInt8(port & 0xff)]
            datagram += [UInt8(length >> 8), UInt8(length & 0xff), 0, 0] + data
            let sum = ~UInt16(truncatingIfNeeded: RehomedTrafficTests.sum(source, destination, 17, datagram))
            datagram[6] = UInt8(sum >> 8)
            datagram[7] = UInt8(sum & 0xff)
            return datagram
        }

        /// A payload header with the tag of B's context.
        private static func payloadHeader(before nextHeader: UInt8) -> [UInt8] {
            let tag = SteeredPair.tagB.rawValue | 1 << 47
            return [nextHeader, 0] + (0..<6).map { UInt8(truncatingIfNeeded: tag >> (40 - 8 * $0)) }
        }

        @Test(.requirement("5533-1.4-01"))
        func `Multicast is left alone while the session of its sender is rehomed`() throws {
            try pair.moveA(pair.a2, pair.b2)
            let socket = try pair.a.namespace.inside {
                let socket = try Socket(.datagram)
                try socket.bind(toDevice: "a1")
                try socket.bind(to: "\(pair.a1)", port: 5205)
                try socket.connect(to: "ff0e::5533", port: 5205)
                return socket
            }
            let packets = try seen(on: "a1") { #expect(socket.sendOnce([1, 2, 3])) }.filter { $0.source == pair.a1 }
            #expect(packets.map(\.nextHeader) == [17])
            #expect(try pair.a.count(.rehomed) == 0)
        }

        @Test(.requirement("5533-16.1-03"))
        func `A restored packet meets the inbound policies of its ULIDs`() throws {
            let sockets = try pair.datagramSockets(port: 5207)
            try pair.moveA(pair.a2, pair.b2)
            #expect(pair.deliver(2, of: 100, from: sockets.a, to: sockets.b) == 2)
            let policy = ["src", "\(pair.a1)", "dst", "\(pair.b1)", "dir", "in"]
            let required = ["tmpl", "proto", "esp", "mode", "transport", "level", "required"]
            try pair.b.namespace.run(["ip", "xfrm", "policy", "add"] + policy + required)
            #expect(pair.deliver(2, of: 100, from: sockets.a, to: sockets.b) == 0)
            try pair.b.namespace.run(["ip", "xfrm", "policy", "delete"] + policy)
            #expect(pair.deliver(2, of: 100, from: sockets.a, to: sockets.b) == 2)
        }

        @Test(.requirement("5533-11-01"))
        func `Payload between addresses without a context is sent as it is`() throws {
            try pair.moveA(pair.a2, pair.b2)
            let (left, right) = try (
                pair.a.namespace.inside {
                    let socket = try Socket(.datagram)
                    try socket.bind(to: "\(pair.a2)", port: 5206)
                    try socket.connect(to: "\(pair.b1)", port: 5206)
                    return socket
                },
                pair.b.namespace.inside {
                    let socket = try Socket(.datagram)
                    try socket.bind(to: "\(pair.b1)", port: 5206)
                    return socket
                }
            )
            let packets = try seen(on: "b1") { #expect(pair.deliver(5, of: 300, from: left, to: right) == 5) }
            #expect(packets.filter { $0.source == pair.a2 }.map(\.nextHeader) == [17, 17, 17, 17, 17])
        }
    }
}
