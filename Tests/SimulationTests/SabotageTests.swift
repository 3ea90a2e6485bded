import Simulation
import Testing

/// The invariants notice what is broken on purpose: a simulation that cannot fail shows nothing.
@Suite struct SabotageTests {
    @Test("Unbroken runs hold all invariants", arguments: 1..<9)
    func unbroken(seed: UInt64) {
        let world = World(seed: seed)
        world.run()
        #expect(world.failure == nil)
        #expect(world.deliveries >= 200)
        #expect(world.virtualSeconds >= 600)
    }

    /// What takes a cut at one certain moment is noticed by the tests that make it.
    private static let rare: [Sabotage] = [.none, .otherPairsUnasked, .reachabilityRests, .newPrefixesUnused]

    @Test("Every sabotage is noticed within a few seeds", arguments: Sabotage.allCases.filter { !rare.contains($0) })
    func sabotage(_ sabotage: Sabotage) {
        let isNoticed = (1..<20).contains { (seed: UInt64) in
            let world = World(seed: seed, sabotage: sabotage)
            world.run()
            return world.failure != nil
        }
        #expect(isNoticed)
    }

    @Test("The same seed makes the same run, with and without a trace")
    func repeatable() {
        let runs = [nil, nil, 100].map { limit in
            let world = World(seed: 4, traceLimit: limit)
            world.run()
            return world.digest
        }
        #expect(Set(runs).count == 1)
    }

    @Test("A run that violates an invariant does so again, with the same trace")
    func failureRepeats() throws {
        func run(_ seed: UInt64, traceLimit: Int? = nil) -> World {
            let world = World(seed: seed, sabotage: .entriesKept, traceLimit: traceLimit)
            world.run()
            return world
        }
        let seed = try #require((1..<20).first { run($0).failure != nil })
        let first = run(seed)
        for _ in 0..<2 {
            let again = run(seed, traceLimit: 1_000_000)
            #expect(again.failure == first.failure && again.digest == first.digest)
            #expect(again.traceLines == run(seed, traceLimit: 1_000_000).traceLines)
        }
    }
}
