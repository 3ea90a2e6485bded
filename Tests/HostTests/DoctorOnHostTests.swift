import Foundation
import Lab
import Testing

extension HostTests {
    /// `shim6ctl doctor` on a host with faults that its kernel tells of, and on the same one mended.
    @Suite struct DoctorOnHostTests {
        @Test func `Each fault of a host is named with what to type, and after that none is left`() throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let topology = try Topology(laboratory, hosts: ["a": 2])
            try topology.waitForAddresses(of: "a")
            let host = try topology.inside("a")
            var settings = Daemon.Settings()
            settings.sections[""] = ["manage-routes = false"]
            let daemon = try Daemon(topology, host: "a", settings: settings)
            func examine(_ words: [String] = []) throws -> Program.Result {
                try host.result(
                    of: words + [
                        try Executable.control.path, "doctor", "--config", daemon.configuration, "--socket",
                        daemon.socket,
                    ])
            }
            try host.run("ip", "link", "set", "a1", "mtu", "1300")
            try host.run("tc", "qdisc", "add", "dev", "a2", "clsact")
            try host.run(
                "tc", "filter", "add", "dev", "a2", "ingress", "pref", "5", "protocol", "ipv6", "u32", "match", "u32",
                "0", "0", "classid", "1:1")
            try host.run(
                "nft", "-f", "-",
                input: "table ip6 filter { chain input { type filter hook input priority 0; policy drop; "
                    + "tcp dport 22 accept; }; }")
            let ill = try examine()
            #expect(ill.exitCode == 1)
            for words in [
                ["uplink a1", "MTU 1300", "xfrm adds 48"], ["ip link set a1 mtu 1328"],
                ["uplink a2", "(u32, priority 5)"], ["tc filter show dev a2 ingress"],
                ["[FAILED]", "routes from 2001:db8:a1::/64"], ["ip -6 rule add from 2001:db8:a2::/64"],
                ["l4proto 140 accept"],
            ] {
                let isTold = ill.output.split(separator: "\n").contains { line in words.allSatisfy(line.contains) }
                #expect(isTold, "\(words) in:\n\(ill.output)")
            }

            try host.run("ip", "link", "set", "a1", "mtu", "1328")
            try host.run("tc", "qdisc", "del", "dev", "a2", "clsact")
            try host.run("nft", "add", "rule", "ip6", "filter", "input", "meta", "l4proto", "140", "accept")
            for (number, uplink) in topology.uplinks.enumerated() {
                let table = "\(200 + number)"
                try host.run("ip", "-6", "rule", "add", "from", uplink.prefix, "lookup", table)
                try host.run(
                    "ip", "-6", "route", "add", "default", "via", uplink.gateway, "dev", uplink.device, "onlink",
                    "table", table)
            }
            let mended = try examine()
            #expect(mended.exitCode == 0, "\(mended.output)")
            #expect(!mended.output.contains("[FAILED]"))
            #expect(!mended.output.contains("a1 mtu") && !mended.output.contains("priority 5"))

            let weak = try examine(["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"])
            #expect(weak.exitCode == 1 && weak.output.contains("CAP_NET_ADMIN missing"), "\(weak.output)")
        }
    }
}
