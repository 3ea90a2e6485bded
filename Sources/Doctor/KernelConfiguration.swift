import FoundationEssentials

/// The options that a kernel was built with, where the distribution tells: /boot/config-RELEASE.
struct KernelConfiguration {
    private let options: [String: String]

    init(_ text: String) {
        var options: [String: String] = [:]
        for line in text.split(separator: "\n") where line.hasPrefix("CONFIG_") {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { options[String(parts[0].dropFirst("CONFIG_".count))] = String(parts[1]) }
        }
        self.options = options
    }

    /// Of the kernel that runs; nil if nothing tells.
    static func running() -> KernelConfiguration? {
        guard let release = try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8) else {
            return nil
        }
        let name = release.filter { !$0.isWhitespace }
        for path in ["/boot/config-\(name)", "/lib/modules/\(name)/config"] {
            if let text = try? String(contentsOfFile: path, encoding: .utf8) { return KernelConfiguration(text) }
        }
        return nil
    }

    /// Those of `wanted` that are neither built in nor modules.
    func missing(_ wanted: [String]) -> [String] { wanted.filter { options[$0] != "y" && options[$0] != "m" } }
}
