import Foundation
import Lab
import Testing

extension HostTests {
    /// The laboratory itself: a test with real hosts is worth what its failures are.
    @Suite struct LaboratoryTests {
        private let laboratory: Laboratory
        private let topology: Topology
        private let a: Namespace
        private let b: Namespace

        init() throws {
            laboratory = try Laboratory()
            topology = try Topology(laboratory)
            a = try #require(topology.hosts["a"])
            b = try #require(topology.hosts["b"])
            for uplink in topology.uplinks {
                let host = topology.namespace(of: uplink)
                try host.run("ip", "addr", "add", "\(uplink.address("5"))/64", "dev", uplink.device, "nodad")
            }
        }

        @Test func `Every uplink reaches every other through the Internet`() throws {
            for (from, to) in [("a1", "b1"), ("a1", "b2"), ("b1", "a1"), ("b1", "a2")] {
                let uplink = topology.uplink(from)
                let peer = topology.uplink(to).address("5")
                try topology.namespace(of: uplink).run("ping", "-c1", "-W2", "-I", uplink.address("5"), peer)
            }
        }

        @Test func `A cut loses one direction only and neighbour discovery with it`() throws {
            let uplink = topology.uplink("a1")
            let echo = try laboratory.echo(
                from: a, uplink.address("5"), to: b, topology.uplink("b1").address("5"))
            try laboratory.pass(seconds: 0.5)
            let begin = try topology.cut(uplink, [.fromHost])
            try a.run("ip", "neighbour", "flush", "dev", "a1")
            try laboratory.wait(until: "the gateway to be given up") {
                try a.run("ip", "neighbour", "show", "dev", "a1").contains("FAILED")
            }
            #expect(try topology.swallowed(uplink, .fromHost) > 0)
            try topology.heal(uplink)
            let end = Clock.now
            try laboratory.pass(seconds: 0.5)
            let record = try echo.stop()
            let losses = record.losses
            #expect(!losses.isEmpty)
            #expect(losses.allSatisfy { $0 >= begin && $0 <= end + .seconds(1.5) })
            let gap = try #require(record.longestGap(from: begin, to: end))
            #expect(gap.length > .seconds(1))
        }

        @Test func `Random loss loses some packets and passes the others`() throws {
            let uplink = topology.uplink("b1")
            try topology.lose(percent: 20, on: uplink)
            let peer = uplink.address("5")
            let text = try a.result(of: ["ping", "-q", "-i0.01", "-c200", "-I", "2001:db8:a1::5", peer]).output
            let received = try #require(text.firstMatch(of: /(\d+) received/).flatMap { Int($0.1) })
            #expect((80..<180).contains(received))
        }

        @Test func `A capture holds what was on the wire and nothing is left after closing`() throws {
            let capture = try Capture(laboratory, in: topology.internet, device: "b1", filter: "icmp6[0] == 128")
            try a.run("ping", "-c3", "-i0.1", "-I", "2001:db8:a1::5", "2001:db8:b1::5")
            try laboratory.wait(until: "three packets") { try capture.packets().count == 3 }
            capture.stop()
            let packet = try #require(try capture.packets().first)
            #expect(packet.source.description == "2001:db8:a1::5")
            #expect(packet.destination.description == "2001:db8:b1::5")
            #expect(packet.nextHeader == 58)
            laboratory.close()
            #expect(!FileManager.default.fileExists(atPath: laboratory.directory))
            let namespaces = try Program.run(["ip", "netns", "list"])
            #expect(!namespaces.contains(a.name) && !namespaces.contains(topology.internet.name))
        }

        @Test func `What a killed laboratory left is removed by the next one`() throws {
            laboratory.close()
            // A process number that was in use and is not any more.
            let gone = try Program(["true"], output: "/dev/null")
            gone.end()
            let name = "s6-\(gone.identifier)-a"
            try Program.run(["ip", "netns", "add", name])
            let orphan = try Program(["ip", "netns", "exec", name, "sleep", "600"], output: "/dev/null")
            Laboratory.removeLeftovers()
            #expect(orphan.exitCode == 128 + SIGKILL)
            #expect(!FileManager.default.fileExists(atPath: "/run/netns/\(name)"))
        }
    }
}
