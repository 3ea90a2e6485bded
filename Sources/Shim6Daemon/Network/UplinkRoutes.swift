import KernelRows
import Logging
import Netlink
import Shim6Wire

/// Packets with a source of one provider leave through this provider, unless the operator has other routes for them.
struct UplinkRoutes {
    private let rows: OwnRows
    private let log: Logger
    /// The prefixes in which routes of `main` are not for all sources, for each uplink.
    private var detoured: [[IPv6Prefix]] = []

    init(rows: OwnRows, log: Logger) {
        self.rows = rows
        self.log = log
    }

    /// Whether a route to this prefix could matter to those that were made.
    func areConcerned(by destination: IPv6Prefix) -> Bool { detoured.contains { $0.covers(destination) } }

    /// Makes the routes and rules, and releases those that are no longer wanted.
    ///
    /// - Parameters:
    ///   - sources: the prefixes whose packets leave by each of the uplinks.
    ///   - rules: all that there are, as are `routes`.
    ///   - steeringPriority: of the rules for rehomed pairs; nil if there are to be none.
    ///   - waitingDevice: where packets go while their source has no uplink, if there is such a device.
    mutating func make(
        for uplinks: [Uplink], from sources: [Set<IPv6Prefix>], rules: [Rule], routes: [Route],
        steeringPriority: UInt32?, waitingDevice: UInt32?
    ) {
        let interfaces = Set(uplinks.compactMap { $0.link?.index })
        let operatorRoutes = OperatorRoutes(routes, uplinks: interfaces)
        detoured = uplinks.map { operatorRoutes.detouredPrefixes(of: $0.link?.index) }
        var detours: [Route] = []
        for (uplink, sources) in zip(uplinks, sources) {
            detours += self.detours(for: uplink, from: sources, operatorRoutes, waiting: waitingDevice)
            make(for: uplink, operatorRoutes, waiting: waitingDevice)
        }
        rows.keep(detours) { $0.table == Mark.detourTable }
        let wanted = SourceRules.all(
            of: zip(sources, uplinks).map { ($0, $1.configuration.interface, $1.table) },
            bound: steeringPriority.map { $0 + Mark.boundPriority - Mark.passingPriority },
            keepsDefault: FullTunnel.find(
                rules: rules.filter { $0.table == Route.mainTable }, routes: routes, uplinks: interfaces) != nil)
        for rule in wanted { rows.want(rule) }
        rows.releaseRules { SourceRules.contain($0) && !wanted.contains($0) }
    }

    /// Where sources of an uplink must not take a route of `main`, they take those of the uplink's own table.
    private func detours(
        for uplink: Uplink, from sources: Set<IPv6Prefix>, _ operatorRoutes: OperatorRoutes, waiting: UInt32?
    ) -> [Route] {
        let mark = Mark.protocolNumber
        let link = uplink.link.flatMap { $0.isUp ? $0 : nil }
        guard waiting != nil || link != nil && uplink.gateway != nil else { return [] }
        let detours = operatorRoutes.detours(of: uplink.link?.index)
        if detours.count > OperatorRoutes.most { tellLeftOut(detours.count, of: uplink) }
        return detours.prefix(OperatorRoutes.most).flatMap { detour in
            sources.flatMap { source -> [Route] in
                if detour.isHole {
                    return [
                        Route(
                            to: detour.destination, from: source, interface: nil, table: Mark.detourTable,
                            metric: 1024, protocol: mark, type: Route.throw)
                    ]
                }
                let isOnLink = uplink.prefixes.contains { $0.isOnLink && $0.prefix.contains(detour.destination) }
                var ways: [Route] = []
                if let link, isOnLink || uplink.gateway != nil {
                    ways.append(
                        Route(
                            to: detour.destination, from: source, via: isOnLink ? nil : uplink.gateway,
                            interface: link.index, table: Mark.detourTable, metric: 1024, protocol: mark))
                }
                if let waiting {
                    ways.append(
                        Route(
                            to: detour.destination, from: source, interface: waiting, table: Mark.detourTable,
                            metric: .max, protocol: mark))
                }
                return ways
            }
        }
    }

    private func tellLeftOut(_ count: Int, of uplink: Uplink) {
        log.warning(
            "too many routes inside prefixes of other uplinks, or over this one: some are left out",
            metadata: ["interface": "\(uplink.configuration.interface)", "routes": "\(count)"])
    }

    private func make(for uplink: Uplink, _ operatorRoutes: OperatorRoutes, waiting: UInt32?) {
        let mark = Mark.protocolNumber
        // Sockets of a lost uplink keep a route, so that their packets reach the data path until it switches.
        if let waiting {
            rows.want(Route(to: nil, interface: waiting, table: uplink.table, metric: .max, protocol: mark))
        }
        guard let link = uplink.link, link.isUp else { return }
        let onLink = Set(uplink.prefixes.filter(\.isOnLink).map(\.prefix))
        var wanted = onLink.map {
            Route(to: $0, interface: link.index, table: uplink.table, metric: 1024, protocol: mark)
        }
        if let gateway = uplink.gateway {
            wanted.append(
                Route(to: nil, via: gateway, interface: link.index, table: uplink.table, metric: 1024, protocol: mark))
        }
        let copies = operatorRoutes.copies(over: link.index, to: uplink.table).filter {
            $0.destination.map(onLink.contains) == false
        }
        if copies.count > OperatorRoutes.most { tellLeftOut(copies.count, of: uplink) }
        wanted += copies.prefix(OperatorRoutes.most)
        rows.keep(wanted) { $0.table == uplink.table && (waiting == nil || $0.interface != waiting) }
    }
}
