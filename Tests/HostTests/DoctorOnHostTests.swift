import Foundation
import Lab
import Testing

extension HostTests {
    /// `shim6ctl doctor` on hosts with real faults. What it says to type is typed, word by word.
    @Suite struct DoctorOnHostTests {
        private struct Finding: Decodable, CustomStringConvertible {
            var check: String
            var verdict: String
            var explanation: String
            var advice: [String]
            var description: String { "\(verdict) \(check): \(explanation) \(advice)" }
        }

        /// What it finds for the configuration of a daemon, run behind other words.
        private func examine(_ daemon: Daemon, behind words: [String] = []) throws -> [Finding] {
            let result = try daemon.namespace.result(
                of: words + [
                    try Executable.control.path, "doctor", "--json", "--config", daemon.configuration, "--socket",
                    daemon.socket,
                ])
            let findings = try JSONDecoder().decode([Finding].self, from: Data(result.output.utf8))
            #expect(result.exitCode == (findings.contains { $0.verdict == "failure" } ? 1 : 0))
            return findings
        }

        /// Types what the findings say, but what asks for programs that are not here.
        private func follow(_ findings: [Finding], in namespace: Namespace) throws {
            for line in findings.flatMap(\.advice) { try namespace.run("sh", "-c", line) }
        }

        @Test func `Faults of uplinks and routes are named, and what is typed mends them`() throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let topology = try Topology(laboratory, hosts: ["a": 2])
            try topology.waitForAddresses(of: "a")
            let host = try topology.inside("a")
            var settings = Daemon.Settings()
            settings.sections[""] = ["manage-routes = false"]
            let daemon = try Daemon(topology, host: "a", settings: settings)
            try host.run("ip", "link", "set", "a1", "mtu", "1300")
            let filter = ["protocol", "ipv6", "u32", "match", "u32", "0", "0", "classid", "1:1"]
            try host.run("tc", "qdisc", "add", "dev", "a2", "clsact")
            try host.run(["tc", "filter", "add", "dev", "a2", "ingress", "pref", "5"] + filter)

            let ill = try examine(daemon).filter { $0.verdict != "ok" }
            let narrow = ill.filter { $0.explanation.contains("MTU 1300") && $0.explanation.contains("xfrm adds 48") }
            #expect(narrow.map(\.check) == ["uplink a1"], "\(ill)")
            let foreign = ill.filter { $0.explanation.contains("(u32, priority 5)") }
            #expect(foreign.map(\.check) == ["uplink a2"], "\(ill)")
            let unrouted = ill.filter { $0.check.hasPrefix("routes from") && $0.verdict == "failure" }
            #expect(unrouted.map(\.check) == topology.uplinks.map { "routes from \($0.prefix)" }, "\(ill)")

            try follow(narrow + unrouted, in: host)
            #expect(foreign.first?.advice.contains { $0.contains("pref 200") } == true)
            try host.run("tc", "filter", "del", "dev", "a2", "ingress", "pref", "5")
            try host.run(["tc", "filter", "add", "dev", "a2", "ingress", "pref", "200"] + filter)

            let mended = try examine(daemon).filter { $0.check.hasPrefix("uplink") || $0.check.hasPrefix("routes") }
            #expect(mended.count >= 6 && mended.allSatisfy { $0.verdict == "ok" }, "\(mended)")
            for uplink in topology.uplinks {
                let route = try host.run(
                    "ip", "-6", "route", "get", "2001:db8:99::1", "from", uplink.address("77"), "iif", "lo")
                #expect(route.contains("dev \(uplink.device)"), "\(route)")
            }
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

            let found = try examine(pair.b)
            let closed = found.filter { $0.check == "packet filters" }
            #expect(closed.map(\.verdict) == ["failure"], "\(found)")
            let strict = found.filter { $0.check == "reverse-path filters" }
            #expect(strict.map(\.verdict) == ["warning"], "\(found)")
            try follow(closed + strict, in: b)
            let mended = try examine(pair.b).filter { $0.check.hasSuffix("filters") }
            #expect(mended.count == 2 && mended.allSatisfy { $0.verdict == "ok" }, "\(mended)")

            _ = try pair.waitUntilEstablished()
            try pair.topology.cut(pair.topology.uplink("b1"))
            _ = try pair.waitUntilMoved(to: "payload to leave b1") { a, b in
                a.destination == pair.locator("b2") && b.source == pair.locator("b2")
            }
            try laboratory.pass(seconds: 2)
            #expect(try echo.stop().received.suffix(25).allSatisfy { $0.nanoseconds != 0 })
        }

        /// Files of the host as a distribution with other services would have them, in a mount namespace.
        @Test func `Managers, lockdown and kernel options are looked at where they are`() throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let topology = try Topology(laboratory, hosts: ["a": 2])
            let host = try topology.inside("a")
            let daemon = try Daemon(topology, host: "a")
            let program = try Executable.control.path
            let advice = laboratory.path("advice.sh")
            // What asks a service manager is left out.
            let script = """
                set -e
                mount -t tmpfs none /sys/kernel/security
                echo 'none integrity [confidentiality]' >/sys/kernel/security/lockdown
                mount -t tmpfs none /boot
                echo '# CONFIG_IPV6_SUBTREES is not set' >/boot/config-$(uname -r)
                cp -a /etc \(laboratory.path("etc"))
                mount --bind \(laboratory.path("etc")) /etc
                mount -t tmpfs none /run
                mkdir -p /run/systemd/netif /run/NetworkManager
                touch /run/systemd/netif/state
                \(program) doctor --json --config \(daemon.configuration) || true
                echo 'CONFIG_IPV6_SUBTREES=y' >/boot/config-$(uname -r)
                echo 'CONFIG_IPV6_MULTIPLE_TABLES=y' >>/boot/config-$(uname -r)
                \(program) doctor --config \(daemon.configuration) | sed -n 's/^ \\{13\\}//p' \
                    | grep -E '^(mkdir|printf) ' >\(advice)
                . \(advice)
                echo '---'
                \(program) doctor --json --config \(daemon.configuration) || true
                """
            let output = try host.run("unshare", "-m", "sh", "-c", script)
            let answers = try output.components(separatedBy: "---\n").map {
                try JSONDecoder().decode([Finding].self, from: Data($0.utf8))
            }
            try #require(answers.count == 2)
            func verdicts(_ findings: [Finding]) -> [String: String] {
                Dictionary(findings.map { ($0.check, $0.verdict) }) { $1 }
            }
            let (before, after) = (verdicts(answers[0]), verdicts(answers[1]))
            for (check, ill) in [
                ("systemd-networkd", "warning"), ("NetworkManager", "warning"), ("kernel options", "failure"),
            ] {
                #expect(before[check] == ill, "\(answers[0])")
                #expect(after[check] == "ok", "\(answers[1])")
            }
            #expect(before["lockdown"] == "warning", "\(answers[0])")
        }

        @Test func `The capabilities that it asks for are enough`() throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let topology = try Topology(laboratory, hosts: ["a": 2])
            let daemon = try Daemon(topology, host: "a")
            let without = try examine(
                daemon, behind: ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"])
            let weak = without.filter { $0.check == "capabilities" }
            #expect(weak.first?.explanation.hasPrefix("CAP_NET_ADMIN missing") == true, "\(weak)")
            let wanted = try #require(weak.flatMap(\.advice).first { $0.hasPrefix("AmbientCapabilities=") })
            let names = wanted.split(separator: "=")[1].split(separator: " ").map { "+" + $0.dropFirst(4).lowercased() }
            let list = names.joined(separator: ",")
            let user = [
                "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=\(list)", "--ambient-caps=\(list)",
            ]
            let granted = try examine(daemon, behind: ["setpriv"] + user)
            for check in ["capabilities", "eBPF data path"] {
                #expect(granted.contains { $0.check == check && $0.verdict == "ok" }, "\(granted)")
            }
        }
    }
}
