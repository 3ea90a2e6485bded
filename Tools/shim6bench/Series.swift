/// Cases that are measured in turn, round after round, so that whatever else the machine does meets all of them alike.
struct Series {
    struct Case {
        var name: String
        /// More heap blocks an operation than this are a failure.
        var blocksAllowed: Double? = nil
        /// One round of it.
        var run: (inout Stopwatch) throws -> Void
    }

    /// Costs of one case, an operation, in the order of the rounds.
    struct Costs {
        var name: String
        var nanoseconds: [Double] = []
        var blocks: [Double] = []
    }

    var title: String
    var cases: [Case]
    /// What is wrong with the costs.
    func violations(in costs: [Costs]) -> [String] {
        zip(cases, costs).compactMap { item, costs in
            guard let allowed = item.blocksAllowed, Spread(costs.blocks).highest > allowed else { return nil }
            return "\(item.name) takes more than \(allowed) heap blocks"
        }
    }

    /// Pairs of names whose costs are divided, round by round.
    var ratios: [(of: String, to: String)]

    /// Measures everything `rounds` times, after one round that does not count.
    func measure(rounds: Int) throws -> [Costs] {
        var costs = cases.map { Costs(name: $0.name) }
        for round in 0...rounds {
            for (index, item) in cases.enumerated() {
                var watch = Stopwatch()
                try item.run(&watch)
                guard round > 0 else { continue }
                costs[index].nanoseconds.append(Double(watch.nanoseconds) / Double(watch.operations))
                costs[index].blocks.append(Double(watch.blocks) / Double(watch.operations))
            }
        }
        return costs
    }
}

/// The middle of some values, and how far they reach.
struct Spread {
    var median: Double
    var lowest: Double
    var highest: Double

    init(_ values: [Double]) {
        let sorted = values.sorted()
        precondition(!sorted.isEmpty, "a round gives a value")
        let middle = sorted.count / 2
        median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
        lowest = sorted[0]
        highest = sorted[sorted.count - 1]
    }
}
