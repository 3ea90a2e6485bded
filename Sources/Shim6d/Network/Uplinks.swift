import Configuration
import Logging
import Netlink
import Shim6Core
import Shim6Wire

/// Follows the uplinks: their links, addresses and gateways, and keeps on them what the host needs.
///
/// Every refresh reads the kernel's tables whole, so that a lost message, a missed one and a first look are one case.
final class Uplinks {
    private let socket: RouteSocket
    private let rows: OwnRows
    private let dataPath: any DataPath
    private let identities: Identities
    private let log: Logger
    private let managesRoutes: Bool
    private(set) var uplinks: [Uplink]
    /// The interfaces with our programs on them.
    private(set) var attached: Set<UInt32> = []
    /// What the data path has been told: addresses of this host and where they are.
    private var told: [IPv6Address: UInt32?] = [:]
    /// The addresses that this run has put on interfaces.
    private var made: [IPv6Address: InterfaceAddress] = [:]
    private(set) var warnings: [String] = []

    init(
        _ configuration: Configuration, socket: RouteSocket, rows: OwnRows, dataPath: any DataPath,
        identities: Identities, log: Logger
    ) {
        self.socket = socket
        self.rows = rows
        self.dataPath = dataPath
        self.identities = identities
        self.log = log
        managesRoutes = configuration.manageRoutes
        uplinks = configuration.uplinks.enumerated().map { index, uplink in
            Uplink(configuration: uplink, table: Mark.sourceTable + UInt32(index))
        }
    }

    // MARK: Questions

    var localLocators: [LocalLocator] {
        uplinks.flatMap(\.locators).map { LocalLocator(address: $0.row.address, method: .cga) }
    }

    /// The uplink that has this address and can send.
    func uplink(of address: IPv6Address) -> Uplink? {
        uplinks.first { uplink in uplink.isRunning && uplink.addresses.contains { $0.row.address == address } }
    }

    /// Addresses that were made for an uplink and are not there now, since its interface is down or gone.
    func missingAddresses(on uplink: Uplink) -> [InterfaceAddress] {
        let present = Set(uplink.addresses.map(\.row.address))
        return uplink.configuration.prefixes.compactMap { prefix in
            made.values.first { prefix.contains($0.address) && !present.contains($0.address) }
        }
    }

    /// Whether a change could matter to the uplinks or to what we keep in the kernel's tables.
    func isConcerned(by change: KernelChange) -> Bool {
        let waiting = dataPath.waitingDevice
        func isOurs(_ index: UInt32?) -> Bool {
            index == waiting && waiting != nil || uplinks.contains { $0.link?.index == index }
        }
        return switch change.row {
        case .link(let link): isOurs(link.index) || uplinks.contains { $0.configuration.interface == link.name }
        case .address(let row): isOurs(row.interface) || change.isRemoval && rows.isWanted(change.row)
        case .route(let route):
            change.isRemoval && rows.isWanted(change.row)
                || route.destination == nil && route.protocol != Mark.protocolNumber && isOurs(route.interface)
        case .rule: change.isRemoval && rows.isWanted(change.row)
        case .neighbour(let row): uplinks.contains { $0.link?.index == row.interface && $0.gateway == row.address }
        }
    }

    // MARK: Following the kernel

    /// Reads the kernel's tables and brings addresses, routes, programs and the data path's view in line.
    func refresh() throws {
        let links = try socket.links()
        for index in uplinks.indices {
            let link = links.first { $0.name == uplinks[index].configuration.interface }
            if uplinks[index].link?.index != link?.index, let old = uplinks[index].link { attached.remove(old.index) }
            uplinks[index].link = link
            if let link { attach(link) }
        }
        readAddresses(try socket.addresses())
        for index in uplinks.indices { makeAddresses(on: uplinks[index]) }
        readGateways(routes: try socket.routes(), neighbours: try socket.neighbours())
        if managesRoutes {
            for uplink in uplinks { makeRoutes(for: uplink) }
        }
        try rows.repair { index in links.contains { $0.index == index && $0.isUp } }
        readAddresses(try socket.addresses())
        tellDataPath()
    }

    private func attach(_ link: Link) {
        guard !attached.contains(link.index) else { return }
        do {
            try dataPath.attach(link)
            attached.insert(link.index)
        } catch {
            log.error("\(error)", metadata: ["interface": "\(link.name)"])
        }
    }

    private func readAddresses(_ rows: [InterfaceAddress]) {
        for index in uplinks.indices {
            let interface = uplinks[index].link?.index
            uplinks[index].addresses = rows.filter { $0.interface == interface && $0.address.isGlobalUnicast }.map {
                Uplink.Address(row: $0, isVerifiable: identities.recognise($0.address))
            }
        }
    }

    private func makeAddresses(on uplink: Uplink) {
        guard identities.makesAddresses, let link = uplink.link, link.isUp else { return }
        for duplicate in uplink.addresses where duplicate.isDuplicate && made[duplicate.row.address] != nil {
            replace(duplicate.row)
        }
        for prefix in uplink.configuration.prefixes {
            do {
                let address = try identities.address(in: prefix)
                let row = InterfaceAddress(
                    address, prefixLength: prefix.length, interface: link.index, protocol: Mark.protocolNumber)
                if made.updateValue(row, forKey: address)?.interface != link.index {
                    log.notice("address \(address)", metadata: ["interface": "\(link.name)"])
                }
                rows.want(row)
            } catch {
                log.error("\(error.message)")
            }
        }
    }

    private func replace(_ row: InterfaceAddress) {
        log.error("another host has \(row.address)")
        rows.release(row)
        made.removeValue(forKey: row.address)
        do {
            _ = try identities.replace(row.address)
        } catch {
            log.error("\(error.message)")
        }
    }

    private func readGateways(routes: [Route], neighbours: [Neighbour]) {
        for index in uplinks.indices {
            let interface = uplinks[index].link?.index
            switch uplinks[index].configuration.gateway {
            case .address(let gateway): uplinks[index].gateway = gateway
            case .automatic:
                let candidates = routes.filter {
                    $0.destination == nil && $0.interface == interface && $0.protocol != Mark.protocolNumber
                        && $0.gateway != nil
                }
                // While the interface is down its route is gone, but the router is most likely the same.
                if let best = candidates.min(by: { ($0.metric ?? 0) < ($1.metric ?? 0) }) {
                    uplinks[index].gateway = best.gateway
                }
            }
            let gateway = uplinks[index].gateway
            uplinks[index].gatewayState = neighbours.first { $0.interface == interface && $0.address == gateway }?.state
        }
    }

    /// Packets with a source of this provider leave through this provider.
    private func makeRoutes(for uplink: Uplink) {
        let mark = Mark.protocolNumber
        for prefix in uplink.configuration.prefixes {
            rows.want(Rule(priority: Mark.sourcePriority, from: prefix, table: uplink.table, protocol: mark))
        }
        // Sockets of a lost uplink keep a route, so that their packets reach the data path until it switches.
        let waiting = dataPath.waitingDevice
        if let waiting {
            rows.want(Route(to: nil, interface: waiting, table: uplink.table, metric: .max, protocol: mark))
        }
        guard let link = uplink.link, link.isUp else { return }
        rows.releaseRoutes { route in
            guard route.table == uplink.table, waiting == nil || route.interface != waiting else { return false }
            return route.interface != link.index || route.destination == nil && route.gateway != uplink.gateway
        }
        for prefix in uplink.configuration.prefixes {
            rows.want(Route(to: prefix, interface: link.index, table: uplink.table, metric: 1024, protocol: mark))
        }
        if let gateway = uplink.gateway {
            rows.want(
                Route(
                    to: nil, via: gateway, interface: link.index, table: uplink.table, metric: 1024, protocol: mark))
        }
    }

    private func tellDataPath() {
        var places: [IPv6Address: UInt32?] = [:]
        for address in dataPath.pinnedULIDs { places[address] = .some(nil) }
        for uplink in uplinks where uplink.isRunning {
            for address in uplink.locators { places[address.row.address] = uplink.link?.index }
        }
        do {
            for (address, place) in places { try dataPath.set(locator: address, uplink: place) }
            for address in told.keys where places[address] == nil { try dataPath.remove(locator: address) }
            told = places
        } catch {
            log.error("\(error)")
        }
    }

    // MARK: The end

    /// Takes the programs off, and the addresses too if `removingAddresses`; else sessions go on using these.
    func stop(removingAddresses: Bool) {
        for row in made.values {
            if removingAddresses { rows.release(row) } else { rows.leave(row) }
        }
        for interface in attached { detach(interface) }
        attached = []
    }

    private func detach(_ interface: UInt32) {
        do {
            try dataPath.detach(interface: interface)
        } catch {
            log.error("\(error)")
        }
    }
}

extension IPv6Address {
    /// An address of a host that others can reach: neither unspecified, loopback, link-local nor multicast.
    fileprivate var isGlobalUnicast: Bool { !isUnspecified && !isLoopback && !isLinkLocal && !isMulticast }
}
