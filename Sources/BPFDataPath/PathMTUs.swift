import REAP
import Shim6Wire

/// What routers have said of the paths between locators (RFC 8201).
struct PathMTUs {
    /// No router can say that a path takes less.
    static let least = UInt32(IPv6Header.leastMTU)
    /// Paths that are known at a time. Others keep the MTU of their uplink: a peer with many locators, which could
    /// tell of each path that payload ever took, must not fill the memory.
    static let most = 4096
    /// How long a router is believed.
    private static let lifetime = Duration.seconds(600)
    private var known: [LocatorPair: (mtu: UInt32, until: Instant)] = [:]

    /// Paths for which there was no room.
    private(set) var refused: UInt64 = 0
    var count: Int { known.count }

    subscript(pair: LocatorPair) -> UInt32? { known[pair]?.mtu }

    /// Takes in what a router says of the path of a packet that this host did send.
    ///
    /// - Returns: whether the path has become narrower.
    mutating func learn(_ mtu: UInt32, of pair: LocatorPair, at now: Instant) -> Bool {
        guard mtu >= Self.least else { return false }
        let old = known[pair]?.mtu
        guard mtu <= old ?? .max else { return false }
        guard old != nil || known.count < Self.most else {
            refused += 1
            return false
        }
        known[pair] = (mtu, now + Self.lifetime)
        return mtu != old
    }

    /// Forgets what is too old.
    ///
    /// - Returns: the pairs whose MTU is unknown again.
    mutating func expire(at now: Instant) -> [LocatorPair] {
        let old = known.filter { $0.value.until <= now }.map(\.key)
        for pair in old { known[pair] = nil }
        return old
    }
}
