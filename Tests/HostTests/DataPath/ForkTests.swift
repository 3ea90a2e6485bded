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

        @Test(.requirement("5533-4.2-01", "5533-4.2-02", "5533-4.2-03", "5533-12.4-09"))
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
                // The session itself stays where it was, without a header, and so does all that B answers.
                let ulids = LocatorPair(source: pair.ulidOfA, destination: pair.ulidOfB)
                #expect(try wire.payload(on: "b1", ulids, since: begin).isEmpty)
                for device in ["a1", "a2"] {
                    for source in ["b1", "b2"] {
                        let back = LocatorPair(source: pair.locator(source), destination: pair.locator(device))
                        #expect(try wire.payload(on: device, back, since: begin).isEmpty)
                    }
                }
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

        @Test func `When an uplink dies, each forked context finds its own way round`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                let origin = try #require(try pair.contextOfA()).summary.tag.description
                // One fork uses the uplink that will die, the other does not.
                let forks = [
                    Fork(port: 7011, source: "a1", destination: "b2"),
                    Fork(port: 7012, source: "a2", destination: "b2"),
                ]
                let tags = try forks.map { fork in
                    try pair.a.ask(
                        Establishment.self, "fork", origin, "--protocol", "udp", "--dport", "\(fork.port)"
                    ).context.tag
                }
                for host in [pair.a, pair.b] {
                    try pair.laboratory.wait(until: "three contexts on host \(host.host)") {
                        try host.contexts().count { $0.state == "ESTABLISHED" } == 3
                    }
                }
                for (tag, fork) in zip(tags, forks) {
                    try pair.a.control([
                        "switch", tag.description, "\(pair.locator(fork.source))", "\(pair.locator(fork.destination))",
                    ])
                }
                let sockets = try forks.map { try Self.sockets(pair, port: $0.port) }
                for (there, back) in sockets { Self.expectAnswer(there, back, 0) }
                #expect(try pair.contextOfA()?.summary.tag.description == origin)

                try pair.topology.cut(pair.topology.uplink("a1"))
                let dead = pair.locator("a1")
                try pair.laboratory.wait(until: "every context with traffic to leave a1", upTo: 60) {
                    for (there, back) in sockets {
                        _ = there.sendOnce([1])
                        _ = back.sendOnce([1])
                    }
                    let ways = try pair.a.contexts().map(\.outgoing)
                    let back = try pair.contextOfB()?.summary.outgoing
                    return ways.count == 3 && ways.allSatisfy { $0?.source == pair.locator("a2") }
                        && back?.destination == pair.locator("a2")
                }
                for (there, back) in sockets {
                    // Those that were sent on the way.
                    for socket in [there, back] { while socket.isReadable(within: 300) { _ = socket.receive() } }
                    for number in 1...5 { Self.expectAnswer(there, back, number) }
                }
                #expect(Set(try pair.a.contexts().map(\.tag)).isSuperset(of: tags), "a fork was made anew")
                #expect(try pair.a.contexts().allSatisfy { $0.outgoing?.source != dead })
                _ = try echo.stop()
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
