import Simulation
import Synchronization

/// What some runs without violation came to.
struct Summary: Sendable {
    private(set) var seeds: UInt64 = 0
    private(set) var coverage = Coverage()
    private(set) var deliveries = 0
    private(set) var events: UInt64 = 0
    private var fewest = Int.max
    private var virtual = 0.0
    private var shortest = Double.infinity

    mutating func add(_ world: World) {
        seeds += 1
        coverage.add(world.coverage)
        deliveries += world.deliveries
        fewest = min(fewest, world.deliveries)
        virtual += world.virtualSeconds
        shortest = min(shortest, world.virtualSeconds)
        events += world.events
    }

    mutating func add(_ other: Summary) {
        seeds += other.seeds
        coverage.add(other.coverage)
        deliveries += other.deliveries
        fewest = min(fewest, other.fewest)
        virtual += other.virtual
        shortest = min(shortest, other.shortest)
        events += other.events
    }

    var text: String {
        """
        \(deliveries) deliveries (at least \(fewest) a seed), \(Int(virtual / 60)) virtual minutes \
        (at least \(Int(shortest / 60)) a seed), \(events) events
        """
    }
}

/// The lowest seed whose run violated an invariant, as far as the workers know.
final class FirstFailure: Sendable {
    private let found = Mutex<(seed: UInt64, reason: String)?>(nil)

    var seed: UInt64? { found.withLock { $0?.seed } }

    func note(_ seed: UInt64, _ reason: String) {
        found.withLock { if $0.map({ seed < $0.seed }) ?? true { $0 = (seed, reason) } }
    }

    func rules(out seed: UInt64) -> Bool { found.withLock { $0.map { $0.seed < seed } ?? false } }
}
