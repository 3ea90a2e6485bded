import Foundation
import Lab
import Requirements
import Shim6Control
import Shim6Wire
import Testing

extension HostTests {
    /// What happens to the host's network while the daemon runs, told by the kernel.
    @Suite struct NetworkEventTests {
        @Test(.requirement("5534-3.2-01", "5534-3.2-02", "5534-3.1-07"))
        func `A gateway that neighbour discovery gives up takes its locator out, until it answers again`() throws {
            try withPair { pair in
                // Neighbour unreachability detection as ever, but fast.
                for name in ["base_reachable_time_ms=1000", "retrans_time_ms=300", "delay_first_probe_time=1"] {
                    try pair.a.namespace.run("sysctl", "-qw", "net.ipv6.neigh.a1.\(name)")
                }
                let echo = try pair.startSession()
                let begin = try pair.topology.cut(pair.topology.uplink("a1"))
                try pair.wait(until: pair.locator("a1"), isOffered: false, to: pair.b)
                let dead = try #require(try pair.a.status().uplinks.first { $0.interface == "a1" })
                #expect(dead.up && dead.carrier)
                #expect(try pair.a.namespace.addresses(on: "a1").contains { $0.local == pair.ulidOfA.description })
                try pair.topology.heal(pair.topology.uplink("a1"))
                // Nothing but the daemon's own questions to the gateway goes over a1.
                try pair.wait(until: pair.locator("a1"), isOffered: true, to: pair.b)
                #expect(try pair.straysOutsideFailure(try echo.stop(), begin).isEmpty)
            }
        }

        @Test(.requirement("5534-3.2-03"))
        func `Losing the carrier takes the locator out at once, before any timer of REAP`() throws {
            var settings = quick
            settings.sections["reap"] = ["send-timeout = 60.0"]
            try withPair(settings) { pair in
                let echo = try pair.startSession()
                let begin = Clock.now
                try pair.topology.internet.run("ip", "link", "set", "a1", "down")
                _ = try pair.waitUntilMoved(to: "payload to avoid a1") { a, b in
                    a.source == pair.locator("a2") && b.destination == pair.locator("a2")
                }
                try pair.wait(until: pair.locator("a1"), isOffered: false, to: pair.b)
                #expect(Clock.now - begin < .seconds(60), "it took a timer")
                _ = try echo.stop()
            }
        }

        @Test func `What another manager removes is put back: pin, address, route and rule`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                let host = pair.a.namespace
                let (ulid, other) = (pair.ulidOfA.description, pair.locator("a2").description)
                let before = try HostState(of: host)
                let restored = try #require(try pair.a.status().counters["rows_restored"])
                try host.run("ip", "addr", "del", "\(ulid)/128", "dev", "shim0")
                try host.run("ip", "addr", "del", "\(other)/64", "dev", "a2")
                try host.run("ip", "-6", "rule", "del", "from", "2001:db8:a1::/64", "lookup", "6141")
                try host.run("ip", "-6", "route", "flush", "table", "6141")
                try pair.laboratory.wait(until: "everything to be back") {
                    try before.changes(to: HostState(of: host)).isEmpty
                }
                // Two routes stand in the table at least.
                #expect(try pair.a.status().counters["rows_restored", default: 0] >= restored + 5)
                try pair.laboratory.pass(seconds: 1)
                #expect(try pair.contextOfA()?.summary.state == "ESTABLISHED")
                _ = try echo.stop()
            }
        }

        @Test func `A storm of changes is followed, with few looks at the network`() throws {
            try withPair { pair in
                let host = pair.a.namespace
                func refreshes() throws -> UInt64 {
                    try #require(try pair.a.status().counters["network_refreshes"])
                }
                let before = try refreshes()
                let storm = (0..<2_000).map {
                    "addr add 2001:db8:a1::f:\(String($0, radix: 16))/128 dev a1 nodad\n"
                }
                try host.run("ip", "-6", "-batch", "-", input: storm.joined())
                try pair.laboratory.wait(until: "all addresses to be seen") {
                    try pair.a.ask(LocatorReport.self, "locators").locators.count { $0.interface == "a1" } > 2_000
                }
                #expect(try refreshes() - before < 500)
                // What comes after it is still heard.
                try host.run("ip", "-6", "rule", "del", "from", "2001:db8:a1::/64", "lookup", "6141")
                try pair.laboratory.wait(until: "the rule to be back") {
                    try host.run("ip", "-6", "rule", "show").contains("2001:db8:a1::/64")
                }
                _ = try pair.startSession()
            }
        }

        @Test func `When the kernel had more to tell than the daemon could hear, it looks at everything anew`() throws {
            try withPair { pair in
                let host = pair.a.namespace
                let before = try HostState(of: host)
                pair.a.send(SIGSTOP)
                try host.run("ip", "-6", "rule", "del", "from", "2001:db8:a1::/64", "lookup", "6141")
                try host.run("ip", "addr", "del", "\(pair.locator("a2"))/64", "dev", "a2")
                // Each message takes about a kilobyte of the monitor's 4 MiB.
                let flood = (0..<20_000).map {
                    "route add 2001:db8:f:\(String($0, radix: 16))::/64 dev lo table 77\n"
                }
                try host.run("ip", "-6", "-batch", "-", input: flood.joined())
                try host.run("ip", "-6", "route", "flush", "table", "77")
                pair.a.send(SIGCONT)
                try pair.laboratory.wait(until: "everything to be back") {
                    try before.changes(to: HostState(of: host)).isEmpty
                }
                #expect(try pair.a.status().counters["network_resyncs", default: 0] >= 1)
                try pair.topology.waitForAddresses(of: "a")
                _ = try pair.startSession()
            }
        }
    }
}
