import Lab
import Requirements
import Shim6Control
import Shim6Wire
import Testing

extension HostTests {
    /// Several contexts of one ULID pair at once, each with flows and locators of its own (RFC 5533, section 4.2).
    @Suite struct ForkTests {
        private struct Fork {
            var port: UInt16
            var source: String
            var destination: String
        }
        private static let forks = [
            Fork(port: 7001, source: "a2", destination: "b2"), Fork(port: 7002, source: "a2", destination: "b1"),
            Fork(port: 7003, source: "a1", destination: "b2"),
        ]

        @Test(.requirement("5533-4.2-01", "5533-4.2-02", "5533-12.4-09"))
        func `Flows that shim6ctl fork names travel over locator pairs of their own, all at once`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                let origin = try #require(try pair.contextOfA()).summary.tag.description
                let tags = try Self.forks.map { fork in
                    try pair.a.ask(
                        Establishment.self, "fork", origin, "--protocol", "udp", "--dport", "\(fork.port)"
                    ).context.tag
                }
                for host in [pair.a, pair.b] {
                    try pair.laboratory.wait(until: "four contexts on host \(host.host)") {
                        try host.contexts().count { $0.state == "ESTABLISHED" } == 4
                    }
                }
                for (tag, fork) in zip(tags, Self.forks) {
                    try pair.a.control([
                        "switch", tag.description, "\(pair.locator(fork.source))", "\(pair.locator(fork.destination))",
                    ])
                }
                let sockets = try Self.forks.map { try Self.sockets(pair, port: $0.port) }
                let wire = try WireWatch(pair.topology)
                let begin = Clock.now
                for number in 0..<10 {
                    for (there, back) in sockets { Self.expectAnswer(there, back, number) }
                }
                try pair.laboratory.pass(seconds: 0.3)
                for (tag, fork) in zip(tags, Self.forks) {
                    let detail = try pair.a.ask(ContextDetail.self, "context", tag.description)
                    let path = LocatorPair(
                        source: pair.locator(fork.source), destination: pair.locator(fork.destination))
                    #expect(detail.summary.outgoing == path)
                    let packets = try wire.payload(on: fork.destination, path, since: begin)
                    #expect(packets.count == 10)
                    #expect(packets.allSatisfy { $0.tag == detail.peerTag?.rawValue })
                }
                // The session itself stays where it was, without a header.
                let ulids = LocatorPair(source: pair.ulidOfA, destination: pair.ulidOfB)
                #expect(try wire.payload(on: "b1", ulids, since: begin).isEmpty)
                let session = try pair.a.ask(ContextDetail.self, "context", origin).summary
                #expect(session.outgoing == ulids && session.ulids.local == pair.ulidOfA)
                #expect(try echo.stop().losses.isEmpty)
                // Without their contexts these flows are the session's again.
                for tag in tags { try pair.a.control(["rm", tag.description]) }
                let end = Clock.now
                for (there, back) in sockets { Self.expectAnswer(there, back, 11) }
                for fork in Self.forks {
                    let path = LocatorPair(
                        source: pair.locator(fork.source), destination: pair.locator(fork.destination))
                    #expect(try wire.payload(on: fork.destination, path, since: end).isEmpty)
                }
            }
        }

        private static func sockets(_ pair: Pair, port: UInt16) throws -> (Socket, Socket) {
            let there = try pair.a.namespace.inside {
                let socket = try Socket(.datagram)
                try socket.bind(to: "\(pair.ulidOfA)", port: port)
                try socket.connect(to: "\(pair.ulidOfB)", port: port)
                return socket
            }
            let back = try pair.b.namespace.inside {
                let socket = try Socket(.datagram)
                try socket.bind(to: "\(pair.ulidOfB)", port: port)
                try socket.connect(to: "\(pair.ulidOfA)", port: port)
                return socket
            }
            return (there, back)
        }

        private static func expectAnswer(_ there: Socket, _ back: Socket, _ number: Int) {
            let octets = [UInt8](repeating: UInt8(number), count: 100)
            #expect(there.sendOnce(octets))
            #expect(back.isReadable(within: 2000) && back.receive() == octets)
            #expect(back.sendOnce(octets))
            #expect(there.isReadable(within: 2000) && there.receive() == octets)
        }
    }
}
