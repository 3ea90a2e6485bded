import BPFDataPath
import Logging
import Netlink
import REAP
import Shim6Control
import Shim6Core
import Shim6Wire
import XFRMDataPath

/// The kernel's XFRM framework, with the addresses and routes that it needs around it. On the wire: type 2 routing header
/// and Home Address option.
final class XFRMDataPath: DataPath {
    static let marks = Marks(context: Mark.policyPriority)
    /// It sees traffic once a second.
    static let leastSendTimeout = Duration.seconds(1)

    private let xfrm: XFRMTables
    private let socket: RouteSocket
    private let rows: OwnRows
    private let log: Logger
    /// Lets `RehomedQuote.message` about Packet Too Big have an effect.
    private let heeding: HeedingSocket
    private var entries: [ContextTag: DataPathEntry] = [:]
    /// How many contexts each pinned ULID has.
    private var pins: [IPv6Address: Int] = [:]
    /// The uplinks that a packet could leave by: interface, gateway, and the addresses there.
    private var ways: [(interface: UInt32, gateway: IPv6Address, addresses: [IPv6Address])] = []

    init(_ xfrm: XFRMTables, heeding: HeedingSocket, socket: RouteSocket, rows: OwnRows, log: Logger) {
        self.heeding = heeding
        self.xfrm = xfrm
        self.socket = socket
        self.rows = rows
        self.log = log
    }

    let name = "xfrm"
    var detail: String? { nil }
    var leastSendTimeout: Duration { Self.leastSendTimeout }
    let forms: (accepted: PayloadForms, sent: [PayloadForms]) = (.homeAddress, [.homeAddress])
    var activity: SharedActivity { xfrm.activity }
    var rehomingRequest: UInt32 { Self.marks.request }
    var waitingDevice: UInt32? { nil }
    var pinnedULIDs: [IPv6Address] { Array(pins.keys) }

    func start() throws {
        rows.want(
            Rule(priority: Mark.lastResortPriority, table: Mark.steeringTable, protocol: Mark.protocolNumber))
        try xfrm.start()
    }

    func stop() {
        do {
            try Self.flush(socket)
        } catch {
            log.error("\(error)")
        }
    }

    /// Removes what any run has left of states, policies and ULIDs on the loopback.
    static func flush(_ socket: RouteSocket) throws {
        try XFRMTables.flush(marks: marks)
        let loopbacks = Set(try socket.links().filter(\.isLoopback).map(\.index))
        for row in try socket.addresses()
        where row.protocol == Mark.protocolNumber && loopbacks.contains(row.interface) {
            try? socket.delete(row)
        }
    }

    func beat(at now: Instant) {}

    // MARK: The network

    func attach(_ link: Link) throws {}
    func detach(interface: UInt32) throws {}
    func set(locator: IPv6Address, uplink: UInt32?) throws { xfrm.set(locator: locator) }
    func remove(locator: IPv6Address) throws { xfrm.remove(locator: locator) }

    func refresh(_ uplinks: Uplinks) throws {
        ways = uplinks.uplinks.filter(\.isRunning).compactMap { uplink in
            guard let link = uplink.link, let gateway = uplink.gateway else { return nil }
            return (link.index, gateway, uplink.addresses.map(\.row.address))
        }
        for ulid in pins.keys { wantLastResort(of: ulid) }
    }

    // MARK: Contexts

    func install(_ entry: DataPathEntry, by uplink: Uplink?) throws {
        let old = entries.updateValue(entry, forKey: entry.localTag)
        if old == nil { pin(entry.ulids.local) }
        try xfrm.install(entry)
    }

    func remove(_ entry: DataPathEntry) throws {
        guard let old = entries.removeValue(forKey: entry.localTag) else { return }
        defer { unpin(old.ulids.local) }
        try xfrm.remove(old)
    }

    func outgoing(of tag: ContextTag) -> LocatorPair? { entries[tag]?.outgoing }
    func forget(_ ulids: ULIDPair) { xfrm.forget(ulids) }
    func settle() {}

    private func pin(_ ulid: IPv6Address) {
        pins[ulid, default: 0] += 1
        guard pins[ulid] == 1 else { return }
        rows.want(pinnedAddress(ulid))
        wantLastResort(of: ulid)
    }

    private func unpin(_ ulid: IPv6Address) {
        guard let count = pins[ulid] else { return }
        pins[ulid] = count > 1 ? count - 1 : nil
        guard count == 1 else { return }
        rows.release(pinnedAddress(ulid))
        rows.releaseRoutes { $0.table == Mark.steeringTable && $0.source == IPv6Prefix(ulid, length: 128) }
    }

    /// The kernel takes rehomed packets only for an address with the `home` flag, and that on the uplink goes when the
    /// uplink goes. Never chosen as source of a new session, since it is deprecated from the start.
    private func pinnedAddress(_ ulid: IPv6Address) -> InterfaceAddress {
        InterfaceAddress(
            ulid, prefixLength: 128, interface: 1, flags: [.home, .noDetection, .noPrefixRoute], preferred: 0,
            protocol: Mark.protocolNumber)
    }

    /// Where no other route is left, packets of the ULID find one: the kernel wants a route for the ULIDs before it looks for
    /// that of the locators, and a socket that has met none is stuck.
    private func wantLastResort(of ulid: IPv6Address) {
        guard let way = ways.first(where: { !$0.addresses.contains(ulid) }) ?? ways.first else { return }
        let source = IPv6Prefix(ulid, length: 128)
        let route = Route(
            to: nil, from: source, via: way.gateway, interface: way.interface, table: Mark.steeringTable, metric: 1024,
            protocol: Mark.protocolNumber)
        rows.releaseRoutes {
            $0.table == Mark.steeringTable && $0.source == source
                && ($0.interface != way.interface || $0.gateway != way.gateway)
        }
        rows.want(route)
    }

    // MARK: Events and counters

    var eventDescriptor: Int32 { xfrm.eventDescriptor }
    func takeEvents(at now: Instant) throws -> [DataPathEvent] { try xfrm.takeEvents(at: now) }

    var tables: [TableUsage] {
        [
            TableUsage(
                name: "data-path-contexts", used: entries.count, limit: Int(activity.count),
                whenFull: "no new ones until some are idle"),
            TableUsage(
                name: "watched-sessions", used: xfrm.watched.used, limit: xfrm.watched.limit, overflows: xfrm.unwatched,
                whenFull: "no new ones until some are silent"),
        ]
    }

    func counters() -> (done: [String: UInt64], dropped: [String: UInt64]) {
        let dropped = XFRMStatistics.read().map { (snakeCase($0.key).trimming("_xfrm_"), $0.value) }
        return (
            [
                "rehomed": xfrm.rehomed, "unwatched": xfrm.unwatched, "renewed": xfrm.renewed,
                "lost_events": xfrm.losses,
            ],
            Dictionary(dropped.map { ("xfrm_" + $0.0, $0.1) }, uniquingKeysWith: +)
        )
    }

    // MARK: Errors of the path

    func local(_ error: ICMPv6Error) -> [LocalMessage] {
        guard let quote = RehomedQuote(error.quote) else { return [] }
        let candidates = quote.possibleULIDs.compactMap(xfrm.rehomedEntry(of:))
        guard let entry = candidates.first, quote.source == entry.outgoing.source else { return [] }
        return quote.message(for: entry, error).map { [$0] } ?? []
    }
}

extension String {
    fileprivate func trimming(_ prefix: String) -> String { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self }
}
