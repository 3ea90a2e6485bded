import Foundation

/// The gaps of one subject, application and failure, in seconds; nil where nothing came any more.
struct GapSeries: Codable {
    var subject: Subject
    var application: Application
    var failure: Failure
    var gaps: [Double?]

    /// The value that this share of the gaps does not exceed; infinite if too many sessions did not come back.
    func quantile(_ share: Double) -> Double {
        let sorted = gaps.map { $0 ?? .infinity }.sorted()
        guard !sorted.isEmpty else { return .nan }
        return sorted[max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1)]
    }

    var median: Double { quantile(0.5) }

    var line: String {
        let name = subject.name.padding(toLength: 30, withPad: " ", startingAt: 0)
        let failure = failure.rawValue.padding(toLength: 12, withPad: " ", startingAt: 0)
        let values = [median, quantile(0.95), quantile(0), quantile(1)].map(Self.milliseconds).joined(separator: " ")
        return "\(name) \(application.rawValue.uppercased()) \(failure) \(values)   (\(gaps.count) trials)"
    }

    static func milliseconds(_ seconds: Double) -> String {
        let text = seconds.isFinite ? String(format: "%.0f", seconds * 1000) : "never"
        return String(repeating: " ", count: max(0, 7 - text.count)) + text
    }
}

/// Where the figures come from.
struct Machine: Codable {
    var kernel: String
    var date: String
    var load: String

    init() {
        func read(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
        kernel = read("/proc/sys/kernel/osrelease").trimmingCharacters(in: .whitespacesAndNewlines)
        date = String(Date().ISO8601Format().prefix(10))
        load = read("/proc/loadavg").split(separator: " ").first.map(String.init) ?? ""
    }
}

struct GapReport {
    struct Verdict {
        var text: String
        var isMet: Bool
    }

    var series: [GapSeries]
    var machine: Machine

    var table: String {
        let head = "subject                        app  failure       median     95 %   least    most   (ms)"
        return ([head] + series.map(\.line)).joined(separator: "\n")
    }

    private struct Document: Codable {
        var machine: Machine
        var gapsInSeconds: [GapSeries]
    }

    /// Takes over what an earlier run wrote about subjects that were not measured now.
    mutating func add(_ json: Data) throws {
        let measured = Set(series.map(\.subject))
        let earlier = try JSONDecoder().decode(Document.self, from: json)
        let all = series + earlier.gapsInSeconds.filter { !measured.contains($0.subject) }
        series = Subject.allCases.flatMap { subject in all.filter { $0.subject == subject } }
    }

    var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            let document = Document(machine: machine, gapsInSeconds: series)
            return String(decoding: try encoder.encode(document), as: UTF8.self)
        }
    }

    private func find(_ subject: Subject, _ failure: Failure) -> GapSeries? {
        series.first { $0.subject == subject && $0.application == .tcp && $0.failure == failure }
    }

    /// The targets of the fast profile against MPTCP in the same run, as far as both were measured.
    var verdicts: [Verdict] {
        Failure.allCases.flatMap { failure -> [Verdict] in
            guard let fast = find(.fast, failure), let mptcp = find(.mptcp, failure) else { return [] }
            let share = failure == .toA ? 1 : 0.5
            func verdict(_ what: String, _ value: Double, _ limit: Double) -> Verdict {
                let isMet = value <= limit
                let figures =
                    "\(GapSeries.milliseconds(value)) ms, at most\(GapSeries.milliseconds(limit)) ms wanted"
                return Verdict(
                    text: "\(isMet ? "met   " : "MISSED") \(failure.rawValue): \(what)\(figures)", isMet: isMet)
            }
            return [
                verdict("median         ", fast.median, mptcp.median * share),
                verdict("95th percentile", fast.quantile(0.95), mptcp.median),
            ]
        }
    }
}
