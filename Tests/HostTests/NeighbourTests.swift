import Foundation
import Lab
import Requirements
import Shim6Control
import Shim6Wire
import Testing

extension HostTests {
    /// What else is on a host goes on working as its owner meant it.
    @Suite struct NeighbourTests {
        @Test(.requirement("5533-15.2-02"))
        func `A strict reverse-path filter and a socket bound to the ULID's interface keep receiving`() throws {
            try withPair { pair in
                for host in [pair.a, pair.b] {
                    try host.namespace.run(
                        "nft", "-f", "-",
                        input: """
                            table ip6 firewall {
                                chain prerouting {
                                    type filter hook prerouting priority raw;
                                    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert } accept
                                    fib saddr . iif oif missing counter drop
                                }
                            }
                            """)
                }
                let echo = try pair.startSession()
                let bound = try pair.laboratory.echo(
                    from: pair.a.namespace, pair.ulidOfA.description, to: pair.b.namespace,
                    pair.ulidOfB.description, port: Echo.port + 100, device: "a1")
                try pair.laboratory.pass(seconds: 1)
                let begin = try pair.rehome()
                let moved = Clock.now
                try pair.laboratory.pass(seconds: 4)
                for meter in [echo, bound] {
                    let record = try meter.stop()
                    #expect(try pair.straysOutsideFailure(record, begin).isEmpty)
                    let later = record.received.filter { $0 > moved + .seconds(1) }
                    #expect(later.count > 100, "\(later.count) echoes in the last three seconds")
                }
            }
        }

        @Test func `No rule by interface sees the daemon's own device while a moved session has an uplink`() throws {
            try withPair { pair in
                let host = pair.a.namespace
                for host in [pair.a, pair.b] {
                    try host.namespace.run(
                        "nft", "-f", "-",
                        input: """
                            table ip6 firewall {
                                counter seen {}
                                chain input {
                                    type filter hook input priority filter;
                                    iifname "shim0*" counter name seen drop
                                }
                                chain output {
                                    type filter hook output priority filter;
                                    oifname "shim0*" counter name seen drop
                                }
                            }
                            """)
                }
                let echo = try pair.startSession()
                let begin = try pair.rehome()
                let moved = Clock.now
                try pair.laboratory.pass(seconds: 3)
                let record = try echo.stop()
                #expect(try pair.straysOutsideFailure(record, begin).isEmpty)
                #expect(record.received.contains { $0 > moved + .seconds(1) })
                for host in [pair.a, pair.b] {
                    let seen = try host.namespace.run("nft", "list", "counter", "ip6", "firewall", "seen")
                    #expect(seen.contains("packets 0 "))
                }
                func route() throws -> String { try host.run("ip", "-6", "route", "show", "table", "6140") }
                let second = pair.topology.uplink("a2")
                let leading = "via \(second.gateway) dev a2 "
                #expect(try route().contains(leading) && !route().contains("shim0"))
                // While there is none nothing is lost: the packets go to the data path.
                try pair.topology.lower(second)
                try pair.laboratory.wait(until: "the route to lead to shim0") { try route().contains("dev shim0 ") }
                try pair.topology.raise(second)
                try pair.laboratory.wait(until: "the route to lead to a2 again") { try route().contains(leading) }
            }
        }

        @Test func `Someone's ESP policy for the same addresses is neither replaced nor weakened`() throws {
            var settings = quick
            settings.sections["protocol"] = ["idle-timeout = 4"]
            try withPair(settings) { pair in
                let a = pair.a.namespace
                let (local, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
                let echo = try pair.startSession()
                let esp = ["tmpl", "proto", "esp", "mode", "transport", "level", "required"]
                try a.run(["ip", "xfrm", "policy", "add", "src", local, "dst", peer, "dir", "out"] + esp)
                try a.run(["ip", "xfrm", "policy", "add", "src", peer, "dst", local, "dir", "in"] + esp)
                let before = try policies(of: a)
                let begin = Clock.now
                // Longer than the idle timeout: our own policy expires and comes back meanwhile.
                try pair.laboratory.pass(seconds: 8)
                #expect(try policies(of: a) == before)
                let record = try echo.stop()
                let leaked = zip(record.sent, record.received).filter { $0.0 > begin && $0.1.nanoseconds != 0 }
                #expect(leaked.isEmpty, "cleartext passed where ESP is required")
                _ = try? pair.a.control(["establish", local, peer])
                try pair.laboratory.pass(seconds: 1)
                pair.a.stop()
                #expect(try policies(of: a) == before)
            }
        }

        private func policies(of host: Namespace) throws -> String {
            try host.run("ip", "xfrm", "policy", "list", "nosock", "ptype", "main")
        }
    }
}
