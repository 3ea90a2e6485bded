import Glibc
import Logging
import Netlink
import Shim6Wire

/// The addresses, routes and rules that the daemon wants in the kernel.
///
/// A row that somebody else removes is put back; one that cannot be added now (its interface is down) is tried again at
/// the next `repair`.
public final class OwnRows {
    private let socket: RouteSocket
    private let log: Logger
    private var addresses: [AddressKey: InterfaceAddress] = [:]
    private var routes: [Route.Key: Route] = [:]
    private var rules: Set<Rule> = []
    /// Rows that the kernel has told of, and so are missed when they are not there.
    private var seen: Set<RowKey> = []
    /// How often a row was put back after somebody removed it.
    public private(set) var restored: UInt64 = 0

    private typealias AddressKey = KernelTables.AddressKey

    private enum RowKey: Hashable {
        case address(AddressKey)
        case route(Route.Key)
        case rule(Rule)
    }

    public init(socket: RouteSocket, log: Logger) {
        self.socket = socket
        self.log = log
    }

    // MARK: Wanting and no longer wanting

    public func want(_ row: InterfaceAddress) {
        let key = AddressKey(row)
        guard addresses.updateValue(row, forKey: key) != row else { return }
        attempt { () throws(KernelError) in try socket.replace(row) }
    }

    /// Wants the address with these lifetimes, which it may have already: the next `repair` adds it if it is missing.
    public func note(_ row: InterfaceAddress) {
        let key = AddressKey(row)
        addresses[key] = row
    }

    /// Gives the address these lifetimes now.
    public func put(_ row: InterfaceAddress) {
        let key = AddressKey(row)
        addresses[key] = row
        attempt { () throws(KernelError) in try socket.replace(row) }
    }

    /// False if the kernel refuses it now.
    @discardableResult
    public func want(_ row: Route) -> Bool {
        routes[row.key] == row || put(row)
    }

    /// Makes the route anew, without what the kernel has learnt about it. False if the kernel refuses it now.
    @discardableResult
    public func put(_ row: Route) -> Bool {
        routes[row.key] = row
        return attempt { () throws(KernelError) in try socket.replace(row) }
    }

    public func want(_ row: Rule) {
        guard rules.insert(row).inserted else { return }
        attempt { () throws(KernelError) in try socket.add(row) }
    }

    public func release(_ row: InterfaceAddress) {
        guard let row = addresses.removeValue(forKey: AddressKey(row)) else { return }
        seen.remove(.address(AddressKey(row)))
        try? socket.delete(row)
    }

    public func release(_ row: Route) {
        guard let row = routes.removeValue(forKey: row.key) else { return }
        seen.remove(.route(row.key))
        try? socket.delete(row)
    }

    public func release(_ row: Rule) {
        guard rules.remove(row) != nil else { return }
        seen.remove(.rule(row))
        try? socket.delete(row)
    }

    /// Deletes an address with our mark, wanted or not.
    public func remove(_ row: InterfaceAddress) {
        addresses.removeValue(forKey: AddressKey(row))
        seen.remove(.address(AddressKey(row)))
        try? socket.delete(row)
    }

    /// Releases every rule that satisfies `isUnwanted`.
    public func releaseRules(where isUnwanted: (Rule) -> Bool) {
        for rule in rules where isUnwanted(rule) { release(rule) }
    }

    /// Releases every route that satisfies `isUnwanted`.
    public func releaseRoutes(where isUnwanted: (Route) -> Bool) {
        for route in routes.values where isUnwanted(route) { release(route) }
    }

    /// Wants these routes, and no other that satisfies `isConcerned`.
    public func keep(_ wanted: [Route], of isConcerned: (Route) -> Bool) {
        let keys = Set(wanted.map(\.key))
        for route in wanted { want(route) }
        releaseRoutes { isConcerned($0) && !keys.contains($0.key) }
    }

    /// Forgets an address without touching the kernel's, which sessions may be using.
    public func leave(_ row: InterfaceAddress) {
        addresses.removeValue(forKey: AddressKey(row))
        seen.remove(.address(AddressKey(row)))
    }

    // MARK: Keeping them there

    /// A row that is there is missed when it goes.
    public func hear(_ change: KernelChange) {
        guard !change.isRemoval, isWanted(change.row) else { return }
        switch change.row {
        case .address(let row): seen.insert(.address(AddressKey(row)))
        case .route(let row): seen.insert(.route(row.key))
        case .rule(let row): seen.formUnion(rules.filter { $0.isSame(as: row) }.map(RowKey.rule))
        case .link, .neighbour, .advertised, .label, .filters: break
        }
    }

    /// Whether the loss of this row is one that `repair` should look into.
    public func isWanted(_ row: KernelRow) -> Bool {
        switch row {
        case .address(let row): addresses[AddressKey(row)] != nil
        case .route(let row): routes[row.key] != nil
        case .rule(let row): row.protocol == Mark.protocolNumber && rules.contains { $0.isSame(as: row) }
        case .link, .neighbour, .advertised, .label, .filters: false
        }
    }

    /// Adds what is wanted and missing. On interfaces that are not there or not up nothing is tried.
    public func repair(_ tables: KernelTables) {
        func isUsable(_ index: UInt32) -> Bool { tables.link(index)?.isUp == true }
        for (key, row) in addresses {
            guard !tables.has(key) else {
                seen.insert(.address(key))
                continue
            }
            let wasRemoved = seen.remove(.address(key)) != nil
            guard isUsable(row.interface) else { continue }
            if attempt({ () throws(KernelError) in try socket.replace(row) }), wasRemoved {
                restored += 1
            }
        }
        for (key, row) in routes where !tables.has(key) {
            let wasRemoved = seen.remove(.route(key)) != nil
            guard row.interface.map(isUsable) ?? true else { continue }
            if attempt({ () throws(KernelError) in try socket.replace(row) }), wasRemoved { restored += 1 }
        }
        let haveRules = tables.rules
        for row in rules where !haveRules.contains(where: row.isSame) {
            let wasRemoved = seen.remove(.rule(row)) != nil
            if attempt({ () throws(KernelError) in try socket.add(row) }), wasRemoved { restored += 1 }
        }
    }

    @discardableResult
    private func attempt(_ change: () throws(KernelError) -> Void) -> Bool {
        do {
            try change()
        } catch  where error.number == EEXIST {
            // It is there, which is all that was wanted.
        } catch {
            log.debug("\(error)")
            return false
        }
        return true
    }
}

extension Rule {
    /// Whether the kernel's row is this one: the same selector and table.
    fileprivate func isSame(as row: Rule) -> Bool {
        priority == row.priority && source == row.source && destination == row.destination
            && incoming == row.incoming && outgoing == row.outgoing && nextHeader == row.nextHeader
            && table == row.table
            && action == row.action && target == row.target && suppressedLength == row.suppressedLength
            && `protocol` == row.protocol
    }
}
