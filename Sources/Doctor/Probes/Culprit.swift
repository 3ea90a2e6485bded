import Glibc

/// The rule that has dropped a packet, as the kernel has told.
struct Culprit: Hashable, Sendable {
    /// What it stands in: "inet filter input", "ip6tables-legacy INPUT".
    var chain: String
    /// Nil for the chain's policy.
    var rule: String?
    /// What lets protocol 140 pass there.
    var advice: [String]

    var text: String { rule.map { "\(chain): \"\($0)\"" } ?? "\(chain): its policy" }

    /// What `nft monitor trace` has printed so far; nil while nothing of it says that a packet was dropped.
    static func ofTrace(_ text: String) -> Culprit? {
        for line in text.split(separator: "\n") {
            // trace id 8d2fc71a inet filter input rule meta l4proto 140 drop (verdict drop)
            let words = line.split(separator: " ").map(String.init)
            guard words.count > 7, words[0] == "trace", words[1] == "id" else { continue }
            let (family, table, chain) = (words[3], words[4], words[5])
            switch (words[6], words[7]) {
            case ("policy", "drop"):
                return Culprit(family, table, chain, rule: nil)
            case ("rule", _) where line.hasSuffix("(verdict drop)"):
                let rule = words[7...].joined(separator: " ")
                return Culprit(family, table, chain, rule: String(rule.dropLast(" (verdict drop)".count)))
            default: continue
            }
        }
        return nil
    }

    private init(_ family: String, _ table: String, _ chain: String, rule: String?) {
        self.init(
            chain: "\(family) \(table) \(chain)", rule: rule, advice: Self.advice(family, table, chain))
    }

    init(chain: String, rule: String?, advice: [String]) {
        self.chain = chain
        self.rule = rule
        self.advice = advice
    }

    private static func advice(_ family: String, _ table: String, _ chain: String) -> [String] {
        if table == "firewalld" { return ["firewall-cmd --permanent --add-protocol=140", "firewall-cmd --reload"] }
        // ip6tables-nft has chains with names like this.
        if family == "ip6", ["INPUT", "OUTPUT", "PREROUTING", "POSTROUTING"].contains(chain) {
            return ["ip6tables -t \(table) -I \(chain) -p 140 -j ACCEPT"]
        }
        return ["nft insert rule \(family) \(table) \(chain) meta l4proto 140 accept"]
    }

    // MARK: ip6tables-legacy

    /// The rule or policy that drops and has counted packets between two answers of `ip6tables-legacy-save -c`.
    static func ofCounters(before: String, after: String) -> Culprit? {
        let (old, new) = (LegacyRule.all(before), LegacyRule.all(after))
        // Rules may stand there twice, but not change between the two.
        guard old.map(\.text) == new.map(\.text) else { return nil }
        guard let found = zip(old, new).first(where: { $0.packets < $1.packets && $1.drops })?.1 else { return nil }
        return Culprit(
            chain: "ip6tables-legacy \(found.chain)", rule: found.isPolicy ? nil : found.text,
            advice: ["ip6tables-legacy -t \(found.table) -I \(found.chain) -p 140 -j ACCEPT"])
    }

    private struct LegacyRule {
        var table: String
        var chain: String
        var text: String
        var packets: UInt64
        var isPolicy: Bool
        var drops: Bool

        static func all(_ save: String) -> [LegacyRule] {
            var table = ""
            return save.split(separator: "\n").compactMap { line in
                if line.hasPrefix("*") { table = String(line.dropFirst()) }
                // [12:3456] -A INPUT -p 140 -j DROP
                if let match = line.firstMatch(of: /^\[(\d+):\d+\] (-A (\S+) .*)$/) {
                    let text = String(match.2)
                    return LegacyRule(
                        table: table, chain: String(match.3), text: text, packets: UInt64(match.1) ?? 0,
                        isPolicy: false,
                        drops: text.contains(/-j (DROP|REJECT)\b/))
                }
                // :INPUT DROP [12:3456]
                if let match = line.firstMatch(of: /^:(\S+) (\S+) \[(\d+):\d+\]$/) {
                    return LegacyRule(
                        table: table, chain: String(match.1), text: "\(match.1) \(match.2)",
                        packets: UInt64(match.3) ?? 0, isPolicy: true, drops: match.2 == "DROP")
                }
                return nil
            }
        }
    }
}

extension Culprit {
    /// Asks the kernel while `send` is called some times.
    ///
    /// - Parameter traces: whether the own tables are there.
    static func find(traces: Bool, _ send: () -> Void) -> Culprit? {
        (traces ? byTrace(send) : nil) ?? byCounters(send)
    }

    private static func byTrace(_ send: () -> Void) -> Culprit? {
        // Its time is limited in case that this process ends first.
        guard let pipe = popen("echo $$; exec timeout 10 nft monitor trace 2>/dev/null", "re") else { return nil }
        let descriptor = fileno(pipe)
        var text = ""
        var part = [UInt8](repeating: 0, count: 65_536)
        defer {
            if let process = text.split(separator: "\n").first.flatMap({ pid_t($0) }) { kill(process, SIGTERM) }
            pclose(pipe)
        }
        for _ in 0..<10 {
            send()
            for _ in 0..<5 {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                guard poll(&waiting, 1, 100) > 0 else { continue }
                let count = read(descriptor, &part, part.count)
                guard count > 0 else { return nil }
                text += String(decoding: part[..<count], as: UTF8.self)
                if let found = ofTrace(text) { return found }
            }
        }
        return nil
    }

    private static func byCounters(_ send: () -> Void) -> Culprit? {
        let command = "ip6tables-legacy-save -c"
        guard let before = Programs.output(of: command) else { return nil }
        for _ in 0..<3 { send() }
        usleep(200_000)
        return Programs.output(of: command).flatMap { ofCounters(before: before, after: $0) }
    }
}
