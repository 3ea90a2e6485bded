import ArgumentParser
import Simulation

@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shim6sim",
        abstract: "Runs whole hosts on a simulated network in virtual time, one run a seed.",
        discussion: """
            Each run has faults of every kind, and invariants that are checked after every step. The first run that \
            violates one is told by its seed, run again, and printed. Exit code 1.
            """)

    @Argument(help: "How many seeds to run.")
    var seeds: UInt64 = 1000

    @Argument(help: "The first seed.")
    var first: UInt64 = 1

    @Option(help: "How many of the last lines of a failed run to print.")
    var lines = 80

    @Option(help: "Print the whole trace of one seed instead.")
    var trace: UInt64?

    @Flag(help: "Fail if a reachable cell of a state table was not visited.")
    var everyCell = false

    @Flag(help: "Print a digest of each run.")
    var digests = false

    func run() throws {
        let keys = try Keys()
        if let trace {
            let world = World(seed: trace, keys: keys, traceLimit: 1_000_000)
            world.run()
            world.traceLines.forEach { print($0) }
            return
        }
        var coverage = Coverage()
        var deliveries = 0
        var fewest = Int.max
        var virtual = 0.0
        var shortest = Double.infinity
        var events: UInt64 = 0
        let start = ContinuousClock.now
        for seed in first..<(first + seeds) {
            let world = World(seed: seed, keys: keys)
            world.run()
            if let failure = world.failure { throw report(failure, seed, keys) }
            coverage.add(world.coverage)
            deliveries += world.deliveries
            fewest = min(fewest, world.deliveries)
            virtual += world.virtualSeconds
            shortest = min(shortest, world.virtualSeconds)
            events += world.events
            if digests { print("\(seed) \(String(world.digest, radix: 16)) \(world.deliveries)") }
        }
        let took = ContinuousClock.now - start
        print(coverage.report)
        print(
            """
            \(seeds) seeds from \(first): all invariants held. \(deliveries) deliveries (at least \(fewest) a seed), \
            \(Int(virtual / 60)) virtual minutes (at least \(Int(shortest / 60)) a seed), \(events) events in \(took).
            """)
        if everyCell, !coverage.missing.isEmpty {
            print("Not visited: \(coverage.missing.joined(separator: "; "))")
            throw ExitCode(1)
        }
    }

    /// Runs the failed seed again with a trace, which the same seed makes the same run.
    private func report(_ failure: String, _ seed: UInt64, _ keys: Keys) -> any Error {
        let again = World(seed: seed, keys: keys, traceLimit: lines)
        again.run()
        again.traceLines.suffix(lines).forEach { print($0) }
        if again.failure != failure { print("The run could not be repeated: \(again.failure ?? "no violation").") }
        print("FAILED \(failure)")
        return ExitCode(1)
    }
}
