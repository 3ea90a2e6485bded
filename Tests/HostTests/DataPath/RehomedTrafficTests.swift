import BPFDataPath
import Foundation
import Lab
import Requirements
import Shim6Core
import Shim6Wire
import Steering
import Testing

extension HostTests {
    /// Real traffic over rehomed contexts that the tests set by hand; the links of the ULIDs are dead.
    @Suite struct RehomedTrafficTests {
        private let pair: SteeredPair

        init() throws {
            pair = try SteeredPair()
        }

        @Test(arguments: [1452, 4000, 20_000])
        func `Datagrams of every size arrive whole in both directions`(length: Int) throws {
            try pair.rehome()
            let sockets = try pair.datagramSockets(port: 5001)
            #expect(pair.deliver(20, of: length, from: sockets.a, to: sockets.b) == 20)
            #expect(pair.deliver(20, of: length, from: sockets.b, to: sockets.a) == 20)
            #expect(try pair.a.count(.rehomed) >= 20 && pair.a.count(.restored) >= 20)
        }

        @Test func `A train of datagrams that the kernel cuts up arrives whole`() throws {
            try pair.rehome()
            let sockets = try pair.datagramSockets(port: 5002)
            let udp: Int32 = 17
            let segment: Int32 = 103
            try sockets.a.set(udp, segment, 1200)
            for _ in 0..<10 {
                #expect(sockets.a.sendOnce([UInt8](repeating: 7, count: 1200 * 40)))
                for number in 0..<40 {
                    guard sockets.b.isReadable(within: 1000) else {
                        Issue.record("datagram \(number) did not arrive")
                        return
                    }
                    #expect(sockets.b.receive() == [UInt8](repeating: 7, count: 1200))
                }
            }
            #expect(try pair.a.count(.rehomedSuperPackets) == 10)
        }

        @Test func `Streams run whole in both directions, begun before the move or after`() throws {
            let before = try pair.streams(port: 5003)
            #expect(try pair.carry(300_000, from: before.a, to: before.b))
            #expect(try pair.a.count(.rehomed) == 0)
            try pair.rehome()
            for _ in 0..<3 {
                #expect(try pair.carry(300_000, from: before.a, to: before.b))
                #expect(try pair.carry(300_000, from: before.b, to: before.a))
            }
            let after = try pair.streams(port: 5004)
            #expect(try pair.carry(5_000_000, from: after.a, to: after.b))
            #expect(try pair.carry(5_000_000, from: after.b, to: after.a))
            #expect(try pair.a.count(.rehomedSuperPackets) > 0)
        }

        @Test(arguments: [PayloadForms.payloadHeader, .homeAddress])
        func `Super-packets that are larger than the length in an IPv6 header are rehomed too`(form: PayloadForms)
            throws
        {
            for device in ["a1", "a2"] {
                let large = ["gso_max_size", "262144"]
                try pair.a.namespace.run(["ip", "link", "set", device] + large)
            }
            try pair.rehome(form: form)
            let streams = try pair.streams(port: 5010)
            #expect(try pair.carry(8_000_000, from: streams.a, to: streams.b))
            #expect(try pair.a.count(.rehomedSuperPackets) > 0)
            #expect(try pair.a.count(.unchangeable) == 0)
        }

        @Test(.requirement("5533-15.2-01", "5533-1.3-02", "5533-11.1-02"))
        func `Checksums on the wire are those of the ULIDs and every packet has the receiver's tag`() throws {
            try pair.a.withoutOffloads()
            try pair.b.withoutOffloads()
            for uplink in pair.topology.uplinks {
                try pair.topology.internet.run("ethtool", "-K", uplink.device, "tx", "off")
            }
            try pair.rehome()
            let capture = try Capture(
                pair.laboratory, in: pair.topology.internet, device: "b2", filter: "ip6", length: 2048)
            let streams = try pair.streams(port: 5005)
            #expect(try pair.carry(1_000_000, from: streams.a, to: streams.b))
            #expect(try pair.carry(1_000_000, from: streams.b, to: streams.a))
            let sockets = try pair.datagramSockets(port: 5006)
            #expect(pair.deliver(10, of: 1400, from: sockets.a, to: sockets.b) == 10)
            let udp: Int32 = 17
            try sockets.a.set(udp, 103, 1200)
            #expect(sockets.a.sendOnce([UInt8](repeating: 7, count: 1200 * 40)))
            #expect(sockets.b.isReadable(within: 1000))
            try pair.laboratory.pass(seconds: 0.3)
            capture.stop()

            let payload = try capture.packets().filter(\.isShim6Payload)
            #expect(payload.count > 1500)
            var wrong = 0
            for packet in payload {
                let outward = packet.source == pair.a2
                let tag = outward ? SteeredPair.tagB : SteeredPair.tagA
                let ulids = outward ? (pair.a1, pair.b1) : (pair.b1, pair.a1)
                let data = [UInt8](packet.payload.dropFirst(8))
                let isRight =
                    packet.tag == tag.rawValue && packet.payload.count == packet.payloadLength
                    && Self.sum(ulids.0, ulids.1, packet.payload[0], data) == 0xffff
                if !isRight { wrong += 1 }
            }
            #expect(wrong == 0)
            for host in [pair.a, pair.b] {
                #expect(try host.namespace.counter("TcpInCsumErrors") == 0)
                #expect(try host.namespace.counter("Udp6InCsumErrors") == 0)
            }
        }

        /// One's complement sum of pseudo-header and data: all ones if the checksum inside is right.
        static func sum(_ source: IPv6Address, _ destination: IPv6Address, _ next: UInt8, _ data: [UInt8]) -> UInt32 {
            let octets =
                source.octets + destination.octets
                + [0, 0, UInt8(data.count >> 8), UInt8(data.count & 0xff), 0, 0, 0, next] + data
                + (data.count % 2 == 1 ? [0] : [])
            var sum: UInt32 = 0
            for index in stride(from: 0, to: octets.count, by: 2) {
                sum += UInt32(octets[index]) << 8 | UInt32(octets[index + 1])
            }
            while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
            return sum
        }

        @Test(.requirement("5533-2.1-01"))
        func `The two directions may use different pairs, and each host may go back`() throws {
            let sockets = try pair.datagramSockets(port: 5007)
            try pair.moveA(pair.a2, pair.b1)
            #expect(pair.deliver(10, of: 1000, from: sockets.a, to: sockets.b) == 10)
            #expect(pair.deliver(10, of: 1000, from: sockets.b, to: sockets.a) == 10)
            #expect(try pair.a.count(.restored) == 0)
            try pair.moveB(pair.b1, pair.a2)
            #expect(pair.deliver(10, of: 1000, from: sockets.b, to: sockets.a) == 10)
            try pair.moveA(pair.a1, pair.b1)
            let rehomed = try pair.a.count(.rehomed)
            #expect(pair.deliver(10, of: 1000, from: sockets.a, to: sockets.b) == 10)
            #expect(try pair.a.count(.rehomed) == rehomed)
            try pair.moveB(pair.b1, pair.a1)
            #expect(pair.deliver(10, of: 1000, from: sockets.b, to: sockets.a) == 10)
        }

        @Test func `A gateway that is given up does not stop rehomed datagrams`() throws {
            let sockets = try pair.datagramSockets(port: 5008)
            #expect(pair.deliver(1, of: 100, from: sockets.a, to: sockets.b) == 1)
            try pair.rehome()
            for (host, uplink) in [(pair.a, "a1"), (pair.b, "b1")] {
                let gateway = pair.topology.uplink(uplink).gateway
                try host.namespace.run("ip", "neigh", "replace", gateway, "dev", uplink, "nud", "failed")
            }
            #expect(pair.deliver(20, of: 1000, from: sockets.a, to: sockets.b) == 20)
            #expect(pair.deliver(20, of: 1000, from: sockets.b, to: sockets.a) == 20)
        }

        @Test(.requirement("5533-1.3-02", "5535-8-04"))
        func `A session survives the loss of the interface that has its ULID`() throws {
            let streams = try pair.streams(port: 5009)
            try pair.rehome()
            #expect(try pair.carry(100_000, from: streams.a, to: streams.b))
            try pair.topology.lower(pair.topology.uplink("a1"))
            try pair.a.namespace.inside { try pair.a.program.set(locator: pair.a1, uplink: nil) }
            #expect(try pair.carry(300_000, from: streams.a, to: streams.b))
            #expect(try pair.carry(300_000, from: streams.b, to: streams.a))
        }

        @Test func `A control message of the ULID pair leaves by its uplink while payload is steered`() throws {
            try pair.moveA(pair.a2, pair.b2)
            let capture = try Capture(pair.laboratory, in: pair.topology.internet, device: "b1")
            let keepalive: [UInt8] = [
                0x3b, 0x01, 0x42, 0, 0xd3, 0x34, 0x7e, 0xdc, 0xba, 0x98, 0x76, 0x54, 0, 0, 0, 0,
            ]
            try pair.sendControl(keepalive)
            try pair.laboratory.wait(until: "the message on b1") {
                try capture.packets().contains {
                    $0.isShim6Control && $0.source == pair.a1 && $0.destination == pair.b1
                }
            }
        }
    }
}
