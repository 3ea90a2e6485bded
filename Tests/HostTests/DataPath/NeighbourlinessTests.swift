import BPFDataPath
import CTestKernel
import Foundation
import Lab
import Shim6Wire
import Steering
import Testing

extension HostTests {
    /// What else is on a host goes on working: firewalls, marks, filters, sockets bound to a device, links without Ethernet.
    @Suite struct NeighbourlinessTests {
        private let pair: SteeredPair

        init() throws {
            pair = try SteeredPair()
        }

        private func strictFilter(_ host: SteeredHost) throws {
            let rules = """
                table ip6 strict {
                    counter refused {}
                    chain early {
                        type filter hook prerouting priority filter;
                        fib saddr . iif oif missing counter name refused drop
                    }
                }
                """
            try host.namespace.run("nft", "-f", "-", input: rules)
        }

        private func refused(_ host: SteeredHost) throws -> Bool {
            try !host.namespace.run("nft", "list", "counter", "ip6", "strict", "refused").contains("packets 0 ")
        }

        @Test func `A strict reverse-path filter lets restored and plain packets pass`() throws {
            try strictFilter(pair.a)
            try strictFilter(pair.b)
            let sockets = try pair.datagramSockets(port: 5101)
            func bothWays() {
                #expect(pair.deliver(10, of: 1000, from: sockets.a, to: sockets.b) == 10)
                #expect(pair.deliver(10, of: 1000, from: sockets.b, to: sockets.a) == 10)
            }
            bothWays()
            // One direction rehomed: B restores what it answers plainly, A gets plain packets of a steered session.
            try pair.moveA(pair.a2, pair.b2)
            bothWays()
            try pair.rehome()
            bothWays()
            #expect(try !refused(pair.a) && !refused(pair.b))
        }

        @Test(arguments: [false, true])
        func `A socket bound to the ULID's interface keeps receiving`(strict: Bool) throws {
            if strict { try strictFilter(pair.a) }
            let sockets = try pair.datagramSockets(port: 5102, device: "a1")
            let streams = try pair.streams(port: 5103, device: "a1")
            #expect(pair.deliver(5, of: 1000, from: sockets.b, to: sockets.a) == 5)
            // Only the other end has moved: restored packets.
            try pair.moveB(pair.b2, pair.a2)
            #expect(pair.deliver(5, of: 1000, from: sockets.b, to: sockets.a) == 5)
            #expect(try pair.carry(100_000, from: streams.b, to: streams.a))
            // Both have.
            try pair.rehome()
            #expect(pair.deliver(5, of: 1000, from: sockets.b, to: sockets.a) == 5)
            #expect(pair.deliver(5, of: 1000, from: sockets.a, to: sockets.b) == 5)
            #expect(try pair.carry(300_000, from: streams.b, to: streams.a))
            #expect(try pair.carry(300_000, from: streams.a, to: streams.b))
        }

        @Test func `A listener bound to the ULID's interface gets connections of a rehomed session`() throws {
            try strictFilter(pair.a)
            // What is bound to a device still needs a gateway there that the kernel has not given up.
            let sockets = try pair.datagramSockets(port: 5109)
            #expect(pair.deliver(1, of: 100, from: sockets.a, to: sockets.b) == 1)
            try pair.rehome()
            let listener = try pair.a.namespace.inside {
                let socket = try Socket(.stream)
                try socket.bind(toDevice: "a1")
                try socket.bind(to: "\(pair.a1)", port: 5110)
                try socket.listen()
                return socket
            }
            let client = try pair.b.namespace.inside {
                let socket = try Socket(.stream)
                let synRetries: Int32 = 7
                try socket.set(Int32(IPPROTO_TCP), synRetries, 2)
                try socket.bind(to: "\(pair.b1)", port: 0)
                try socket.connect(to: "\(pair.a1)", port: 5110)
                return socket
            }
            let server = try listener.accept()
            #expect(try pair.carry(300_000, from: client, to: server))
            #expect(try pair.carry(300_000, from: server, to: client))
            #expect(try !refused(pair.a))
        }

        @Test func `A closed port is answered while the way back is steered`() throws {
            try pair.rehome()
            let client = try pair.b.namespace.inside { try Socket(.stream) }
            try client.bind(to: "\(pair.b1)", port: 0)
            #expect(throws: LabError.self) { try client.connect(to: "\(pair.a1)", port: 5111) }
            #expect(errno == ECONNREFUSED)
        }

        @Test func `A user's mark survives and other filters see the packets`() throws {
            let before = try Witness(in: pair.a.namespace, on: "a2", ingress: false, priority: 10, mark: 0x77)
            let behind = try Witness(in: pair.a.namespace, on: "a2", ingress: false, priority: 900, mark: 0x77)
            let untouched = try Witness(in: pair.a.namespace, on: "a1", ingress: false, priority: 900, mark: 0x77)
            let sockets = try pair.datagramSockets(port: 5104, mark: 0x77)
            #expect(pair.deliver(10, of: 1000, from: sockets.a, to: sockets.b) == 10)
            #expect(untouched.count == 10)
            try pair.rehome()
            #expect(pair.deliver(10, of: 1000, from: sockets.a, to: sockets.b) == 10)
            let udp: Int32 = 17
            try sockets.a.set(udp, 103, 1200)
            #expect(sockets.a.sendOnce([UInt8](repeating: 7, count: 1200 * 5)))
            for _ in 0..<5 { #expect(sockets.b.isReadable(within: 1000) && sockets.b.receive()?.count == 1200) }
            // It sees the super-packet, and again what comes of it.
            #expect(before.count == 16)
            #expect(behind.count == 15)
            #expect(untouched.count == 10)
        }

        @Test(arguments: ["a1", "a2"])
        func `An uplink without Ethernet headers serves as well`(device: String) throws {
            let link = try TunLink(
                replacing: pair.topology.uplink(device), of: pair.a, in: pair.topology,
                table: device == "a1" ? 6141 : 6142)
            defer { link.close() }
            try pair.a.follow()
            let sockets = try pair.datagramSockets(port: 5105)
            let bound = try pair.datagramSockets(port: 5106, device: "a1")
            let streams = try pair.streams(port: 5107)
            let boundStreams = try pair.streams(port: 5108, device: "a1")
            func everything(_ stage: Comment) throws {
                for length in [100, 1452, 20_000] {
                    #expect(pair.deliver(5, of: length, from: sockets.a, to: sockets.b) == 5, stage)
                    #expect(pair.deliver(5, of: length, from: sockets.b, to: sockets.a) == 5, stage)
                }
                #expect(pair.deliver(5, of: 1000, from: bound.a, to: bound.b) == 5, stage)
                #expect(pair.deliver(5, of: 1000, from: bound.b, to: bound.a) == 5, stage)
                for (left, right) in [streams, boundStreams] {
                    #expect(try pair.carry(300_000, from: left, to: right), stage)
                    #expect(try pair.carry(300_000, from: right, to: left), stage)
                }
            }
            try everything("plain")
            try pair.moveB(pair.b2, pair.a2)
            try everything("B moved")
            try pair.moveA(pair.a2, pair.b2)
            try everything("both moved")
            #expect(try pair.a.count(.rehomedSuperPackets) > 0)
            #expect(try pair.a.count(.unchangeable) == 0)
        }
    }
}
