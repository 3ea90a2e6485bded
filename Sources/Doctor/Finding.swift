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
    /// For people.
    public var text: String {
        map { finding in
            let mark =
                switch finding.verdict {
                case .ok: "[ok]      "
                case .warning: "[warning] "
                case .failure: "[FAILED]  "
                case .unknown: "[unknown] "
                }
            let advice = finding.advice.map { "             " + $0 + "\n" }.joined()
            return "\(mark)\(finding.check): \(finding.explanation)\n\(advice)"
        }.joined()
    }
}
