/// The rules of nftables, as `nft -a list ruleset` prints them.
struct Ruleset {
    struct Rule {
        var text: String
        var handle: String
    }

    struct Chain {
        /// Family and name: "inet filter".
        var table: String
        var name: String
        /// Where the kernel calls it; nil if only rules jump to it.
        var hook: String?
        var dropsByPolicy = false
        var rules: [Rule] = []

        /// As nft's commands name it.
        var place: String { "\(table) \(name)" }
        var isFirewalld: Bool { table.hasSuffix(" firewalld") }
    }

    private(set) var chains: [Chain] = []

    init(_ text: String) {
        var table = ""
        var chain: Chain?
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let first = words.first else { continue }
            if first == "table", words.count > 2 {
                table = "\(words[1]) \(words[2])"
            } else if first == "chain", words.count > 1 {
                chain = Chain(table: table, name: words[1])
            } else if first == "}" {
                if let chain { chains.append(chain) }
                chain = nil
            } else if first == "type", let hook = words.firstIndex(of: "hook"), hook + 1 < words.count {
                chain?.hook = words[hook + 1]
                chain?.dropsByPolicy = line.contains("policy drop")
            } else {
                let handle = words.lastIndex(of: "handle").map { words.suffix(from: $0 + 1).joined() } ?? ""
                let rule = words.prefix { $0 != "#" }.joined(separator: " ")
                chain?.rules.append(Rule(text: rule, handle: handle))
            }
        }
    }

    /// The base chains that IPv6 packets meet at this hook.
    func base(_ hook: String) -> [Chain] {
        chains.filter { $0.hook == hook && ($0.table.hasPrefix("ip6 ") || $0.table.hasPrefix("inet ")) }
    }

    /// The rules of a chain and of those that it leads to.
    func reachable(from chain: Chain) -> [Rule] {
        var rules: [Rule] = []
        var open = [chain]
        var seen: Set<String> = []
        while let next = open.popLast() {
            guard seen.insert(next.name).inserted else { continue }
            rules += next.rules
            let words = Set(next.rules.flatMap { $0.text.split(separator: " ").map(String.init) })
            open += chains.filter { $0.table == chain.table && words.contains($0.name) }
        }
        return rules
    }
}
