import Foundation
import Lab
import Testing

extension HostTests {
    /// `shim6ctl doctor` on hosts with real faults. What it says to type is typed, word by word.
    @Suite struct DoctorOnHostTests {
        @Test func `Faults of uplinks and routes are named, and what is typed mends them`() throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            var settings = Daemon.Settings()
            settings.sections[""] = ["manage-routes = false"]
            let daemon = try Daemon.ofHostWithAddresses(laboratory, settings)
            let host = daemon.namespace
            try host.run("ip", "link", "set", "a1", "mtu", "1300")
            let filter = ["protocol", "ipv6", "u32", "match", "u32", "0", "0", "classid", "1:1"]
            try host.run("tc", "qdisc", "add", "dev", "a2", "clsact")
            try host.run(["tc", "filter", "add", "dev", "a2", "ingress", "pref", "5"] + filter)

            let found = try daemon.examine()
            let narrow = found.ill("uplink a1")
            #expect(narrow.first?.explanation.contains("MTU 1300") == true, "\(found)")
            #expect(found.ill("uplink a2").contains { $0.explanation.contains("(u32, priority 5)") }, "\(found)")
            // The first uplink is the one that packets of all sources leave by.
            let unrouted = found.ill("routes from")
            #expect(unrouted.map(\.check) == ["routes from 2001:db8:a2::77"], "\(found)")
            try (narrow + unrouted).follow(in: host)
            try host.run("tc", "filter", "del", "dev", "a2", "ingress", "pref", "5")

            let mended = try daemon.examine().filter {
                !["XFRM data path", "daemon", "configuration"].contains($0.check)
            }
            #expect(mended.allSatisfy { $0.verdict == "ok" }, "\(mended)")
            let route = try host.run(
                "ip", "-6", "route", "get", "2001:db8:99::1", "from", "2001:db8:a2::77", "iif", "lo")
            #expect(route.contains("dev a2"), "\(route)")
        }

        @Test func `An uplink that is dead, has no address, or whose gateway is wrong is told from one that works`()
            throws
        {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let daemon = try Daemon.ofHostWithAddresses(laboratory)
            let (host, topology) = (daemon.namespace, daemon.topology)
            func verdict(of words: String, _ place: String = "a2") throws {
                let found = try daemon.examine()
                let ill = found.filter { $0.check.hasSuffix(place) && $0.verdict != "ok" }
                #expect(ill.contains { $0.explanation.contains(words) }, "\(words): \(found)")
                #expect(!found.contains { $0.check.hasSuffix("a1") && $0.verdict != "ok" }, "\(words): \(found)")
            }
            try topology.internet.run("ip", "addr", "del", "2001:db8:a2::1/64", "dev", "a2")
            try host.run("ip", "neigh", "flush", "dev", "a2")
            try verdict(of: "dead now, or the wrong gateway")
            try topology.internet.run("ip", "addr", "add", "2001:db8:a2::1/64", "dev", "a2", "nodad")
            let text = try String(contentsOfFile: daemon.configuration, encoding: .utf8)
            func configure(_ old: String, _ new: String) throws {
                try text.replacing(old, with: new).write(
                    toFile: daemon.configuration, atomically: true, encoding: .utf8)
            }
            try configure("2001:db8:a2::1\"", "2001:db8:a3::1\"")
            try verdict(of: "in no prefix of a2")
            try configure("2001:db8:a2::1\"", "auto\"")
            try host.run("ip", "-6", "route", "del", "default", "dev", "a2")
            try verdict(of: "no default route")
            try configure("", "")
            try host.run("ip", "addr", "del", "2001:db8:a2::77/64", "dev", "a2")
            try verdict(of: "no address yet")
            try configure("gateway = \"2001:db8:a2::1\"\nprefixes = [\"2001:db8:a2::/64\"]", "")
            try host.run("ip", "addr", "add", "192.0.2.2/24", "dev", "a2")
            try verdict(of: "IPv4 only")
            try host.set(["net.ipv6.conf.a2.disable_ipv6": "1"])
            try verdict(of: "switched off")
            try topology.internet.run("ip", "link", "set", "a2", "down")
            try verdict(of: "no carrier")
        }

        @Test func `A router that forwards nothing, and prefixes that are the other provider's, are found`() throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let daemon = try Daemon.ofHostWithAddresses(laboratory)
            let (host, topology) = (daemon.namespace, daemon.topology)
            try topology.internet.set(["net.ipv6.conf.all.forwarding": "0"])
            try host.run("ip", "neigh", "flush", "all")
            let still = try daemon.examine().ill("router of")
            #expect(still.count == 2 && still.allSatisfy { $0.explanation.contains("forwarding is off") }, "\(still)")
            try topology.internet.set(["net.ipv6.conf.all.forwarding": "1"])
            try host.run("ip", "neigh", "flush", "all")
            #expect(try daemon.examine().ill("router of").isEmpty)
            for (device, other) in [("a1", "a2"), ("a2", "a1")] {
                try host.run("ip", "addr", "flush", "dev", device, "scope", "global")
                try host.run("ip", "addr", "add", "2001:db8:\(other)::77/64", "dev", device, "nodad")
            }
            let swapped = try daemon.examine().ill("router of")
            #expect(
                swapped.count == 2 && swapped.allSatisfy { $0.explanation.contains("is of that provider") },
                "\(swapped)")
        }

        @Test func `A full tunnel and a read-only proc are said`() throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            var settings = Daemon.Settings()
            settings.sections[""] = ["manage-routes = false"]
            let daemon = try Daemon.ofHostWithAddresses(laboratory, settings)
            let host = daemon.namespace
            try host.run("ip", "link", "add", "wg0", "type", "veth", "peer", "name", "beyond")
            for device in ["wg0", "beyond"] { try host.run("ip", "link", "set", device, "up") }
            try host.run("ip", "neigh", "add", "fe80::9", "lladdr", "02:00:00:00:00:09", "dev", "wg0")
            try host.run("ip", "-6", "route", "add", "default", "via", "fe80::9", "dev", "wg0", "table", "51820")
            try host.run("ip", "-6", "rule", "add", "pref", "50", "not", "fwmark", "51820", "table", "51820")
            let found = try daemon.examine(behind: [
                "unshare", "-m", "sh", "-c",
                "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys; exec \"$@\"", "sh",
            ])
            let tunnel = found.ill("routes from")
            #expect(tunnel.count == 2 && tunnel.allSatisfy { $0.explanation.contains("full tunnel") }, "\(found)")
            #expect(found.ill("/proc/sys").map(\.verdict) == ["failure"], "\(found)")
        }

        /// Files of the host as a distribution with other services would have them, in a mount namespace.
        @Test func `Managers and lockdown are looked at where they are`() throws {
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
                cp -a /etc \(laboratory.path("etc"))
                mount --bind \(laboratory.path("etc")) /etc
                mount -t tmpfs none /run
                mkdir -p /run/systemd/netif /run/NetworkManager
                touch /run/systemd/netif/state
                \(program) doctor --json --config \(daemon.configuration) || true
                \(program) doctor --config \(daemon.configuration) | sed -n 's/^ \\{13\\}//p' \
                    | grep -E '^(mkdir|printf) ' >\(advice)
                . \(advice)
                echo '---'
                \(program) doctor --json --config \(daemon.configuration) || true
                """
            let output = try host.run("unshare", "-m", "sh", "-c", script)
            let answers = try output.components(separatedBy: "---\n").map {
                try JSONDecoder().decode([DoctorFinding].self, from: Data($0.utf8))
            }
            try #require(answers.count == 2)
            func verdicts(_ findings: [DoctorFinding]) -> [String: String] {
                Dictionary(findings.map { ($0.check, $0.verdict) }) { $1 }
            }
            let (before, after) = (verdicts(answers[0]), verdicts(answers[1]))
            for (check, ill) in [
                ("systemd-networkd", "warning"), ("NetworkManager", "warning"),
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
            let without = try daemon.examine(behind: ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"])
            let weak = without.filter { $0.check == "capabilities" }
            #expect(weak.first?.explanation.hasPrefix("CAP_NET_ADMIN missing") == true, "\(weak)")
            let wanted = try #require(weak.flatMap(\.advice).first { $0.hasPrefix("AmbientCapabilities=") })
            let names = wanted.split(separator: "=")[1].split(separator: " ").map { "+" + $0.dropFirst(4).lowercased() }
            let list = names.joined(separator: ",")
            let user = [
                "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=\(list)", "--ambient-caps=\(list)",
            ]
            let granted = try daemon.examine(behind: ["setpriv"] + user)
            for check in ["capabilities", "eBPF data path"] {
                #expect(granted.contains { $0.check == check && $0.verdict == "ok" }, "\(granted)")
            }
        }
    }
}
