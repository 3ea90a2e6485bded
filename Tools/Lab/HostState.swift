import Foundation

/// Everything in a host's kernel that a daemon could have changed: links, addresses, routes, rules, queueing
/// disciplines, filters, policies and states, as the usual tools list them.
public struct HostState: Equatable, Sendable, CustomStringConvertible {
    public private(set) var lines: [String: Set<String>] = [:]

    public init(of namespace: Namespace) throws {
        let links = try namespace.query("link", "show", as: [Link].self)
        lines["links"] = Set(links.map { "\($0.ifname) mtu \($0.mtu)" })
        for kind in ["rules", "routes", "addresses", "policies", "sub policies", "states", "disciplines"] {
            let words: [String]
            switch kind {
            case "rules": words = ["ip", "-6", "rule", "show"]
            case "routes": words = ["ip", "-6", "-oneline", "route", "show", "table", "all"]
            case "addresses": words = ["ip", "-6", "-oneline", "addr", "show"]
            case "policies": words = ["ip", "-oneline", "xfrm", "policy", "list", "ptype", "main"]
            case "sub policies": words = ["ip", "-oneline", "xfrm", "policy", "list", "ptype", "sub"]
            case "states": words = ["ip", "-oneline", "xfrm", "state", "list"]
            case _: words = ["tc", "qdisc", "show"]
            }
            lines[kind] = Self.lines(of: try namespace.run(words))
        }
        for link in links {
            for hook in ["ingress", "egress"] {
                let result = try namespace.result(of: ["tc", "filter", "show", "dev", link.ifname, hook])
                lines["filters on \(link.ifname) \(hook)"] = Self.lines(of: result.output)
            }
        }
        lines = lines.filter { !$0.value.isEmpty }
    }

    /// What `later` has and this has not, and the reverse, without the kinds in `except`.
    public func changes(to later: HostState, except: Set<String> = []) -> [String] {
        let kinds = Set(lines.keys).union(later.lines.keys).subtracting(except)
        return kinds.sorted().flatMap { kind in
            let (before, after) = (lines[kind] ?? [], later.lines[kind] ?? [])
            return after.subtracting(before).sorted().map { "+ \(kind): \($0)" }
                + before.subtracting(after).sorted().map { "- \(kind): \($0)" }
        }
    }

    public var description: String {
        lines.sorted { $0.key < $1.key }.map { "\($0.key):\n" + $0.value.sorted().joined(separator: "\n") }
            .joined(separator: "\n")
    }

    private struct Link: Decodable {
        var ifname: String
        var mtu: Int
    }

    /// Lifetimes that run, and what comes and goes with traffic, are no state.
    private static func lines(of text: String) -> Set<String> {
        let running = ["expires", "valid_lft", "preferred_lft"]
        let lines = text.split(separator: "\n").map { line -> String in
            var words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            while let index = words.firstIndex(where: running.contains) {
                words.removeSubrange(index..<min(index + 2, words.count))
            }
            return words.joined(separator: " ")
        }
        return Set(lines.filter { !$0.isEmpty && !$0.contains("cache") })
    }
}
