import REAP
import Shim6Core
import Shim6Wire

/// Sessions without a context that may deserve one. XFRM counts no octets of sessions, only tells the second in which a
/// policy was met last, so what counts is how long a session goes both ways.
struct Candidates {
    /// Sessions watched at a time; further ones have to wait.
    static let limit = 1024
    /// A candidate that is silent for so long is no longer watched.
    private static let patience = Duration.seconds(60)

    private struct Candidate {
        var lastSeen: Instant
        /// Since when it has gone both ways.
        var bothWaysSince: Instant?
    }

    /// How long a session has to go both ways.
    let age: Duration
    private var candidates: [ULIDPair: Candidate] = [:]
    /// Triggered and not yet forgotten by the host.
    private var reported: Set<ULIDPair> = []

    init(age: Duration) {
        self.age = age
    }

    var pairs: some Collection<ULIDPair> { candidates.keys }
    var isEmpty: Bool { candidates.isEmpty }

    var isFull: Bool { candidates.count >= Self.limit }

    /// Whether it is a candidate or was reported.
    func knows(_ ulids: ULIDPair) -> Bool { candidates[ulids] != nil || reported.contains(ulids) }

    mutating func add(_ ulids: ULIDPair, at now: Instant) {
        candidates[ulids] = Candidate(lastSeen: now)
    }

    mutating func remove(_ ulids: ULIDPair) -> Bool { candidates.removeValue(forKey: ulids) != nil }

    /// The host wants to hear of this session again.
    mutating func forget(_ ulids: ULIDPair) { reported.remove(ulids) }

    /// Takes in which directions were used since the last time; returns the sessions that deserve a context, and those
    /// that are silent. Both are no candidates any more.
    mutating func review(
        used: [ULIDPair: Set<Direction>], at now: Instant
    ) -> (worthwhile: [ULIDPair], silent: [ULIDPair]) {
        var worthwhile: [ULIDPair] = []
        var silent: [ULIDPair] = []
        for (ulids, directions) in used where candidates[ulids] != nil {
            candidates[ulids]?.lastSeen = now
            guard directions.count == 2 else { continue }
            let since = candidates[ulids]?.bothWaysSince ?? now
            candidates[ulids]?.bothWaysSince = since
            if now - since >= age { worthwhile.append(ulids) }
        }
        for (ulids, candidate) in candidates where now - candidate.lastSeen > Self.patience { silent.append(ulids) }
        for ulids in worthwhile + silent { candidates.removeValue(forKey: ulids) }
        if reported.count + worthwhile.count > 16 * Self.limit { reported.removeAll() }
        reported.formUnion(worthwhile)
        return (worthwhile, silent)
    }
}
