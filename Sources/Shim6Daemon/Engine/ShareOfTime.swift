import REAP

/// Keeps work that others can cause within a tenth of the time, whatever it costs: routers and other programs may change
/// the network hundreds of times a second, and its tables may be long. What comes after a pause is done at once.
struct ShareOfTime {
    /// Nothing waits longer, even if the work takes more than its share.
    static let longestWait = Duration.seconds(1)
    /// When the next piece of work may begin.
    private(set) var begin = Instant(nanoseconds: 0)

    /// A piece of work was done.
    mutating func took(from start: Instant, to end: Instant) {
        begin = end + min((end - start) * 9, Self.longestWait)
    }
}
