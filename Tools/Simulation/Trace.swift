/// The last lines of what happened in a run.
struct Trace {
    private(set) var lines: [String] = []
    let limit: Int

    init(limit: Int) { self.limit = limit }

    mutating func add(_ seconds: Double, _ line: String) {
        let milliseconds = Int(seconds * 1000)
        let fraction = String(milliseconds % 1000)
        let padding = String(repeating: "0", count: 3 - fraction.count)
        lines.append("\(milliseconds / 1000).\(padding)\(fraction) \(line)")
        if lines.count >= 2 * limit { lines.removeFirst(limit) }
    }
}

/// What a run counts.
struct Tally {
    /// One way of one flow.
    struct Way {
        var sent = 0
        var delivered = 0
        /// Within the time in which everything has to arrive.
        var measuredSent = 0
        var measuredDelivered = 0
    }

    var deliveries = 0
    /// For each flow the way from its first end and the way from its second.
    var flows: [[Way]] = []
    var isMeasuring = false
    /// Nobody sends any more.
    var isSilent = false
    var digest = FNVHash()

    mutating func sent(_ flow: Int, from end: Int) {
        flows[flow][end].sent += 1
        if isMeasuring { flows[flow][end].measuredSent += 1 }
    }

    mutating func delivered(_ flow: Int, from end: Int) {
        deliveries += 1
        flows[flow][end].delivered += 1
        if isMeasuring { flows[flow][end].measuredDelivered += 1 }
    }
}
