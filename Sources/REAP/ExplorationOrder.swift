import Locators
import Shim6Wire

/// The most pairs that one round of an exploration tries: eight locators on each side. With Probes a minute apart a round
/// takes an hour then.
private let maximumPairs = 64

/// The pairs of own and peer locators in the order in which an exploration tries them (RFC 5534, section 4.3).
///
/// `local` and `peer` are the locators that may be used, best first by the preferences of their hosts; `failed` is the
/// pair whose failure is suspected. Pairs that cannot work are left out, by `canBeLocator`. What
/// decides, each only among equals before it:
/// 1. `untold` are own locators that the peer may not know yet: they come after those that it knows.
/// 2. `failed` itself is the last of all: it may have healed, so it is tried, but only when nothing else answered.
/// 3. Pairs on which payload got lost come after others, though Probes pass there.
/// 4. The ranking, if an operator or a program has set one.
/// 5. Pairs that mix a unique local with a global address come after others: they have different labels in the policy
///    table of RFC 6724 (rules 5 and 6 of its section 6: prefer matching label).
/// 6. Shared fate and recent success: pairs that worked for any context in the last half minute come first, those from
///    which one has moved away last.
/// 7. Pairs that share no address with `failed` come first, for they share no link with it either; then those that
///    share one.
/// 8. The preferences of both sides: the smaller sum of the two positions, then the own position.
///
/// Repeated addresses count once. At most 64 pairs are returned, `failed` among them if it is a candidate.
public func explorationOrder(
    local: [IPv6Address], untold: [IPv6Address] = [], peer: [IPv6Address], failed: LocatorPair?,
    ranking: [LocatorPair: Int] = [:],
    paths: SharedPaths? = nil, at now: Instant = Instant(nanoseconds: 0)
) -> [LocatorPair] {
    let ranking = paths?.ranking ?? ranking
    let sources = distinctLocators(local + untold)
    let destinations = distinctLocators(peer)
    var candidates: [(pair: LocatorPair, key: [Int])] = []
    candidates.reserveCapacity(sources.count * destinations.count)
    for (own, source) in sources.enumerated() {
        for (theirs, destination) in destinations.enumerated() where source != destination {
            let pair = LocatorPair(source: source, destination: destination)
            let shared = failed.map { ($0.source == source ? 1 : 0) + ($0.destination == destination ? 1 : 0) } ?? 0
            let key = [
                local.contains(source) ? 0 : 1,
                pair == failed ? 1 : 0, paths?.isBarred(pair, at: now) == true ? 1 : 0, ranking[pair] ?? .max,
                source.isUniqueLocal != destination.isUniqueLocal ? 1 : 0,
                (paths?.standing(of: pair, at: now) ?? .unknown).rawValue, shared, own + theirs, own,
            ]
            candidates.append((pair, key))
        }
    }
    candidates.sort { $0.key.lexicographicallyPrecedes($1.key) }
    if candidates.count > maximumPairs {
        let kept = maximumPairs - (candidates.last?.pair == failed ? 1 : 0)
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
