import Shim6Wire

/// The pairs on which payload got lost although Probes passed. For a while others come before them.
struct PayloadBars {
    private struct Bar {
        var since: Instant
        var length: Duration

        var end: Instant { since + length }
    }

    /// Each bar that comes soon after another on the pair is twice as long as that, up to the longest.
    static let shortest = Duration.seconds(10)
    private static let longest = Duration.seconds(600)
    /// More pairs than one host finds to be so at a time.
    private static let mostBars = 1024

    private var bars: [LocatorPair: Bar] = [:]
    private var forgotten: UInt64 = 0

    /// How full the table is.
    var use: SharedPaths.Records {
        SharedPaths.Records(count: bars.count, limit: Self.mostBars, forgotten: forgotten)
    }

    /// Payload of a context got lost on `pair`. Contexts that find this out one after the other find out the same.
    mutating func add(_ pair: LocatorPair, at now: Instant) {
        var length = Self.shortest
        if let old = bars[pair] {
            guard old.end <= now else { return }
            if now - old.end < Self.longest { length = min(old.length * 2, Self.longest) }
        } else if bars.count >= Self.mostBars {
            bars = bars.filter { now - $0.value.end < Self.longest }
            if bars.count >= Self.mostBars {
                forgotten += UInt64(bars.count)
                bars.removeAll(keepingCapacity: true)
            }
        }
        bars[pair] = Bar(since: now, length: length)
    }

    /// The peer has got payload on `pair`.
    mutating func lift(_ pair: LocatorPair) { bars[pair] = nil }

    func contains(_ pair: LocatorPair, at now: Instant) -> Bool { bars[pair].map { $0.end > now } ?? false }

    /// Whether the bar says something of a context in which payload came in at `lastIn` for the last time: not if that was
    /// later than the loss in another one.
    func concerns(_ pair: LocatorPair, lastIn: Instant?, at now: Instant) -> Bool {
        guard let bar = bars[pair], bar.end > now else { return false }
        return lastIn.map { $0 < bar.since } ?? true
    }
}
