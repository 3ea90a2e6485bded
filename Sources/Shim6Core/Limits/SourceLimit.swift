import REAP
import Shim6Wire

/// Bounds how often a second something is done for the addresses of one /48.
///
/// A fixed number of places, chosen by a keyed hash: no flood makes it grow, and whom a source shares its place with
/// nobody outside can tell. Nothing is ever evicted.
struct SourceLimit {
    /// When each place has used up its rate; a source may be ahead of the time by one burst.
    private var usedUp: [UInt64]
    private let interval: UInt64
    /// Drawn when it is first needed.
    private var key: UInt64?

    private static let places = 1024
    private static let second: UInt64 = 1_000_000_000

    /// As many as `perSecond` at once, and as many a second from then on.
    init(perSecond: Int) {
        usedUp = [UInt64](repeating: 0, count: Self.places)
        interval = Self.second / UInt64(max(perSecond, 1))
    }

    /// Takes one from the rate of a source; false if there is none left.
    mutating func take(
        for source: IPv6Address, at now: Instant, random: inout RandomSource
    ) -> Bool {
        let key = key ?? random.next()
        self.key = key
        let place = Self.place(of: source.high >> 16 ^ key)
        let next = max(usedUp[place], now.nanoseconds) &+ interval
        guard next <= now.nanoseconds &+ Self.second else { return false }
        usedUp[place] = next
        return true
    }

    /// The finaliser of MurmurHash3, which spreads every bit over all.
    private static func place(of mixed: UInt64) -> Int {
        var hash = mixed
        hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
        hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
        return Int((hash ^ hash >> 33) % UInt64(places))
    }
}
