import Foundation
import Lab
import Shim6Control
import Shim6Wire
import Testing

extension HostTests {
    /// What else is on a host goes on working as its owner meant it.
    @Suite struct NeighbourTests {
        @Test func `A strict reverse-path filter and a socket bound to the ULID's interface keep receiving`() throws {
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
                    pair.ulidOfB.description, device: "a1")
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

        @Test func `A user's packet mark survives the rewriting`() throws {
            try withPair { pair in
                let a = pair.a.namespace
                try a.run(
                    "nft", "-f", "-",
                    input: """
                        table inet user {
                            chain output {
                                type route hook output priority mangle;
                                udp dport \(Echo.port) meta mark set 0x2a
                            }
                        }
                        table netdev user {
                            chain egress {
                                type filter hook egress device "a2" priority 0;
                                ip6 nexthdr 140 meta mark 0x2a counter comment "marked"
                            }
                        }
                        """)
                let echo = try pair.startSession()
                try pair.rehome()
                try pair.laboratory.pass(seconds: 2)
                let record = try echo.stop()
                #expect(record.received.last.map { $0.nanoseconds != 0 } ?? false)
                let rules = try a.run("nft", "list", "table", "netdev", "user")
                let marked = rules.firstMatch(of: /packets (\d+) bytes \d+ comment "marked"/).flatMap { Int($0.1) }
                #expect(try #require(marked) > 50, "\(rules)")
            }
        }

        @Test func `Another filter on the uplink still sees the packets that leave`() throws {
            try withPair { pair in
                let a = pair.a.namespace
                // A filter of the user's: packets with hop limit 77 are not to leave.
                let source = pair.laboratory.path("filter.c")
                try """
                static int (*const load)(const void *, unsigned, void *, unsigned) = (void *)26;
                __attribute__((section("tc"))) int filter(void *packet) {
                    unsigned char limit = 0;
                    load(packet, 21, &limit, 1);
                    return limit == 77 ? 2 : -1;
                }
                char license[] __attribute__((section("license"))) = "GPL";

                """.write(toFile: source, atomically: true, encoding: .utf8)
                let object = pair.laboratory.path("filter.o")
                try Program.run(["clang", "-O2", "-target", "bpf", "-c", source, "-o", object])
                for device in ["a1", "a2"] {
                    _ = try a.result(of: ["tc", "qdisc", "add", "dev", device, "clsact"])
                    try a.run([
                        "tc", "filter", "add", "dev", device, "egress", "pref", "40000", "bpf", "da", "obj", object,
                        "sec", "tc",
                    ])
                }
                let (local, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
                func answers(hopLimit: Int) throws -> Bool {
                    try a.result(of: ["ping", "-c2", "-W1", "-i0.2", "-t\(hopLimit)", "-I", local, peer]).exitCode == 0
                }
                let echo = try pair.startSession()
                #expect(try answers(hopLimit: 64))
                #expect(try !answers(hopLimit: 77), "a filter behind ours saw nothing while not rehomed")
                try pair.rehome()
                #expect(try answers(hopLimit: 64))
                #expect(try !answers(hopLimit: 77), "a filter behind ours saw nothing while rehomed")
                _ = try echo.stop()
                // And it is still there when ours are gone.
                pair.a.stop()
                #expect(try a.run("tc", "filter", "show", "dev", "a1", "egress").contains("pref 40000"))
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
            try host.run("ip", "xfrm", "policy", "list", "ptype", "main")
        }
    }
}
