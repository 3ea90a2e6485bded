import ArgumentParser
import Foundation

@main
struct Shim6Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shim6bench",
        abstract: "What the protocol part of shim6d costs, without the kernel.",
        discussion: "Exits with 1 if memory taken for an I1 is not given back.")

    enum Part: String, CaseIterable, ExpressibleByArgument {
        case i1
        case memory
        case i2
        case hba
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
            case .i1: try show(I1Series().series)
            case .memory: failed = try !Retention().holds
            case .i2:
                for bits in [1024, 2048] { try show(I2Series(bits: bits).series) }
            case .hba: try show(HBASeries().series)
            }
        }
        print("\nload \(Machine.load) at the end")
        if failed { throw ExitCode.failure }
    }

    private func show(_ series: Series) throws {
        for line in Report(series: series, costs: try series.measure(rounds: rounds)).lines { print(line) }
        fflush(nil)
    }
}
