import FoundationEssentials

/// The kernel's counters of packets that XFRM did not let pass, by its own names ("XfrmInTmplMismatch").
public enum XFRMStatistics {
    /// Those of the calling thread's network namespace; empty if the kernel keeps none (CONFIG_XFRM_STATISTICS).
    public static func read() -> [String: UInt64] {
        guard let text = try? String(contentsOfFile: "/proc/thread-self/net/xfrm_stat", encoding: .utf8) else {
            return [:]
        }
        return parse(text)
    }

    static func parse(_ text: String) -> [String: UInt64] {
        var counters: [String: UInt64] = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(whereSeparator: \.isWhitespace)
            if fields.count == 2, let value = UInt64(fields[1]) { counters[String(fields[0])] = value }
        }
        return counters
    }
}
