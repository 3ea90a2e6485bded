import Foundation
import Lab
import Testing

extension HostTests {
    /// `shim6ctl doctor` and the packet filters of its host.
    @Suite struct DoctorFilterTests {
        struct Filter: CustomTestStringConvertible, Sendable {
            var testDescription: String
            /// What goes into "table inet own", or a whole table.
            var rules: String
            /// The checks that fail.
            var ill: [String] = []
            var culprit = ""
            var peer: String?
        }

        private static let filters = [
            Filter(
                testDescription: "drop at input",
                rules: "chain c { type filter hook input priority 0; meta l4proto 140 drop\n}",
                ill: ["into a1", "into a2"], culprit: "inet own c: \"meta l4proto shim6 drop\""),
            Filter(
                testDescription: "drop at output",
                rules: "chain c { type filter hook output priority 0; meta l4proto 140 drop\n}",
                ill: ["out of a1", "out of a2"], culprit: "inet own c"),
            Filter(
                testDescription: "drop at forward",
                rules: "chain c { type filter hook forward priority 0; meta l4proto 140 drop\n}"),
            Filter(
                testDescription: "policy of input",
                rules: "chain c { type filter hook input priority 0; policy drop; meta l4proto ipv6-icmp accept\n}",
                ill: ["into a1", "into a2"], culprit: "inet own c: its policy"),
            Filter(
                testDescription: "policy of output",
                rules: "chain c { type filter hook output priority 0; policy drop; meta l4proto ipv6-icmp accept\n}",
                ill: ["out of a1", "out of a2"], culprit: "inet own c: its policy"),
            Filter(
                testDescription: "reject in a chain of its own",
                rules: "chain d { meta l4proto 140 reject\n}\nchain c { type filter hook input priority 0; jump d\n}",
                ill: ["into a1", "into a2"], culprit: "inet own d"),
            Filter(
                testDescription: "drop at the ingress of a device",
                rules: "chain c { type filter hook ingress device a1 priority 0; ip6 nexthdr 140 drop\n}",
                ill: ["into a1"], culprit: "netdev own c"),
            Filter(
                testDescription: "drop at the egress of a device",
                rules: "chain c { type filter hook egress device a2 priority 0; ip6 nexthdr 140 drop\n}",
                ill: ["out of a2"], culprit: "netdev own c"),
            Filter(
                testDescription: "good rules by a set of interfaces",
                rules: "set u { type ifname; elements = { a1, a2 }\n}\nchain c { type filter hook input priority 0; "
                    + "policy drop; iifname @u meta l4proto 140 accept\nmeta l4proto ipv6-icmp accept\n}"),
            Filter(
                testDescription: "good rules by the source",
                rules: "chain c { type filter hook input priority 0; policy drop; ip6 saddr 2001:db8:b1::/64 accept\n"
                    + "meta l4proto ipv6-icmp accept\n}", peer: "2001:db8:b1::5"),
            Filter(
                testDescription: "good rules for the source of another",
                rules: "chain c { type filter hook input priority 0; policy drop; ip6 saddr 2001:db8:b1::/64 accept\n"
                    + "meta l4proto ipv6-icmp accept\n}", ill: ["into a1", "into a2"], culprit: "its policy",
                peer: "2001:db8:b2::5"),
            // With shim6d's routes it drops nothing.
            Filter(
                testDescription: "a strict reverse-path filter",
                rules: "chain c { type filter hook prerouting priority -150; fib saddr . iif oif missing drop\n}",
                ill: ["into a2"], culprit: "inet own c"),
        ]

        @Test(arguments: filters) func `Filters are judged by what they do, and what is typed mends them`(
            filter: Filter
        ) throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let daemon = try Daemon.ofHostWithAddresses(laboratory)
            let host = daemon.namespace
            let family = filter.rules.contains("device") ? "netdev" : "inet"
            try host.run("nft", "-f", "-", input: "table \(family) own {\n\(filter.rules)\n}\n")
            let before = try host.run("nft", "list", "ruleset")
            func ill() throws -> [DoctorFinding] {
                try daemon.examine(peers: [filter.peer].compactMap(\.self)).filter {
                    ($0.check.hasPrefix("into") || $0.check.hasPrefix("out of")) && $0.verdict != "ok"
                }
            }
            let found = try ill()
            #expect(found.map(\.check).sorted() == filter.ill, "\(found)")
            #expect(found.allSatisfy { $0.verdict == "failure" && $0.explanation.contains(filter.culprit) }, "\(found)")
            #expect(try host.run("nft", "list", "ruleset") == before)
            #expect(try !host.run("ip", "link").contains("shim6p"))
            try Array(found.prefix(1)).follow(in: host)
            #expect(try ill().isEmpty)
        }

        @Test func `Nothing is left of a run that is killed`() throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let daemon = try Daemon.ofHostWithAddresses(laboratory)
            let host = daemon.namespace
            try host.run(
                "nft", "-f", "-",
                input: "table inet own {\nchain c { type filter hook output priority 0; meta l4proto 140 drop\n}\n}\n")
            let program = try laboratory.start(
                [try Executable.control.path, "doctor", "--config", daemon.configuration], in: host, log: "doctor.log")
            try laboratory.wait(until: "its tables") { try host.run("nft", "list", "tables").contains("shim6-doctor") }
            program.end(with: SIGKILL)
            try laboratory.wait(until: "its tables to be gone") {
                try host.run("nft", "list", "tables").split(separator: "\n") == ["table inet own"]
            }
            #expect(try !host.run("ip", "link").contains("shim6p"))
        }

        @Test func `Behind a stateful packet filter no session is made until what it says is typed`() throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            var settings = Daemon.Settings()
            settings.sections["protocol"] = ["i1-timeout = 0.2", "no-r1-holddown-time = 2.0"]
            // A packet filter knows the answers to what its own host has begun.
            let passive = ["data-path": ["trigger-octets = 1000000000", "trigger-age = 86400.0"]]
            let pair = try Pair(laboratory, a: settings, b: Daemon.Settings(passive))
            let b = pair.b.namespace
            try b.run(
                "nft", "-f", "-",
                input: """
                    table inet own {
                        chain first {
                            type filter hook prerouting priority -150
                            meta nfproto ipv6 fib saddr . iif oif missing drop
                        }
                        chain entry {
                            type filter hook input priority 0; policy drop;
                            ct state invalid drop
                            ct state established,related accept
                            meta l4proto ipv6-icmp accept
                            udp dport 7007 accept
                        }
                    }
                    """)
            try pair.start()
            let (local, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
            let echo = try laboratory.echo(from: pair.a.namespace, local, to: b, peer)
            try laboratory.wait(until: "a context to be tried") { try !pair.a.contexts().isEmpty }
            try laboratory.wait(until: "all I1s to be in vain") { try pair.a.contexts().isEmpty }
            #expect(try pair.b.contexts().isEmpty)

            // What it sends itself makes the filter let answers in, and nothing else.
            let closed = try pair.b.examine(peers: [local]).ill("into")
            #expect(closed.map(\.check) == ["into b1", "into b2"], "\(closed)")
            let again = try pair.b.examine(peers: [local]).ill("into")
            #expect(again.map(\.check) == ["into b1", "into b2"], "\(again)")
            try Array(closed.prefix(1)).follow(in: b)
            #expect(try pair.b.examine(peers: [local]).ill("into").isEmpty)

            _ = try pair.waitUntilEstablished()
            try pair.topology.cut(pair.topology.uplink("b1"))
            _ = try pair.waitUntilMoved(to: "payload to leave b1") { a, b in
                a.destination == pair.locator("b2") && b.source == pair.locator("b2")
            }
            try laboratory.pass(seconds: 2)
            #expect(try echo.stop().received.suffix(25).allSatisfy { $0.nanoseconds != 0 })
        }
    }
}
