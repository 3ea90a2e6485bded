import ArgumentParser
import Foundation
import Simulation

@main
struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shim6sim",
        abstract: "Runs whole hosts on a simulated network in virtual time, one run a seed.",
        discussion: """
            Each run has faults of every kind, and invariants that are checked after every step. The lowest seed whose \
            run violates one is told, run again, and printed. Exit code 1.
            """)

    @Argument(help: "How many seeds to run.")
    var seeds: UInt64 = 1000

    @Argument(help: "The first seed.")
    var first: UInt64 = 1

    @Option(help: "How many runs at once; by default one a processor.")
    var workers = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: "How many of the last lines of a failed run to print.")
    var lines = 80

    @Option(help: "Print the whole trace of one seed instead.")
    var trace: UInt64?

    @Flag(help: "Fail if a reachable cell of a state table was not visited.")
    var everyCell = false

    @Flag(help: "Print a digest of each run, in the order of the seeds, and nothing else.")
    var digests = false

    @Option(help: "Break something on purpose, to see that it is noticed and that the run can be repeated.")
    var sabotage = Sabotage.none

    func validate() throws {
        guard workers > 0 else { throw ValidationError("There has to be one worker at least.") }
        guard seeds > 0 else { throw ValidationError("There has to be one seed at least.") }
    }

    func run() async throws {
        let keys = try Keys()
        if let trace { return try show(trace, keys, lines: .max / 4) }
        if digests { return printDigests(keys) }
        let start = ContinuousClock.now
        let failure = FirstFailure()
        let summary = await withTaskGroup(of: Summary.self) { group in
            for worker in 0..<UInt64(workers) { group.addTask { work(worker, keys, failure) } }
            return await group.reduce(into: Summary()) { $0.add($1) }
        }
        if let seed = failure.seed { return try show(seed, keys, lines: lines) }
        let took = (ContinuousClock.now - start).components.seconds
        print(summary.coverage.report)
        print(
            "\(summary.seeds) seeds from \(first): all invariants held. \(summary.text) in \(took) s by \(workers) workers."
        )
        if everyCell, !summary.coverage.missing.isEmpty {
            print("Not visited: \(summary.coverage.missing.joined(separator: "; "))")
            throw ExitCode(1)
        }
    }

    /// Every `workers`th seed.
    private func work(_ worker: UInt64, _ keys: Keys, _ failure: FirstFailure) -> Summary {
        var summary = Summary()
        for seed in stride(from: first + worker, to: first + seeds, by: workers) where !failure.rules(out: seed) {
            let world = World(seed: seed, keys: keys, sabotage: sabotage)
            world.run()
            if let reason = world.failure {
                failure.note(seed, reason)
                break
            }
            summary.add(world)
        }
        return summary
    }

    private func printDigests(_ keys: Keys) {
        for seed in first..<(first + seeds) {
            let world = World(seed: seed, keys: keys, sabotage: sabotage)
            world.run()
            print("\(seed) \(String(world.digest, radix: 16)) \(world.deliveries)")
        }
    }

    /// Runs a seed with a trace, which the same seed makes the same run.
    private func show(_ seed: UInt64, _ keys: Keys, lines: Int) throws {
        let world = World(seed: seed, keys: keys, sabotage: sabotage, traceLimit: lines)
        world.run()
        for line in world.traceLines.suffix(lines) { print(line) }
        guard let failure = world.failure else { return print("seed \(seed): all invariants held") }
        let broken = sabotage == .none ? "" : " --sabotage \(sabotage.rawValue)"
        print("FAILED \(failure)\nAll of it: Scripts/simulate.sh --trace \(seed)\(broken)")
        throw ExitCode(1)
    }
}

extension Sabotage: ExpressibleByArgument {}
