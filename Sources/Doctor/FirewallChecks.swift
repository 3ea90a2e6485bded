import Foundation

/// What packet filters do to Shim6. They are judged by their text, so that this only points at what may do harm.
enum FirewallChecks {
    /// `rules`: what `nft list ruleset` and `ip6tables-save` print.
    static func all(rules: String) -> [Finding] { [reversePath(rules), shim6(rules)] }

    static func reversePath(_ rules: String) -> Finding {
        let lines = rules.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        let strict = lines.filter { line in
            line.contains("fib saddr") && line.contains("iif") && line.contains("drop")
                || line.contains("-m rpfilter") && !line.contains("--loose")
        }
        guard let first = strict.first else {
            return Finding("reverse-path filters", .ok, "none that asks for the interface")
        }
        return Finding(
            "reverse-path filters", .warning,
            "a strict one drops packets that come in by another uplink than their answers would go: \"\(first)\". eBPF "
                + "hands rehomed packets over on the right interface, XFRM does not",
            advice: [
                "nftables: fib saddr oif missing drop   # without iif",
                "firewalld: IPv6_rpfilter=loose in /etc/firewalld/firewalld.conf, then firewall-cmd --reload",
            ])
    }

    static func shim6(_ rules: String) -> Finding {
        let lines = rules.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        let accepts = lines.contains { line in
            (line.contains("nexthdr 140") || line.contains("l4proto 140") || line.contains("-p 140")
                || line.contains("shim6")) && line.lowercased().contains("accept")
        }
        let drops = lines.contains { line in
            line.contains("hook input") && line.contains("policy drop") || line.hasPrefix(":INPUT DROP")
                || line.hasPrefix("ct state invalid drop") || line.hasPrefix("reject with")
        }
        guard drops, !accepts else {
            return Finding("packet filters", .ok, drops ? "protocol 140 is accepted" : "none that drops what is new")
        }
        return Finding(
            "packet filters", .failure,
            "what is new is dropped, and nothing accepts protocol 140: a peer's I1, and its payload on a new path, do not "
                + "get in",
            advice: [
                "nft insert rule inet filter input meta l4proto 140 accept",
                "nft insert rule inet filter input exthdr rt type 2 accept   # for XFRM's form",
                "firewall-cmd --permanent --add-protocol=140 && firewall-cmd --reload",
                "ip6tables -I INPUT -p 140 -j ACCEPT",
            ])
    }

    /// The rules of this network namespace; nil if nothing is there to ask.
    static func rules() -> String? {
        let texts = ["nft list ruleset", "ip6tables-save"].compactMap(output)
        return texts.isEmpty ? nil : texts.joined(separator: "\n")
    }

    /// Nil if the program is not there or fails. Not by Foundation's Process, which needs a loopback that is up.
    private static func output(of command: String) -> String? {
        guard let pipe = popen("\(command) 2>/dev/null", "r") else { return nil }
        var octets: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&part, 1, part.count, pipe), count > 0 { octets += part[..<count] }
        return pclose(pipe) == 0 ? String(decoding: octets, as: UTF8.self) : nil
    }
}
