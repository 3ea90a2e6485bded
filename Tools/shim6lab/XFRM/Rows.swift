import Lab

/// The selectors of sub policies, and the addresses and headers of states.
struct Rows: Equatable {
    var policies: [String]
    var states: [String]

    init(of namespace: Namespace) throws {
        func lines(_ arguments: String...) throws -> [[Substring]] {
            try namespace.run(["ip", "-oneline", "xfrm"] + arguments).split(separator: "\n").map {
                $0.split(whereSeparator: \.isWhitespace)
            }
        }
        policies = try lines("policy", "list", "ptype", "sub").map { words in
            words.prefix { $0 != "index" }.joined(separator: " ")
        }.sorted()
        states = try lines("state", "list").map { $0.prefix(10).joined(separator: " ") }.sorted()
    }
}
