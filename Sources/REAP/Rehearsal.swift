import Shim6Wire

/// When the pairs of two hosts are tried that no payload uses, so that it is known before a failure what there is to fall
/// back on (RFC 5534 allows Probes at any time). All contexts of the two hosts share one.
public struct Rehearsal: Sendable {
    /// Pairs tried in an interval, however many there are.
    public static let mostPairs = 16
    /// The first Probes after establishment or a change, so that many of them make no burst.
    private static let firstSpread = Duration.seconds(1)
    /// How long it stands back while others need the budget.
    private static let standBack = Duration.seconds(1)
    /// By how much an interval is shorter than its nominal value at most, in thousandths.
    private static let jitterPermille = 100
    /// Evidence holds for one and a half intervals.
    private static let halvesOfEvidence = 3

    private struct Entry {
        var evidence = PathEvidence()
        var due: Instant
    }

    private let interval: Duration
    private var entries: [LocatorPair: Entry] = [:]

    /// - Parameter interval: between Probes on one pair; zero for none at all.
    public init(interval: Duration) { self.interval = interval }

    /// What is known of the pairs that are tried.
    public var evidence: [LocatorPair: PathEvidence] { entries.mapValues(\.evidence) }

    /// When `next` has something; nil if it never has.
    public var deadline: Instant? { entries.values.lazy.map(\.due).min() }

    /// What is older than this proves nothing any more.
    public func oldest(at now: Instant) -> Instant { now + (.zero - interval * Self.halvesOfEvidence / 2) }

    /// The locators that contexts of the two hosts may use, best first: at establishment, and after each change of a list.
    /// Every pair is tried soon, those that were known before too: what changed may concern them.
    public mutating func update(
        local: [IPv6Address], peer: [IPv6Address], random: inout RandomSource, at now: Instant
    ) {
        guard interval > .zero else { return }
        let pairs = Self.pairs(local, peer)
        entries = entries.filter { pairs.contains($0.key) }
        for pair in pairs {
            let due = now + Self.firstSpread.longer(permille: -Int.random(in: 0...1000, using: &random))
            if let known = entries[pair]?.due, known <= due { continue }
            entries[pair, default: Entry(due: due)].due = due
        }
    }

    /// The next pair that wants a Probe, if the budget has room for what can wait; nil if there is none.
    public mutating func next(
        budget: inout ProbeBudget, random: inout RandomSource, at now: Instant
    ) -> LocatorPair? {
        let due = entries.filter { $0.value.due <= now }
        // The one that waits for longest, in an order that is the same in every process.
        func rank(_ entry: (key: LocatorPair, value: Entry)) -> (Instant, IPv6Address, IPv6Address) {
            (entry.value.due, entry.key.source, entry.key.destination)
        }
        guard let pair = due.min(by: { rank($0) < rank($1) })?.key else { return nil }
        guard budget.takeSpare(at: now) else {
            for pair in due.keys { entries[pair]?.due = now + Self.standBack }
            return nil
        }
        entries[pair]?.due = now + interval.longer(permille: -Int.random(in: 0...Self.jitterPermille, using: &random))
        return pair
    }

    /// The peer has reported a Probe on `pair`.
    public mutating func confirmed(_ pair: LocatorPair, roundTrip: Duration?, at now: Instant) {
        entries[pair]?.evidence.outgoing.control = now
        if let roundTrip { entries[pair]?.evidence.roundTrip = roundTrip }
    }

    /// A Probe of the peer has come in on the reverse of `pair`.
    public mutating func arrived(onReverseOf pair: LocatorPair, at now: Instant) {
        entries[pair]?.evidence.incoming.control = now
    }

    /// Payload from this host has got through on `pair`, or was lost.
    public mutating func payload(_ payload: PathEvidence.Payload, on pair: LocatorPair) {
        entries[pair]?.evidence.outgoing.payload = payload
    }

    /// Payload from the peer has come in on the reverse of `pair`, or it is known to be lost there.
    public mutating func payload(_ payload: PathEvidence.Payload, onReverseOf pair: LocatorPair) {
        entries[pair]?.evidence.incoming.payload = payload
    }

    /// Some pairs of the two lists, so that each locator has its place among them as long as there is room: the best with
    /// the best, the second with the second, and so on; then the best with the second.
    static func pairs(_ local: [IPv6Address], _ peer: [IPv6Address]) -> [LocatorPair] {
        var pairs: [LocatorPair] = []
        guard !local.isEmpty, !peer.isEmpty else { return [] }
        let length = max(local.count, peer.count)
        for shift in 0..<min(local.count, peer.count) {
            for index in 0..<length {
                let pair =
                    local.count >= peer.count
                    ? LocatorPair(source: local[index], destination: peer[(index + shift) % peer.count])
                    : LocatorPair(source: local[(index + shift) % local.count], destination: peer[index])
                if pairs.count < mostPairs, pair.source != pair.destination { pairs.append(pair) }
            }
        }
        return pairs
    }
}
