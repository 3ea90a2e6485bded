import Foundation
import Lab
import Requirements
import Shim6Control
import Shim6Wire
import Steering
import Testing

extension HostTests {
    /// ICMPv6 errors about rehomed packets quote what no socket of this host has sent; they reach the right one all the same.
    @Suite struct PathErrorTests {
        private func rehomed(_ body: (Pair) throws -> Void) throws {
            try withPair { pair in
                let echo = try pair.startSession()
                try pair.laboratory.serveBursts(in: pair.b.namespace, on: pair.ulidOfB.description)
                try pair.rehome()
                try body(pair)
                _ = try echo.stop()
            }
        }

        @Test(
            .requirement("5533-8-06", "5533-8-10", "5533-8-11", "5533-8-12", "5533-15.4-02"), arguments: [1400, 1280])
        func `Packets of a rehomed session fit through a router that takes less`(mtu: Int) throws {
            try rehomed { pair in
                for uplink in pair.topology.uplinks {
                    try pair.topology.internet.run(
                        "ip", "-6", "route", "add", uplink.prefix, "dev", uplink.device, "metric", "1", "mtu", "lock",
                        "\(mtu)")
                }
                let ends = ["--local", pair.ulidOfA.description, "--peer", pair.ulidOfB.description]
                // A stream in both directions, in which nothing but retransmission makes up for what the router drops.
                let bursts = try pair.laboratory.bulk(
                    ["bursts", "--size", "300000", "--count", "3"] + ends, in: pair.a.namespace)
                #expect(bursts == Bulk.Tally(sent: 3, intact: 3))
                // Of datagrams some are lost until both kernels know.
                for size in [1200, 1230, 1452, 4_000] {
                    try pair.laboratory.wait(until: "UDP of \(size) octets to pass", upTo: 60) {
                        let tally = try pair.laboratory.bulk(
                            ["datagrams", "--size", "\(size)", "--count", "5"] + ends, in: pair.a.namespace)
                        return tally.intact == tally.sent
                    }
                }
                for (host, peer) in [(pair.a, pair.ulidOfB), (pair.b, pair.ulidOfA)] {
                    let own = host.host == "a" ? pair.ulidOfA : pair.ulidOfB
                    let route = try host.namespace.run("ip", "-6", "route", "get", "\(peer)", "from", "\(own)")
                    #expect(route.contains("mtu \(max(mtu - 8, 1280)) "), "\(route)")
                    let counters = try host.status().counters
                    #expect(counters.contains { $0.key.hasSuffix("translated_errors") && $0.value > 0 })
                    let fragmented = counters.contains { $0.key.hasSuffix("to_fragment") && $0.value > 0 }
                    #expect(fragmented == (mtu < 1288))
                }
            }
        }

        @Test(.requirement("5533-15.4-03"))
        func `After a switch nothing is believed of the path before`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                try pair.laboratory.serveBursts(in: pair.b.namespace, on: pair.ulidOfB.description)
                let tag = try #require(try pair.contextOfA()).summary.tag.description
                let (own, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
                let pairs = Dictionary(
                    uniqueKeysWithValues: ["b1", "b2"].map {
                        ($0, LocatorPair(source: pair.locator("a2"), destination: pair.locator($0)))
                    })
                func move(to device: String) throws {
                    try pair.a.control(["switch", tag, "\(pair.locator("a2"))", "\(pair.locator(device))"])
                    #expect(try pair.contextOfA()?.summary.outgoing == pairs[device])
                }
                func send(_ size: Int) throws -> Bool {
                    let tally = try pair.laboratory.bulk(
                        ["datagrams", "--size", "\(size)", "--count", "5", "--local", own, "--peer", peer],
                        in: pair.a.namespace)
                    return tally.intact == tally.sent
                }
                func route() throws -> String {
                    try pair.a.namespace.run("ip", "-6", "route", "get", peer, "from", own)
                }
                let narrow = pair.topology.uplink("b2")
                try pair.topology.internet.run(
                    "ip", "-6", "route", "add", narrow.prefix, "dev", narrow.device, "metric", "1", "mtu", "lock",
                    "1400")
                for _ in 0..<2 {
                    try move(to: "b2")
                    try pair.laboratory.wait(until: "UDP to pass the narrow path", upTo: 60) { try send(1444) }
                    #expect(try route().contains("mtu 1392 "))
                    try move(to: "b1")
                    #expect(try route().contains("mtu 1492 "))
                    let wire = try WireWatch(pair.topology)
                    let begin = Clock.now
                    #expect(try send(1444))
                    try pair.laboratory.pass(seconds: 0.3)
                    // Whole: the headers of IPv6, Shim6 and UDP make them as large as the uplink takes.
                    let whole = try wire.payload(on: "b1", try #require(pairs["b1"]), since: begin)
                        .filter { $0.payloadLength == 1460 }
                    #expect(whole.count == 5)
                }
                _ = try echo.stop()
            }
        }

        @Test(.requirement("5533-8-07"))
        func `A closed port is told to the socket that sends to it`() throws {
            try rehomed { pair in
                let socket = try pair.a.namespace.inside { try Socket(.datagram) }
                try socket.bind(to: pair.ulidOfA.description, port: 0)
                try socket.connect(to: pair.ulidOfB.description, port: 9)
                #expect(socket.sendOnce([1, 2, 3]))
                #expect(socket.isReadable(within: 5000))
                #expect(socket.receive() == nil)
                #expect(errno == ECONNREFUSED)
            }
        }

        @Test(.requirement("5533-8-09"))
        func `An error about a packet without a payload header reaches its socket untouched`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                let socket = try pair.a.namespace.inside { try Socket(.datagram) }
                try socket.bind(to: pair.ulidOfA.description, port: 0)
                try socket.connect(to: pair.ulidOfB.description, port: 9)
                #expect(socket.sendOnce([1, 2, 3]))
                #expect(socket.isReadable(within: 5000))
                #expect(socket.receive() == nil)
                #expect(errno == ECONNREFUSED)
                let counters = try pair.a.status().counters
                #expect(!counters.contains { $0.key.hasSuffix("translated_errors") && $0.value > 0 })
                _ = try echo.stop()
            }
        }

        @Test(.requirement("5533-8-08"))
        func `A Parameter Problem about an option of the socket's own reaches the socket`() throws {
            try rehomed { pair in
                let socket = try pair.a.namespace.inside { try Socket(.datagram) }
                try socket.set(Int32(IPPROTO_IPV6), IPV6_RECVERR, 1)
                // A Destination Options header with one option that nobody knows and that has to be told of (RFC 8200,
                // section 4.2).
                let options: [UInt8] = [0, 0, 0x9e, 4, 0, 0, 0, 0]
                try socket.set(Int32(IPPROTO_IPV6), IPV6_DSTOPTS, options)
                try socket.bind(to: pair.ulidOfA.description, port: 0)
                try socket.connect(to: pair.ulidOfB.description, port: Echo.port)
                #expect(socket.sendOnce([1, 2, 3]))
                #expect(socket.isReadable(within: 5000))
                #expect(socket.receive() == nil)
                #expect(errno == EPROTO)
            }
        }

        @Test(.requirement("5533-8-01", "5533-8-10"))
        func `A router without a route is told to the socket whose packet it had`() throws {
            try rehomed { pair in
                let socket = try pair.a.namespace.inside { try Socket(.datagram) }
                try socket.set(Int32(IPPROTO_IPV6), IPV6_RECVERR, 1)
                try socket.bind(to: pair.ulidOfA.description, port: 0)
                try socket.connect(to: pair.ulidOfB.description, port: Echo.port)
                for uplink in pair.topology.uplinks(of: "b") {
                    try pair.topology.internet.run(
                        "ip", "-6", "route", "add", "unreachable", uplink.prefix, "metric", "1")
                }
                #expect(socket.sendOnce([1, 2, 3]))
                #expect(socket.isReadable(within: 5000))
                #expect(socket.receive() == nil)
                #expect(errno == ENETUNREACH || errno == EHOSTUNREACH)
            }
        }
    }
}
