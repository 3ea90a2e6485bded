import REAP
import Shim6Wire

/// A locator with what its owner says of it (RFC 5533, section 5.15.3).
protocol RankedLocator {
    var address: IPv6Address { get }
    var preference: LocatorPreferences.Element { get }
}

extension LocalLocator: RankedLocator {}
extension VerifiedLocator: RankedLocator {}

extension Collection where Element: RankedLocator {
    /// Those that may be used: none that is BROKEN, unless all are.
    var working: [Element] {
        guard contains(where: { $0.preference.flags.contains(.broken) }) else { return Array(self) }
        let working = filter { !$0.preference.flags.contains(.broken) }
        return working.isEmpty ? Array(self) : working
    }

    /// The addresses to use, best first: by priority, stable ones before TRANSIENT ones, then at random by weight as
    /// RFC 2782 has it, where weights are given; else in the order of the list.
    func ranked(random: inout RandomSource) -> [IPv6Address] {
        func rank(_ locator: Element) -> Int {
            Int(locator.preference.priority) * 2 + (locator.preference.flags.contains(.transient) ? 1 : 0)
        }
        let groups = Dictionary(grouping: working, by: rank)
        return groups.keys.sorted().flatMap { groups[$0]?.sharedByWeight(random: &random) ?? [] }
    }

    private func sharedByWeight(random: inout RandomSource) -> [IPv6Address] {
        var left = Array(self)
        var order: [IPv6Address] = []
        while !left.isEmpty {
            let total = left.reduce(0) { $0 + Int($1.preference.weight) }
            guard total > 0 else { break }
            var point = Int.random(in: 0...total, using: &random)
            let index = left.firstIndex {
                point -= Int($0.preference.weight)
                return point <= 0
            }
            order.append(left.remove(at: index ?? left.count - 1).address)
        }
        return order + left.map(\.address)
    }
}
