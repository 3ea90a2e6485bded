import Shim6Wire

/// The most pairs that one round of an exploration tries.
private let maximumPairs = 64

/// The pairs of own and peer locators in the order in which an exploration tries them (RFC 5534, section 4.3).
///
/// `local` and `peer` are the locators that may be used, best first; `failed` is the pair whose failure is suspected.
/// 1. Pairs that cannot work are left out: only global and unique local unicast addresses are locators.
/// 2. Pairs that mix a unique local with a global address come after all others: they have different labels in the
///    policy table of RFC 6724.
/// 3. Pairs that share no address with `failed` come first, for they share no link with it either; then those that
///    share one. `failed` itself is the last of all: it may have healed, so it is tried, but only when nothing else
///    answered.
/// 4. Among equals the preferences of both sides count: the smaller sum of the two positions, then the own position.
///
/// Repeated addresses count once. At most 64 pairs are returned, `failed` among them if it is a candidate.
public func explorationOrder(local: [IPv6Address], peer: [IPv6Address], failed: LocatorPair?) -> [LocatorPair] {
    struct Candidate {
        var pair: LocatorPair
        var key: (failed: Bool, mixed: Bool, shared: Int, positions: Int, own: Int)
    }
    let sources = distinctLocators(local)
    let destinations = distinctLocators(peer)
    var candidates: [Candidate] = []
    candidates.reserveCapacity(sources.count * destinations.count)
    for (own, source) in sources.enumerated() {
        for (theirs, destination) in destinations.enumerated() where source != destination {
            let pair = LocatorPair(source: source, destination: destination)
            let shared = failed.map { ($0.source == source ? 1 : 0) + ($0.destination == destination ? 1 : 0) } ?? 0
            let mixed = source.isUniqueLocal != destination.isUniqueLocal
            candidates.append(Candidate(pair: pair, key: (pair == failed, mixed, shared, own + theirs, own)))
        }
    }
    candidates.sort { left, right in
        if left.key.failed != right.key.failed { return right.key.failed }
        if left.key.mixed != right.key.mixed { return right.key.mixed }
        let leftRest = (left.key.shared, left.key.positions, left.key.own)
        return leftRest < (right.key.shared, right.key.positions, right.key.own)
    }
    if candidates.count > maximumPairs {
        let kept = maximumPairs - (candidates.last?.key.failed == true ? 1 : 0)
        candidates.removeSubrange(kept..<(candidates.count - (maximumPairs - kept)))
    }
    return candidates.map(\.pair)
}

/// The first few addresses of a list that can be locators, each once.
private func distinctLocators(_ addresses: [IPv6Address]) -> [IPv6Address] {
    var result: [IPv6Address] = []
    for address in addresses where address.canBeLocator && !result.contains(address) {
        result.append(address)
        if result.count == maximumPairs { break }
    }
    return result
}

extension IPv6Address {
    /// Whether this is in fc00::/7 (RFC 4193).
    fileprivate var isUniqueLocal: Bool { high >> 57 == 0xfc00 >> 9 }
    /// Whether this is in fec0::/10, which RFC 3879 withdrew.
    private var isSiteLocal: Bool { high >> 54 == 0xfec0 >> 6 }
    /// Whether this address has more than link or site scope and names one host.
    fileprivate var canBeLocator: Bool {
        !isMulticast && !isUnspecified && !isLoopback && !isLinkLocal && !isSiteLocal
    }
}
