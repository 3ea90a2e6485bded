import Netlink
import REAP
import Shim6Wire

/// The kernel's tables of links, addresses, routes, rules and neighbours, as dumps and the notifications since tell.
///
/// A notification is taken in as it is. Where it leaves open what has become of a table, that table counts as unknown
/// until it is read anew. Notifications that are older than a dump do no harm: what they tell of comes again behind
/// them.
public struct KernelTables {
    /// One of the tables.
    enum Table: CaseIterable {
        case links, addresses, routes, rules, neighbours
    }

    /// The tables that have to be read before they are looked at.
    private(set) var unknown = Set(Table.allCases)
    private var linkRows = KeptRows<UInt32, Link>()
    private var addressRows = KeptRows<AddressKey, HeardAddress>()
    private var routeRows = KeptRows<Hop, Route>()
    /// How many next hops stand under one key.
    private var hops: [Route.Key: Set<Hop>] = [:]
    private var ruleRows = KeptRows<Rule, Rule>()
    private var neighbourRows = KeptRows<AddressKey, Neighbour>()

    /// An address on an interface.
    public struct AddressKey: Hashable {
        public var address: IPv6Address
        public var interface: UInt32
    }

    struct HeardAddress {
        var row: InterfaceAddress
        var time: Instant
    }

    /// What tells the routes apart that stand under one key.
    private struct Hop: Hashable {
        var key: Route.Key
        var gateway: IPv6Address?
        var interface: UInt32?
        var type: UInt8

        init(_ route: Route) {
            key = route.key
            gateway = route.gateway
            interface = route.interface
            type = route.type
        }
    }

    // MARK: Questions

    public func link(named name: String) -> Link? { linkRows.first { $0.name == name } }
    public func link(_ index: UInt32) -> Link? { linkRows[index] }
    /// With the lifetimes that are left, newest first.
    public func addresses(at now: Instant) -> [InterfaceAddress] {
        addressRows.ordered.reversed().map { $0.aged(to: now) }
    }
    public var routes: [Route] { routeRows.ordered }
    /// In the order in which they are asked.
    public var rules: [Rule] { ruleRows.ordered.sorted { $0.priority < $1.priority } }
    public var links: [Link] { linkRows.ordered }
    public var neighbours: [Neighbour] { neighbourRows.ordered }
    public func neighbour(_ address: IPv6Address, on interface: UInt32) -> Neighbour? {
        neighbourRows[AddressKey(address: address, interface: interface)]
    }
    public func has(_ key: AddressKey) -> Bool { addressRows[key] != nil }
    public func has(_ key: Route.Key) -> Bool { hops[key] != nil }

    // MARK: Reading

    /// Notifications were lost, or may have been.
    mutating func doubt() { unknown = Set(Table.allCases) }

    /// Reads the tables that are unknown.
    mutating func complete(from socket: RouteSocket, at now: Instant) throws(KernelError) {
        if unknown.contains(.links) { read(try socket.links()) }
        if unknown.contains(.addresses) { read(try socket.addresses(), at: now) }
        if unknown.contains(.routes) { read(try socket.routes()) }
        if unknown.contains(.rules) { read(try socket.rules()) }
        if unknown.contains(.neighbours) { read(try socket.neighbours()) }
    }

    mutating func read(_ rows: [Link]) {
        linkRows = KeptRows(rows) { $0.index }
        unknown.remove(.links)
    }

    mutating func read(_ rows: [InterfaceAddress], at now: Instant) {
        addressRows = KeptRows(rows.reversed().map { HeardAddress(row: $0, time: now) }) { AddressKey($0.row) }
        unknown.remove(.addresses)
    }

    mutating func read(_ rows: [Route]) {
        routeRows = KeptRows()
        hops = [:]
        rows.forEach { put($0) }
        unknown.remove(.routes)
    }

    mutating func read(_ rows: [Rule]) {
        ruleRows = KeptRows(rows) { $0 }
        unknown.remove(.rules)
    }

    mutating func read(_ rows: [Neighbour]) {
        neighbourRows = KeptRows(rows, key: AddressKey.init)
        unknown.remove(.neighbours)
    }

    // MARK: Notifications

    mutating func hear(_ change: KernelChange, at now: Instant) {
        switch change.row {
        case .link(let link): hear(change.isRemoval ? nil : link, of: link.index)
        case .address(let row):
            addressRows[AddressKey(row)] = change.isRemoval ? nil : HeardAddress(row: row, time: now)
        case .route(let route):
            switch change.effect {
            case .removed: remove(route)
            case .put: put(route)
            case .replaced: replace(route)
            case .unclear: unknown.insert(.routes)
            }
        case .rule(let rule): ruleRows[rule] = change.isRemoval ? nil : rule
        case .neighbour(let row): neighbourRows[AddressKey(row)] = change.isRemoval ? nil : row
        case .advertised, .label, .filters: break
        }
    }

    /// Routes die and come back to life with their link, and the kernel need not tell
    /// (net.ipv6.route.skip_notify_on_dev_down).
    private mutating func hear(_ link: Link?, of index: UInt32) {
        let old = linkRows[index]
        if old?.isUp != link?.isUp || old?.isRunning != link?.isRunning || old?.hasCarrier != link?.hasCarrier {
            unknown.insert(.routes)
        }
        linkRows[index] = link
    }

    private mutating func put(_ route: Route) {
        let hop = Hop(route)
        routeRows[hop] = route
        hops[route.key, default: []].insert(hop)
    }

    /// Takes the place of the route with its key. Of several the kernel does not say which.
    private mutating func replace(_ route: Route) {
        let old = hops[route.key, default: []]
        guard old.count <= 1 else {
            unknown.insert(.routes)
            return
        }
        if let hop = old.first, hop != Hop(route) { remove(hop) }
        put(route)
    }

    /// One that is told of as gone, and known as something else, was not followed.
    private mutating func remove(_ route: Route) {
        let hop = Hop(route)
        if routeRows[hop] != nil { remove(hop) } else if hops[route.key] != nil { unknown.insert(.routes) }
    }

    private mutating func remove(_ hop: Hop) {
        routeRows[hop] = nil
        hops[hop.key]?.remove(hop)
        if hops[hop.key]?.isEmpty == true { hops[hop.key] = nil }
    }
}

extension KernelTables.AddressKey {
    init(_ row: InterfaceAddress) { self.init(address: row.address, interface: row.interface) }
    init(_ row: Neighbour) { self.init(address: row.address, interface: row.interface) }
}

extension KernelTables.HeardAddress {
    func aged(to now: Instant) -> InterfaceAddress {
        guard row.preferred != nil || row.valid != nil, now > time else { return row }
        let seconds = UInt32(clamping: (now.nanoseconds - time.nanoseconds) / 1_000_000_000)
        var row = row
        row.preferred = row.preferred.map { $0 - min($0, seconds) }
        row.valid = row.valid.map { $0 - min($0, seconds) }
        return row
    }
}

/// Rows by their keys, in the order in which they came.
struct KeptRows<Key: Hashable, Row> {
    private var rows: [Key: (row: Row, number: Int)] = [:]
    private var last = 0

    init() {}

    init(_ rows: [Row], key: (Row) -> Key) {
        for row in rows { self[key(row)] = row }
    }

    /// A row that changes keeps its place.
    subscript(key: Key) -> Row? {
        get { rows[key]?.row }
        set {
            guard let newValue else {
                rows[key] = nil
                return
            }
            if rows[key] == nil { last += 1 }
            rows[key] = (newValue, rows[key]?.number ?? last)
        }
    }

    var ordered: [Row] { rows.values.sorted { $0.number < $1.number }.map(\.row) }

    func first(where isIt: (Row) -> Bool) -> Row? {
        rows.values.first { isIt($0.row) }?.row
    }
}
