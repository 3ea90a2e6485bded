import KernelRows
import Netlink
import Shim6Wire

/// What packets with a source of one provider take of the routes in `main`: all but the default routes, and those that the
/// kernel or a router made for another uplink, which would lead them out by the wrong provider.
///
/// They look into `main` itself, so that a route of the operator counts as it is and at once, however many there are. Ahead
/// of that stand *detours* for what they must not find there; where the operator has a more specific route inside such a
/// prefix, the detour has a hole.
struct OperatorRoutes {
    /// Rows that are made for one uplink; what goes beyond is left out.
    static let most = 1024

    /// A prefix whose route in `main` is not for these packets, or is again, inside such a prefix.
    struct Detour: Hashable {
        var destination: IPv6Prefix
        var isHole = false
    }

    private let routes: [Route]
    private let uplinks: Set<UInt32>

    /// - Parameter uplinks: the interfaces of all uplinks.
    init(_ routes: [Route], uplinks: Set<UInt32>) {
        self.routes = routes.filter(Self.canCount)
        self.uplinks = uplinks
    }

    /// Whether a route could matter here at all.
    static func canCount(_ route: Route) -> Bool {
        guard let destination = route.destination else { return false }
        return route.table == Route.mainTable && route.source == nil && route.protocol != Mark.protocolNumber
            && !isOfLink(destination)
    }

    /// Whether the kernel made it by itself or for a router; else it is the operator's.
    static func isAutomatic(_ route: Route) -> Bool {
        route.type == Route.unicast && (route.protocol == Route.byKernel || route.protocol == Route.byRouter)
    }

    /// Link-local and multicast addresses are looked for on an interface.
    private static func isOfLink(_ prefix: IPv6Prefix) -> Bool {
        prefix.length >= 10 && prefix.address.high >> 54 == 0xfe80 >> 6
            || prefix.length >= 8 && prefix.address.high >> 56 == 0xff
    }

    // MARK: Detours

    /// The prefixes in which an uplink has detours, none inside another, in order.
    func detouredPrefixes(of interface: UInt32?) -> [IPv6Prefix] {
        var outermost: [IPv6Prefix] = []
        for prefix in Set(routes.lazy.filter { isForeign($0, to: interface) }.compactMap(\.destination)).sorted(by: <)
        where outermost.last?.contains(prefix) != true { outermost.append(prefix) }
        return outermost
    }

    /// The detours of packets with a source on `interface`, which is nil while there is none.
    func detours(of interface: UInt32?) -> [Detour] {
        let prefixes = detouredPrefixes(of: interface)
        guard !prefixes.isEmpty else { return [] }
        /// For each destination the best metric, and whether a route with that leads to another provider.
        var best: [IPv6Prefix: (metric: UInt32, isForeign: Bool)] = [:]
        for route in routes {
            guard let destination = route.destination, prefixes.covers(destination) else { continue }
            let new = (metric: route.metric ?? 1024, isForeign: isForeign(route, to: interface))
            guard let old = best[destination], old.metric <= new.metric else {
                best[destination] = new
                continue
            }
            if old.metric == new.metric { best[destination]?.isForeign = old.isForeign || new.isForeign }
        }
        // In this order whatever contains a prefix comes before it.
        var detours: [Detour] = []
        var around: [(prefix: IPv6Prefix, isForeign: Bool)] = []
        for (prefix, entry) in best.sorted(by: { $0.key < $1.key }) {
            while let last = around.last, !last.prefix.contains(prefix) { around.removeLast() }
            if entry.isForeign != around.last?.isForeign ?? false {
                detours.append(Detour(destination: prefix, isHole: !entry.isForeign))
            }
            around.append((prefix, entry.isForeign))
        }
        return detours
    }

    private func isForeign(_ route: Route, to interface: UInt32?) -> Bool {
        guard let outgoing = route.interface, outgoing != interface, uplinks.contains(outgoing) else { return false }
        return Self.isAutomatic(route)
    }

    // MARK: Copies

    /// The operator's routes over one uplink, for packets that ask for it: these do not look into `main`, where they could
    /// find another interface.
    func copies(over interface: UInt32, to table: UInt32) -> [Route] {
        var copies: [Route] = []
        var keys: Set<Route.Key> = []
        for route in routes
        where route.interface == interface && route.type == Route.unicast && !Self.isAutomatic(route) {
            let copy = Route(
                to: route.destination, via: route.gateway, interface: interface, table: table, metric: route.metric,
                mtu: route.mtu, protocol: Mark.protocolNumber)
            if keys.insert(copy.key).inserted { copies.append(copy) }
        }
        return copies
    }
}

extension [IPv6Prefix] {
    /// Whether one of these, which are in order and none inside another, contains a prefix.
    func covers(_ prefix: IPv6Prefix) -> Bool {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].address <= prefix.address { low = middle + 1 } else { high = middle }
        }
        return low > startIndex && self[low - 1].contains(prefix)
    }
}

extension IPv6Prefix {
    /// By address, and of those with the same one the shorter first.
    static func < (left: IPv6Prefix, right: IPv6Prefix) -> Bool {
        (left.address, left.length) < (right.address, right.length)
    }
}

/// Where the operator's rules and routes send what has no mark, whatever its source and destination, if no uplink is
/// concerned: a full tunnel, as of wg-quick, or no way out at all.
enum FullTunnel: Hashable {
    case device(UInt32)
    case refused

    /// Routes to longer prefixes than this make no difference.
    static let longestPrefix: UInt8 = 6
    /// The destinations that have to be covered: global unicast.
    private static let everything = IPv6Prefix("2000::/3")

    /// - Parameters:
    ///   - rules: all that there are, in the kernel's order.
    ///   - uplinks: the interfaces of all uplinks.
    static func find(rules: [Rule], routes: [Route], uplinks: Set<UInt32>) -> FullTunnel? {
        guard let everything else { return nil }
        let short = routes.filter { isConcerned(by: $0) && $0.source == nil && $0.flags & deadNextHop == 0 }
        for rule in rules where rule.protocol != Mark.protocolNumber && takesEverything(rule) {
            if Rule.Action.refusals.contains(rule.action) { return .refused }
            guard rule.action == .lookUp else { continue }
            let rows = short.filter { route in
                route.table == rule.table
                    && rule.suppressedLength.map { route.destination?.length ?? 0 > $0 } ?? true
            }
            let ways = ways(to: everything, by: rows, uplinks: uplinks)
            if ways.contains(.none) { continue }
            return ways.count == 1 ? ways.first?.tunnel : nil
        }
        return nil
    }

    /// Whether a route could make a difference.
    static func isConcerned(by route: Route) -> Bool {
        route.protocol != Mark.protocolNumber && route.destination?.length ?? 0 <= longestPrefix
            && (route.type == Route.unicast || refusals.contains(route.type))
    }

    private static let deadNextHop: UInt32 = 0x1
    private static let refusals: Set<UInt8> = [Route.blackhole, Route.unreachable, Route.prohibit]

    private enum Way: Hashable {
        /// The next rule is asked.
        case none
        case uplink
        case elsewhere(FullTunnel)

        var tunnel: FullTunnel? { if case .elsewhere(let tunnel) = self { tunnel } else { nil } }
    }

    private static func ways(to prefix: IPv6Prefix, by rows: [Route], uplinks: Set<UInt32>) -> Set<Way> {
        let divides = rows.contains { route in
            route.destination.map { prefix.length < $0.length && prefix.contains($0) } ?? false
        }
        if divides {
            let half = UInt64(1) << (63 - prefix.length)
            return [prefix.address.high, prefix.address.high | half].reduce(into: []) { ways, high in
                guard let part = IPv6Prefix(IPv6Address(high: high, low: 0), length: Int(prefix.length) + 1) else {
                    return
                }
                ways.formUnion(self.ways(to: part, by: rows, uplinks: uplinks))
            }
        }
        let matching = rows.filter { $0.destination?.contains(prefix) ?? true }
        let longest = matching.map { $0.destination?.length ?? 0 }.max()
        let best = matching.filter { $0.destination?.length ?? 0 == longest }
        let metric = best.map { $0.metric ?? 1024 }.min()
        let chosen = best.filter { $0.metric ?? 1024 == metric }
        if chosen.contains(where: { $0.type == Route.unicast && $0.interface.map(uplinks.contains) ?? false }) {
            return [.uplink]
        }
        // What a router announces on another link is no word of the operator, and the kernel itself refuses where it has
        // no route.
        guard let route = chosen.first(where: { $0.protocol != Route.byRouter && !isKernelsRefusal($0) }) else {
            return [.none]
        }
        guard route.type == Route.unicast else { return [.elsewhere(.refused)] }
        return [route.interface.map { .elsewhere(.device($0)) } ?? .none]
    }

    private static func isKernelsRefusal(_ route: Route) -> Bool {
        route.type != Route.unicast && route.protocol == Route.byKernel
    }

    /// Whether a rule is for all packets of this host that have no mark.
    private static func takesEverything(_ rule: Rule) -> Bool {
        let isForForwarded = rule.incoming.map { $0 != "lo" } ?? false
        // An inverted rule is for everything if something that it asks for is never there.
        if rule.isInverted { return rule.mark != 0 || isForForwarded }
        return rule.source == nil && rule.destination == nil && rule.outgoing == nil && rule.nextHeader == 0
            && rule.mark == 0 && !isForForwarded && !rule.hasOtherSelectors
    }
}

/// The rules that lead packets with a source of one provider to its table, and where they stand.
enum SourceRules {
    /// - Parameters:
    ///   - sources: the prefixes of each uplink, with its interface and its table.
    ///   - bound: the priority of the rules for what asks for an uplink; nil if there are to be none.
    ///   - keepsDefault: whether the default route of `main` is the operator's too.
    static func all(
        of sources: [(prefixes: Set<IPv6Prefix>, interface: String, table: UInt32)], bound: UInt32?,
        keepsDefault: Bool
    ) -> [Rule] {
        let mark = Mark.protocolNumber
        // Only for packets of this host: what it forwards is nobody's business here.
        let host = "lo"
        guard sources.contains(where: { !$0.prefixes.isEmpty }) else { return [] }
        var rules = [
            Rule(priority: Mark.detourPriority, incoming: host, table: Mark.detourTable, protocol: mark),
            Rule(
                priority: Mark.operatorPriority, incoming: host, table: Route.mainTable, protocol: mark,
                suppressedLength: keepsDefault ? nil : 0),
            Rule(priority: Mark.restPriority, incoming: host, table: Route.mainTable, protocol: mark),
        ]
        for (prefixes, interface, table) in sources {
            for prefix in prefixes.sorted(by: <) {
                rules.append(
                    Rule(
                        priority: Mark.sourcePriority, from: prefix, incoming: host, table: table, protocol: mark))
                rules.append(
                    Rule(
                        priority: Mark.leavingPriority, from: prefix, incoming: host, protocol: mark, action: .goTo,
                        target: Mark.detourPriority))
                guard let bound else { continue }
                rules.append(Rule(priority: bound, from: prefix, outgoing: interface, table: table, protocol: mark))
            }
        }
        return rules
    }

    /// Whether a rule of the daemon's is one of these.
    static func contain(_ rule: Rule) -> Bool {
        switch rule.priority {
        case Mark.leavingPriority, Mark.detourPriority...Mark.restPriority: true
        default: rule.outgoing != nil && rule.action == .lookUp
        }
    }

    /// The priority of the first of the rules for rehomed pairs, which those for what asks for an uplink follow; nil while
    /// nothing of the daemon leaves beside a full tunnel. Where it may, they stand ahead of the tunnel's rules.
    static func steeringPriority(_ rules: [Rule], hasTunnel: Bool, leavesOutside: Bool) -> UInt32? {
        guard hasTunnel else { return Mark.passingPriority }
        guard leavesOutside else { return nil }
        let first = rules.lazy.filter { $0.protocol != Mark.protocolNumber && $0.priority > 0 }.map(\.priority).min()
        let count = Mark.boundPriority - Mark.passingPriority + 1
        guard let first, first <= Mark.boundPriority, first > count else { return Mark.passingPriority }
        return first - count
    }
}
