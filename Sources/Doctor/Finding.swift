/// What one check has found.
public struct Finding: Codable, Hashable, Sendable {
    public enum Verdict: String, Codable, Hashable, Sendable {
        case ok = "ok"
        /// It may do harm.
        case warning = "warning"
        /// The daemon cannot do its work with it.
        case failure = "failure"
        /// It could not be looked at.
        case unknown = "unknown"
    }

    /// What was looked at: "eBPF", "uplink eth0".
    public var check: String
    public var verdict: Verdict
    /// What it is about and how it is.
    public var explanation: String
    /// What to type, line by line.
    public var advice: [String]

    public init(_ check: String, _ verdict: Verdict, _ explanation: String, advice: [String] = []) {
        self.check = check
        self.verdict = verdict
        self.explanation = explanation
        self.advice = advice
    }
}

extension [Finding] {
    /// 1 if something has failed, 2 if it has not, but something could not be looked at, else 0.
    public var exitCode: Int32 {
        if contains(where: { $0.verdict == .failure }) { return 1 }
        return contains { $0.verdict == .unknown } ? 2 : 0
    }

    /// For people, in 80 columns as far as there are words to break lines between. What is to be typed is not broken.
    public var text: String {
        map { finding in
            let mark =
                switch finding.verdict {
                case .ok: "[ok]      "
                case .warning: "[warning] "
                case .failure: "[FAILED]  "
                case .unknown: "[unknown] "
                }
            let lines = Self.broken("\(finding.check): \(finding.explanation)", columns: 80 - mark.count)
            let indent = String(repeating: " ", count: mark.count)
            let advice = finding.advice.map { "             " + $0 + "\n" }.joined()
            return mark + lines.joined(separator: "\n" + indent) + "\n" + advice
        }.joined()
    }

    private static func broken(_ text: String, columns: Int) -> [String] {
        text.split(separator: " ").reduce(into: [""]) { lines, word in
            let last = lines[lines.count - 1]
            if last.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if last.count + 1 + word.count <= columns {
                lines[lines.count - 1] += " \(word)"
            } else {
                lines.append(String(word))
            }
        }
    }
}
