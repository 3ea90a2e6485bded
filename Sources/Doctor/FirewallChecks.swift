import Glibc

/// What packet filters do to Shim6. They are judged by their text, so that this only points at what may do harm.
struct FirewallChecks {
    /// nftables' rules, those of ip6tables-nft among them.
    var ruleset: Ruleset
    /// What `ip6tables-legacy-save` prints.
    var legacy: String

    init(nftables: String, legacy: String = "") {
        ruleset = Ruleset(nftables)
        self.legacy = legacy
    }

    /// Those of this network namespace; nil if nothing is there to ask.
    static func ofThisHost() -> FirewallChecks? {
        let (nftables, legacy) = (output(of: "nft -a list ruleset"), output(of: "ip6tables-legacy-save"))
        guard nftables != nil || legacy != nil else { return nil }
        return FirewallChecks(nftables: nftables ?? "", legacy: legacy ?? "")
    }

    func all() -> [Finding] { [reversePath(), shim6()] }

    // MARK: Reverse-path filters

    func reversePath() -> Finding {
        var strict: [String] = []
        var advice: [String] = []
        for chain in ruleset.chains {
            for rule in chain.rules where rule.text.contains(/fib saddr .*\biif\b.*\bdrop\b/) {
                strict.append(rule.text)
                let loose = Self.withoutCounters(rule.text.replacing(" . iif", with: ""))
                advice.append(
                    chain.isFirewalld
                        ? "IPv6_rpfilter=loose in /etc/firewalld/firewalld.conf, then firewall-cmd --reload"
                        : "nft replace rule \(chain.place) handle \(rule.handle) \(loose)")
            }
        }
        var table = ""
        for line in legacy.split(separator: "\n") {
            if line.hasPrefix("*") { table = String(line.dropFirst()) }
            guard line.contains("-m rpfilter"), !line.contains("--loose") else { continue }
            strict.append(String(line))
            let loose = line.replacing("-m rpfilter", with: "-m rpfilter --loose")
            let delete = line.replacing("-A ", with: "-D ", maxReplacements: 1)
            advice += ["ip6tables-legacy -t \(table) \(loose)", "ip6tables-legacy -t \(table) \(delete)"]
        }
        guard let first = strict.first else {
            return Finding("reverse-path filters", .ok, "none that asks for the interface")
        }
        return Finding(
            "reverse-path filters", .warning,
            "a strict one drops packets that come in by another uplink than their answers would go: \"\(first)\". eBPF "
                + "hands rehomed packets over on the right interface, XFRM does not",
            advice: advice)
    }

    private static func withoutCounters(_ text: String) -> String {
        text.replacing(/counter packets \d+ bytes \d+/, with: "counter")
    }

    // MARK: Protocol 140

    func shim6() -> Finding {
        let closed = ruleset.base("input").filter { chain in
            (chain.dropsByPolicy || chain.rules.contains { Self.dropsEverything($0.text) })
                && !ruleset.reachable(from: chain).contains { Self.acceptsShim6($0.text) }
        }
        var advice = closed.flatMap { chain in
            chain.isFirewalld
                ? ["firewall-cmd --permanent --add-protocol=140", "firewall-cmd --reload"]
                : [
                    "nft insert rule \(chain.place) meta l4proto 140 accept",
                    "nft insert rule \(chain.place) rt type 2 accept   # only for driver = \"xfrm\"",
                ]
        }
        let lines = legacy.split(separator: "\n")
        if lines.contains(where: {
            $0.hasPrefix(":INPUT DROP") || $0.hasPrefix("-A INPUT -j REJECT") || $0 == "-A INPUT -j DROP"
        }),
            !lines.contains(where: { $0.contains(/-p (140|shim6)\b.*-j ACCEPT/) })
        {
            advice += [
                "ip6tables-legacy -I INPUT -p 140 -j ACCEPT",
                "ip6tables-legacy -I INPUT -m rt --rt-type 2 -j ACCEPT   # only for driver = \"xfrm\"",
            ]
        }
        guard !advice.isEmpty else {
            return Finding("packet filters", .ok, "none drops a peer's I1 as something new")
        }
        return Finding(
            "packet filters", .failure,
            "what is new is dropped, and nothing accepts protocol 140: a peer's I1, and its payload on a new path, do not "
                + "get in",
            advice: advice)
    }

    private static func dropsEverything(_ rule: String) -> Bool {
        let words = rule.replacing(/counter packets \d+ bytes \d+/, with: "").replacing(
            /log( prefix "[^"]*")?/, with: ""
        )
        .split(separator: " ")
        return words == ["drop"] || words.first == "reject" || words.starts(with: ["ct", "state", "new", "drop"])
    }

    private static func acceptsShim6(_ rule: String) -> Bool {
        rule.contains(/(nexthdr|l4proto) (\{[^}]*)?\b(140|shim6)\b.*accept/.ignoresCase())
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
