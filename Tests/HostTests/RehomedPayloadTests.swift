import Foundation
import Lab
import Requirements
import Shim6Control
import Shim6Wire
import Testing

extension HostTests {
    /// Payload of every size and kind after the session has moved, with the offloads that veth has.
    @Suite struct RehomedPayloadTests {
        @Test(.requirement("5533-1.6-05", "5533-12.2-09", "5533-15.2-02"))
        func `Payload of every size arrives intact over the new pair`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                try pair.laboratory.serveBursts(in: pair.b.namespace, on: pair.ulidOfB.description)
                try pair.rehome()
                try expectIntact(pair)
                _ = try echo.stop()
            }
        }

        @Test func `Payload of every size arrives intact over a tun device`() throws {
            try withPair(tunnels: ["a2"]) { pair in
                let echo = try pair.startSession()
                try pair.laboratory.serveBursts(in: pair.b.namespace, on: pair.ulidOfB.description)
                try pair.rehome()
                try expectIntact(pair)
                _ = try echo.stop()
            }
        }

        private func expectIntact(_ pair: Pair) throws {
            let ends = ["--local", pair.ulidOfA.description, "--peer", pair.ulidOfB.description]
            for size in [1, 1452, 4_000, 20_000] {
                let tally = try pair.laboratory.bulk(
                    ["datagrams", "--size", "\(size)"] + ends, in: pair.a.namespace)
                #expect(tally == Bulk.Tally(sent: 20, intact: 20), "UDP of \(size) octets")
            }
            let train = try pair.laboratory.bulk(
                ["datagrams", "--size", "1200", "--train", "40", "--count", "5"] + ends, in: pair.a.namespace)
            #expect(train == Bulk.Tally(sent: 200, intact: 200), "UDP_SEGMENT 1,200 x 40")
            let bursts = try pair.laboratory.bulk(
                ["bursts", "--size", "300000", "--count", "10"] + ends, in: pair.a.namespace)
            #expect(bursts == Bulk.Tally(sent: 10, intact: 10), "TCP bursts of 300 kB")
        }

        // With checksum offload a capture shows unfinished checksums and the stack believes them all.
        @Test(.requirement("5533-4-05", "5533-12.2-07"))
        func `Without checksum offload every checksum is right and every tag is the peer's`() throws {
            try withPair { pair in
                for uplink in pair.topology.uplinks {
                    for namespace in [pair.topology.internet, pair.topology.namespace(of: uplink)] {
                        try namespace.run("ethtool", "-K", uplink.device, "tx", "off")
                    }
                }
                let echo = try pair.startSession()
                try pair.laboratory.serveBursts(in: pair.b.namespace, on: pair.ulidOfB.description)
                try pair.rehome()
                let wire = try WireWatch(pair.topology)
                let begin = Clock.now
                let ends = ["--local", pair.ulidOfA.description, "--peer", pair.ulidOfB.description]
                let bursts = try pair.laboratory.bulk(
                    ["bursts", "--size", "300000", "--count", "5"] + ends, in: pair.a.namespace)
                #expect(bursts.intact == 5)
                let datagrams = try pair.laboratory.bulk(["datagrams", "--size", "1452"] + ends, in: pair.a.namespace)
                #expect(datagrams.intact == 20)
                let contexts = (a: try #require(try pair.contextOfA()), b: try #require(try pair.contextOfB()))
                for (context, peer) in [(contexts.a, contexts.b), (contexts.b, contexts.a)] {
                    let used = try #require(context.summary.outgoing)
                    let packets = try wire.payload(on: pair.name(used.destination), used, since: begin)
                    #expect(packets.count > 500)
                    #expect(packets.allSatisfy { $0.tag == peer.summary.tag.rawValue })
                }
                for host in [pair.a, pair.b] {
                    for counter in ["TcpInCsumErrors", "Udp6InCsumErrors"] {
                        #expect(try host.namespace.counter(counter) == 0, "\(counter) on host \(host.host)")
                    }
                }
                _ = try echo.stop()
            }
        }
    }
}
