import ArgumentParser
import Foundation

@main
struct Shim6Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shim6bench",
        abstract: "What the protocol part of shim6d costs, without the kernel.",
        discussion: """
            Exits with 1 if memory taken for an I1 is not given back, a context takes too much, or a header takes a heap \
            block to read.
            """)

    enum Part: String, CaseIterable, ExpressibleByArgument {
        case codec
        case i1
        case memory
        case contexts
        case i2
        case rate
        case hba
        case search
    }

    @Argument(help: "What to measure: \(Part.allCases.map(\.rawValue).joined(separator: ", ")); all by default.")
    var parts: [Part] = []
    @Option(help: "Rounds that count.") var rounds = 9

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("There has to be one round at least.") }
    }

    func run() throws {
        print(Machine.description)
        print("median of \(rounds) alternating rounds, processor time of one thread; load \(Machine.load) at the start")
        var failed = false
        for part in Part.allCases where parts.isEmpty || parts.contains(part) {
            switch part {
            case .codec: if try !show(CodecSeries().series) { failed = true }
            case .i1: try show(I1Series().series)
            case .memory: if try !Retention().holds { failed = true }
            case .contexts: if try !ContextMemory().holds { failed = true }
            case .i2:
                for bits in [1024, 2048] { try show(I2Series(bits: bits).series) }
            case .rate:
                for bits in [1024, 2048] { try ResponderRate(bits: bits, rounds: rounds).lines.forEach { print($0) } }
            case .hba: try show(HBASeries().series)
            case .search: try show(SearchSeries().series)
            }
        }
        print("\nload \(Machine.load) at the end")
        if failed { throw ExitCode.failure }
    }

    /// Returns whether the costs are as they have to be.
    @discardableResult
    private func show(_ series: Series) throws -> Bool {
        let costs = try series.measure(rounds: rounds)
        let violations = series.violations(in: costs)
        for line in Report(series: series, costs: costs).lines + violations { print(line) }
        fflush(nil)
        return violations.isEmpty
    }
}
