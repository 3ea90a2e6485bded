extension Configuration {
    /// A configuration file with every key, its default and what it means. It is valid and sets nothing but defaults.
    public static var defaultsText: String {
        let defaults = Configuration()
        var lines = ["# Configuration of shim6d. Every key is here with its default."]
        for key in Declaration.topLevel { lines += entry(key, defaults) }
        lines += ["", "# One [[uplink]] for each provider:"]
        var example = Uplink()
        example.interface = "eth0"
        for (index, key) in Declaration.uplink.enumerated() {
            let text = index == 0 ? ["", "[[uplink]]"] + entry(key, example).dropFirst() : entry(key, example)
            lines += text.map { $0.isEmpty ? "#" : "# " + $0 }
        }
        for section in Declaration.sections {
            lines += ["", ""] + wrapped(section.comment) + ["[\(section.name)]"]
            for key in section.keys { lines += entry(key, defaults) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func entry<Root>(_ key: Key<Root>, _ root: Root) -> [String] {
        [""] + wrapped(key.comment) + ["\(key.name) = \(key.write(root))"]
    }

    private static func wrapped(_ comment: String) -> [String] {
        var lines: [String] = []
        for word in comment.split(separator: " ") {
            if let last = lines.last, last.count + word.count < 98 {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append("# \(word)")
            }
        }
        return lines
    }
}
