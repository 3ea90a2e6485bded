import Shim6Wire

/// Where an exploration stands: the pairs it goes round, and how far its schedule has come.
struct Exploration: Sendable {
    /// When it left Operational: packets that came in before say nothing.
    var since: Instant
    /// The pair whose failure started it.
    var failed: LocatorPair
    /// Payload that reached the peer later than this shows that the pair in use works.
    var evidenceSince: Instant
    /// Whether this host suspected a failure by itself, without being told by the peer.
    var isOwnSuspicion = false
    /// Whether anybody can have caused it, so that the pair in use is asked whatever is known of it.
    var isForgeable = false
    /// Whether a Probe that reports none of ours says nothing of the pair in use.
    var needsProof = false
    /// Whether payload went out that nothing came back for.
    var missesPayload = false
    /// Whatever answers on the pair in use, another one is better.
    var leavesPair = false
    /// What answers on the pair in use keeps it, whatever else is known.
    var keepsPair = false
    /// Probes that still go out on the failed pair before the order is followed.
    var confirmations = 0
    /// The pairs to try, in order.
    private(set) var order: [LocatorPair]
    private var next = 0
    /// It has let others' Probes go first.
    var hasWaited = false
    /// The next Probe of the schedule has its place in the budget.
    var hasPlace = false
    /// When something last changed that can have brought a pair back.
    var changedAt: Instant?
    /// Probes sent since the schedule was started, those besides the schedule not counted.
    var probes = 0

    /// A link that comes back may take as long until packets pass.
    private static let hopeFor = Duration.seconds(120)

    init(
        since: Instant, failed: LocatorPair, local: [IPv6Address], untold: [IPv6Address], peer: [IPv6Address],
        paths: SharedPaths
    ) {
        self.since = since
        evidenceSince = since
        self.failed = failed
        order = explorationOrder(
            local: local, untold: untold, peer: peer, failed: failed, paths: paths, at: since)
    }

    /// Takes new locators; true if they make pairs that were not candidates before. The others have brought nothing, so the
    /// round goes on with these.
    mutating func update(
        local: [IPv6Address], untold: [IPv6Address], peer: [IPv6Address], paths: SharedPaths, at now: Instant
    ) -> Bool {
        let new = explorationOrder(
            local: local, untold: untold, peer: peer, failed: failed, paths: paths, at: now)
        guard new != order else { return false }
        let known = Set(order)
        let first = new.firstIndex { !known.contains($0) }
        order = new
        next = first ?? 0
        return first != nil
    }

    func isHopeful(at now: Instant) -> Bool { changedAt.map { now - $0 < Self.hopeFor } ?? false }

    /// The next pair in the round, other than `last` if there is a choice; nil if there is no candidate. `barred`
    /// destinations are passed over. Rounds follow each other: 5534-4.3-05.
    mutating func takeNext(after last: LocatorPair?, barred: [IPv6Address] = []) -> LocatorPair? {
        for _ in 0..<order.count {
            let pair = takeNext(after: last)
            if let pair, !barred.contains(pair.destination) { return pair }
        }
        return nil
    }

    private mutating func takeNext(after last: LocatorPair?) -> LocatorPair? {
        guard !order.isEmpty else { return nil }
        if confirmations > 0, order.contains(failed) {
            confirmations -= 1
            return failed
        }
        if order.count > 1, order[next % order.count] == last { next = (next + 1) % order.count }
        defer { next = (next + 1) % order.count }
        return order[next % order.count]
    }

    /// The best of `pairs` in the order of this exploration.
    func best(of pairs: [LocatorPair]) -> LocatorPair? {
        order.first(where: pairs.contains) ?? pairs.last
    }
}
