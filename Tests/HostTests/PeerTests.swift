import Foundation
import Lab
import Requirements
import Shim6Control
import Shim6Wire
import Testing

extension HostTests {
    /// Peers that do not speak Shim6, and packets that nobody should have sent.
    @Suite struct PeerTests {
        private func withPlainPeer(_ settings: Daemon.Settings, _ body: (Topology, Daemon, IPv6Address) throws -> Void)
            throws
        {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let topology = try Topology(laboratory, hosts: ["a": 2, "b": 1])
            let daemon = try Daemon(topology, host: "a", settings: settings)
            let peer = topology.uplink("b1").address("5")
            try topology.namespace(of: topology.uplink("b1")).run(
                "ip", "addr", "add", "\(peer)/64", "dev", "b1", "nodad")
            do {
                try daemon.start()
                try body(topology, daemon, try #require(IPv6Address(peer)))
            } catch {
                Issue.record("\(error)\n\(daemon.logged)")
            }
        }

        /// The session of a plain host, and the I1s that it gets beside it.
        private func expectUndisturbed(_ topology: Topology, _ daemon: Daemon, _ peer: IPv6Address) throws -> Int {
            let laboratory = topology.laboratory
            let b = topology.namespace(of: topology.uplink("b1"))
            let local = try daemon.locator(on: "a1")
            let capture = try Capture(laboratory, in: topology.internet, device: "b1")
            let echo = try laboratory.echo(from: daemon.namespace, local.description, to: b, peer.description)
            try laboratory.wait(until: "the host to give up") {
                try daemon.contexts().contains { ["E-FAILED", "NO-SUPPORT"].contains($0.state) }
            }
            try laboratory.pass(seconds: 0.5)
            // Before the holddown ends: what goes on then is worth another I1.
            #expect(try echo.stop().losses.isEmpty)
            try laboratory.wait(until: "the context state to go away") {
                try daemon.contexts().isEmpty
            }
            let packets = try capture.packets()
            capture.stop()
            let types = try packets.map { try MessageView($0.payload).type }
            #expect(types.allSatisfy { $0 == .i1 })
            return types.count
        }

        @Test(.requirement("5533-7.8-07", "5533-4-03", "5533-15.3-02", "5533-8-05"))
        func `A host whose kernel refuses Shim6 is left alone after one I1`() throws {
            var settings = quick
            settings.sections["protocol"] = ["icmp-holddown-time = 6.0"]
            try withPlainPeer(settings) { topology, daemon, peer in
                let sent = try expectUndisturbed(topology, daemon, peer)
                #expect(sent == 1)
            }
        }

        @Test(.requirement("5533-7.8-01", "5533-7.8-04", "5533-4-03", "5533-15.3-02"))
        func `A host that ignores Shim6 gets the first I1 and four more`() throws {
            var settings = quick
            settings.sections["protocol"] = ["i1-timeout = 0.2", "no-r1-holddown-time = 6.0"]
            try withPlainPeer(settings) { topology, daemon, peer in
                try topology.namespace(of: topology.uplink("b1")).run(
                    "nft", "-f", "-",
                    input: """
                        table ip6 firewall {
                            chain input { type filter hook input priority 0; ip6 nexthdr 140 drop; }
                        }
                        """)
                let sent = try expectUndisturbed(topology, daemon, peer)
                #expect(sent == 5)
            }
        }

        @Test(.requirement("5533-12.3-01", "5533-12.3-02"))
        func `Malformed packets are dropped and counted by reason`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                let internet = pair.topology.internet
                let (source, target) = (pair.ulidOfB, pair.ulidOfA)
                let good = try ControlMessage.i1(
                    I1(initiatorTag: try #require(ContextTag(rawValue: 77)), initiatorNonce: 99)
                ).encoded()
                var summed = good
                summed[4] ^= 0xff
                var long = good
                long[1] = 9
                var short = good
                short[1] = 0
                let unspecified = IPv6Address(high: 0, low: 0)
                let cases: [(String, [UInt8])] = [
                    ("wrong checksum", Injector.packet(from: source, to: target, summed)),
                    ("length beyond the packet", Injector.packet(from: source, to: target, long)),
                    ("shorter than its type allows", Injector.packet(from: source, to: target, resummed(short))),
                    ("four octets", Injector.packet(from: source, to: target, Array(good.prefix(4)))),
                    ("empty", Injector.packet(from: source, to: target, [])),
                    ("unspecified source", Injector.packet(from: unspecified, to: target, good)),
                ]
                var reasons: Set<String> = []
                for (name, packet) in cases {
                    let before = try pair.a.status().drops
                    try internet.inject([packet, packet, packet])
                    try pair.laboratory.wait(until: "three drops of \(name)") {
                        let after = try pair.a.status().drops
                        let grown = after.filter { $0.value >= before[$0.key, default: 0] + 3 }
                        reasons.formUnion(grown.keys)
                        return !grown.isEmpty
                    }
                }
                #expect(reasons.count >= 4, "\(reasons)")
                try pair.laboratory.pass(seconds: 1)
                #expect(try echo.stop().losses.isEmpty)
                #expect(try pair.a.contexts().count == 1)
            }
        }

        private func resummed(_ message: [UInt8]) -> [UInt8] {
            var message = message
            message[4] = 0
            message[5] = 0
            var sum = stride(from: 0, to: (Int(message[1]) + 1) * 8, by: 2).reduce(0) {
                $0 + (Int(message[$1]) << 8 | Int(message[$1 + 1]))
            }
            while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
            message[4] = UInt8(~sum >> 8 & 0xff)
            message[5] = UInt8(~sum & 0xff)
            return message
        }
    }
}
