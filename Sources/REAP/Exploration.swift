import Shim6Wire

/// Where an exploration stands: the pairs it goes round, and how far its schedule has come.
struct Exploration: Sendable {
    /// When it left Operational: packets that came in before say nothing.
    var since: Instant
    /// The pair whose failure started it.
    var failed: LocatorPair
    /// The pairs to try, in order.
    private(set) var order: [LocatorPair]
    private var next = 0
    /// Probes sent since the schedule was started, those besides the schedule not counted.
    var probes = 0

    init(since: Instant, failed: LocatorPair, local: [IPv6Address], peer: [IPv6Address]) {
        self.since = since
        self.failed = failed
        order = explorationOrder(local: local, peer: peer, failed: failed)
    }

    /// Takes new locators; true if they make pairs that were not candidates before.
    mutating func update(local: [IPv6Address], peer: [IPv6Address]) -> Bool {
        let new = explorationOrder(local: local, peer: peer, failed: failed)
        guard new != order else { return false }
        let isNew = !Set(order).isSuperset(of: new)
        order = new
        next = 0
        return isNew
    }

    /// The next pair in the round, other than `last` if there is a choice; nil if there is no candidate.
    mutating func takeNext(after last: LocatorPair?) -> LocatorPair? {
        guard !order.isEmpty else { return nil }
        if order.count > 1, order[next % order.count] == last { next = (next + 1) % order.count }
        defer { next = (next + 1) % order.count }
        return order[next % order.count]
    }

    /// The best of `pairs` in the order of this exploration.
    func best(of pairs: [LocatorPair]) -> LocatorPair? {
        order.first(where: pairs.contains) ?? pairs.last
    }
}
