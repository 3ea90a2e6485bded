import Configuration
import KernelRows
import Locators
import Logging
import Netlink
import REAP
import Shim6Core
import Shim6Wire

/// Follows the uplinks: their links, addresses and gateways, and keeps on them what the host needs.
///
/// Every refresh derives all anew from the kernel's tables as `KernelView` has them, so that a lost message, a missed one
/// and a first look are one case.
final class Uplinks {
    private let socket: RouteSocket
    private let view: KernelView
    private let rows: OwnRows
    private let identities: Identities
    private let log: Logger
    private let managesRoutes: Bool
    private(set) var uplinks: [Uplink]
    /// Interfaces that have gone; one that comes back with the same number is another one.
    private var removed: Set<UInt32> = []
    /// The device on which packets wait while their source has no uplink, if there is one.
    private var waitingDevice: UInt32?
    private(set) var advertised = AdvertisedPrefixes()
    let addresses: AddressManager
    private let tunnelUse: Configuration.TunnelUse
    /// For people, where a full tunnel of the operator takes the packets of every source.
    private(set) var tunnel: String?
    /// The first of the priorities of the rules for rehomed pairs; nil while there must be none.
    private(set) var steeringPriority: UInt32? = Mark.passingPriority
    private var ownRoutes: UplinkRoutes
    /// Routes of others have changed that can wait for the next second: there may be many.
    private var hasNewRoutes = false

    init(
        _ configuration: Configuration, socket: RouteSocket, view: KernelView, rows: OwnRows, identities: Identities,
        log: Logger
    ) {
        self.socket = socket
        self.view = view
        self.rows = rows
        self.identities = identities
        self.log = log
        managesRoutes = configuration.manageRoutes
        tunnelUse = configuration.tunnel
        ownRoutes = UplinkRoutes(rows: rows, log: log)
        addresses = AddressManager(socket: socket, rows: rows, identities: identities, log: log)
        uplinks = configuration.uplinks.enumerated().map { index, uplink in
            Uplink(configuration: uplink, table: Mark.sourceTable + UInt32(index))
        }
    }

    // MARK: Questions

    /// What can be offered to peers. Doubts about the routers count only as long as one is above them: a wrong doubt must
    /// not take the last way.
    var localLocators: [LocalLocator] {
        let hasOperational = uplinks.contains { $0.isOperational && !$0.locators.isEmpty }
        return uplinks.filter { $0.isOperational || !hasOperational }.flatMap(\.locators)
            .map { LocalLocator(address: $0.row.address, method: .cga) }
    }

    /// Something comes with time, or goes: look again in a second.
    var isWaiting: Bool { addresses.isWaiting || addresses.hasRetired || hasNewRoutes }

    /// Why no session is protected now, for people.
    var obstacle: String? {
        tunnelUse == .inside ? tunnel.map { "not protected: full tunnel (\($0))" } : nil
    }

    /// The uplink that has this address and can send.
    func uplink(of address: IPv6Address) -> Uplink? {
        uplinks.first { uplink in uplink.isRunning && uplink.addresses.contains { $0.row.address == address } }
    }

    /// Addresses that were made for uplink number `index` and are not there now, since its interface is down or gone.
    func missingAddresses(on index: Int) -> [InterfaceAddress] {
        addresses.missing(on: index, present: uplinks[index].addresses)
    }

    /// Whether a change could matter to the uplinks or to what we keep in the kernel's tables.
    func isConcerned(by change: KernelChange) -> Bool {
        func isOurs(_ index: UInt32?) -> Bool {
            index == waitingDevice && waitingDevice != nil || uplinks.contains { $0.link?.index == index }
        }
        return switch change.row {
        case .link(let link): isOurs(link.index) || uplinks.contains { $0.configuration.interface == link.name }
        case .address(let row): isOurs(row.interface) || change.isRemoval && rows.isWanted(change.row)
        case .route(let route):
            change.isRemoval && rows.isWanted(change.row)
                || FullTunnel.isConcerned(by: route) || hear(route)
        case .rule(let rule): rule.protocol != Mark.protocolNumber || change.isRemoval && rows.isWanted(change.row)
        case .neighbour(let row): uplinks.contains { $0.link?.index == row.interface && $0.gateway == row.address }
        case .advertised(let row): isOurs(row.interface)
        case .label, .filters: false
        }
    }

    /// Whether a change takes an uplink away or brings one: it waits for nothing.
    func isUrgent(_ change: KernelChange) -> Bool {
        guard case .link(let link) = change.row,
            let known = uplinks.first(where: { $0.configuration.interface == link.name })?.link
        else { return false }
        return change.isRemoval || known.index != link.index || known.isUp != link.isUp
            || known.isRunning != link.isRunning
    }

    /// Takes note of a route that may matter to those of the uplinks. Never a reason to look at once.
    private func hear(_ route: Route) -> Bool {
        guard managesRoutes, !hasNewRoutes, OperatorRoutes.canCount(route), let destination = route.destination else {
            return false
        }
        hasNewRoutes =
            uplinks.contains { $0.link != nil && $0.link?.index == route.interface }
            || ownRoutes.areConcerned(by: destination)
        return false
    }

    /// The address that the kernel takes for new sessions that leave by an uplink; nil if no route leads there.
    func newSessions(by uplink: Uplink) -> IPv6Address? {
        guard let link = uplink.link else { return nil }
        return try? socket.source(to: Self.somewhere, interface: link.index)
    }

    /// The Internet as far as routes tell: the lowest address of those that are given out.
    private static let somewhere = IPv6Address(high: 0x2000_0000_0000_0000, low: 1)

    // MARK: Following the kernel

    /// Brings addresses and routes in line with the kernel's tables.
    ///
    /// - Parameters:
    ///   - changes: those that no table tells: advertisements and duplicates.
    ///   - waitingDevice: where packets go while their source has no uplink, if there is such a device.
    ///   - pinned: addresses that sessions need, whatever becomes of their uplinks.
    func refresh(after changes: [KernelChange], waitingDevice: UInt32?, pinned: Set<IPv6Address>) throws {
        let now = Instant.monotonicNow
        self.waitingDevice = waitingDevice
        for change in changes {
            if case .advertised(let prefix) = change.row { advertised.hear(prefix, at: now) }
            addresses.hear(change)
            if case .link(let link) = change.row, change.isRemoval { removed.insert(link.index) }
        }
        try view.complete()
        let tables = view.tables
        for index in uplinks.indices {
            let link = tables.link(named: uplinks[index].configuration.interface)
            let old = uplinks[index].link
            if let old, link?.isUp != true || link?.index != old.index { advertised.forget(interface: old.index) }
            uplinks[index].link = link
        }
        let present = tables.addresses(at: now)
        readAddresses(present)
        let routes = tables.routes
        hasNewRoutes = false
        readPrefixes(present, routes, at: now)
        addresses.keep(
            uplinks, others: present.filter { $0.protocol != Mark.protocolNumber }, routes: routes,
            isNeeded: pinned.contains, at: now)
        for index in uplinks.indices { uplinks[index].readGateway(tables, routes) }
        let rules = tables.rules
        readTunnel(tables, rules, routes)
        if managesRoutes { makeRoutes(rules, routes, pinned: pinned) }
        try view.catchUp()
        try view.complete()
        rows.repair(view.tables)
        try view.catchUp()
        readAddresses(view.tables.addresses(at: now))  // 5534-3.1-06
    }

    private func readAddresses(_ rows: [InterfaceAddress]) {
        for index in uplinks.indices {
            let interface = uplinks[index].link?.index
            uplinks[index].addresses = rows.filter { $0.interface == interface && $0.address.canBeLocator }.map {
                let isVerifiable = identities.recognise($0.address)
                return Uplink.Address(
                    row: $0, isVerifiable: isVerifiable,
                    isShared: uplinks[index].isShared($0, isVerifiable: isVerifiable))
            }
        }
    }

    private func readPrefixes(_ rows: [InterfaceAddress], _ routes: [Route], at now: Instant) {
        let marked = rows.filter { $0.protocol == Mark.protocolNumber && identities.recognise($0.address) }
        advertised.read(rows.lazy.filter { $0.protocol != Mark.protocolNumber }, own: marked, at: now)
        var taken: Set<IPv6Prefix> = []
        for index in uplinks.indices {
            let configuration = uplinks[index].configuration
            let interface = uplinks[index].link?.index
            var prefixes = configuration.prefixes.map {
                Uplink.Prefix(prefix: $0, lifetimes: .forever, isAdvertised: false, isOnLink: true)
            }
            if configuration.advertisedPrefixes, let interface {
                prefixes += advertised.prefixes(on: interface, at: now).map { prefix, lifetimes in
                    let isOnLink = routes.contains {
                        $0.destination == prefix && $0.interface == interface && $0.gateway == nil
                            && $0.table == Route.mainTable
                    }
                    return Uplink.Prefix(prefix: prefix, lifetimes: lifetimes, isAdvertised: true, isOnLink: isOnLink)
                }
            }
            // An address cannot stand on two links; the first uplink has it.
            uplinks[index].prefixes = prefixes.filter {
                !configuration.excluded.contains($0.prefix) && taken.insert($0.prefix).inserted
            }.map { prefix in
                var prefix = prefix
                prefix.isAutonomous = interface.map { advertised.isAutonomous(prefix.prefix, on: $0) } ?? false
                return prefix
            }
        }
    }

    /// Asks for the gateways of which nothing is known. Nobody sends to one that is dead, nor to one whose sessions have
    /// moved, so the kernel would neither find out that the first is back nor that the second is gone (RFC 5534, section
    /// 3.2). One that answers is not asked again while the kernel takes it for reachable.
    func probeGateways() {
        for uplink in uplinks where uplink.shouldProbeGateway {
            guard let link = uplink.link, let gateway = uplink.gateway else { continue }
            try? socket.probe(gateway, interface: link.index)
        }
    }

    private var interfaces: Set<UInt32> { Set(uplinks.compactMap { $0.link?.index }) }

    private func readTunnel(_ tables: KernelTables, _ rules: [Rule], _ routes: [Route]) {
        let found = FullTunnel.find(rules: rules, routes: routes, uplinks: interfaces)
        let old = tunnel
        tunnel = found.map { found in
            guard case .device(let index) = found else { return "nothing may leave" }
            return tables.link(index)?.name ?? "interface \(index)"
        }
        steeringPriority = SourceRules.steeringPriority(
            rules, hasTunnel: tunnel != nil, leavesOutside: tunnelUse == .outside)
        guard tunnel != old else { return }
        log.notice(
            "\(tunnel == nil ? "no full tunnel any more" : obstacle ?? "full tunnel")",
            metadata: tunnel.map { ["interface": "\($0)"] })
    }

    private func makeRoutes(_ rules: [Rule], _ routes: [Route], pinned: Set<IPv6Address>) {
        // Sessions of a prefix that is gone still need their way to the data path.
        let sources = uplinks.indices.map { index in
            addresses.prefixes(on: index, where: pinned.contains).union(uplinks[index].prefixes.map(\.prefix))
        }
        ownRoutes.make(
            for: uplinks, from: sources, rules: rules, routes: routes, steeringPriority: steeringPriority,
            waitingDevice: waitingDevice)
    }

    /// The interfaces that have gone since the last call.
    func takeRemoved() -> Set<UInt32> {
        defer { removed = [] }
        return removed
    }

    // MARK: The end

    /// Takes the addresses away if `removingAddresses`; else sessions go on using them.
    func stop(removingAddresses: Bool) {
        addresses.stop(removing: removingAddresses)
    }
}
