import Foundation

/// What figures depend on.
enum Machine {
    static var description: String {
        let fields = (text("/proc/cpuinfo") ?? "").split(separator: "\n").map {
            $0.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
        }
        func field(_ name: String) -> String? { fields.first { $0.count == 2 && $0[0] == name }?[1] }
        let hash = field("flags")?.contains("sha_ni") == true ? "with" : "without"
        let kernel = text("/proc/sys/kernel/osrelease")?.trimmingCharacters(in: .newlines) ?? "unknown"
        return "\(ProcessInfo.processInfo.processorCount) cores of \(field("model name") ?? "an unknown processor"), "
            + "\(hash) SHA instructions; Linux \(kernel)"
    }

    /// How many threads wanted to run, on average over the last minute.
    static var load: String {
        text("/proc/loadavg")?.split(separator: " ").first.map(String.init) ?? "unknown"
    }

    /// Octets of this process that are in memory.
    static var resident: Int {
        let pages = text("/proc/self/statm")?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(getpagesize())
    }

    private static func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }
}
