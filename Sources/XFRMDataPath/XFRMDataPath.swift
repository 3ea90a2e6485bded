import DataPath
import KernelRows
import Logging
import Netlink
import REAP
import Shim6Core
import Shim6Wire

/// The kernel's XFRM framework, with the addresses and routes that it needs around it. On the wire: type 2 routing header
/// and Home Address option.
public final class XFRMDataPath: DataPath {
    public static let marks = Marks(context: Mark.policyPriority)
    /// It sees traffic once a second.
    public static let leastSendTimeout = Duration.seconds(1)

    public let traits = DataPathTraits(
        name: "xfrm", acceptedForms: .homeAddress, sentForms: [.homeAddress], leastSendTimeout: leastSendTimeout,
        rehomingRequest: marks.request)
    public let tables: XFRMTables
    private let socket: RouteSocket
    private let rows: OwnRows
    private let log: Logger
    /// Lets `RehomedQuote.message` about Packet Too Big have an effect.
    private let heeding: HeedingSocket
    private var entries: [ContextTag: DataPathEntry] = [:]
    /// How many contexts each pinned ULID has.
    private var pins: [IPv6Address: Int] = [:]
    /// The uplinks that a packet could leave by: interface, gateway, and the addresses there.
    private var ways: [(interface: UInt32, gateway: IPv6Address, addresses: Set<IPv6Address>)] = []

    /// - Parameters:
    ///   - tables: with `marks`.
    ///   - rows: where routes, rules and pinned addresses are kept.
    public init(_ tables: XFRMTables, heeding: HeedingSocket, socket: RouteSocket, rows: OwnRows, log: Logger) {
        self.heeding = heeding
        self.tables = tables
        self.socket = socket
        self.rows = rows
        self.log = log
    }

    public var activity: any ActivityTable { tables.activity }
    public var needs: DataPathNeeds { DataPathNeeds(pinnedULIDs: Set(pins.keys)) }

    public func start(at now: Instant) throws {
        rows.want(lastResortRule)
        try tables.start()
    }

    public func stop() {
        rows.release(lastResortRule)
        rows.releaseRoutes { $0.table == Mark.steeringTable }
        for ulid in pins.keys { rows.release(pinnedAddress(ulid)) }
        do {
            try Self.flush(socket)
        } catch {
            log.error("\(error)")
        }
    }

    private var lastResortRule: Rule {
        Rule(priority: Mark.lastResortPriority, table: Mark.steeringTable, protocol: Mark.protocolNumber)
    }

    /// Removes what any run has left of states, policies and ULIDs on the loopback.
    public static func flush(_ socket: RouteSocket) throws {
        try XFRMTables.flush(marks: marks)
        let loopbacks = Set(try socket.links().filter(\.isLoopback).map(\.index))
        for row in try socket.addresses()
        where row.protocol == Mark.protocolNumber && loopbacks.contains(row.interface) {
            try? socket.delete(row)
        }
    }

    // MARK: The network

    public func follow(_ network: DataPathNetwork) {
        tables.locators = Set(network.places(pinned: pins.keys).keys)
        ways = network.uplinks.filter(\.isRunning).compactMap { uplink in
            uplink.gateway.map { (uplink.interface, $0, uplink.addresses) }
        }
        for ulid in pins.keys { wantLastResort(of: ulid) }
    }

    // MARK: Contexts

    public func install(_ entry: DataPathEntry) throws {
        let old = entries.updateValue(entry, forKey: entry.localTag)
        if old == nil { pin(entry.ulids.local) }
        try tables.install(entry)
    }

    public func remove(_ entry: DataPathEntry) throws {
        guard let old = entries.removeValue(forKey: entry.localTag) else { return }
        defer { unpin(old.ulids.local) }
        try tables.remove(old)
    }

    public func outgoing(of tag: ContextTag) -> LocatorPair? { entries[tag]?.outgoing }
    public func forget(_ ulids: ULIDPair) { tables.forget(ulids) }

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

    public var eventDescriptor: Int32 { tables.eventDescriptor }
    public func takeEvents(at now: Instant) throws -> [DataPathEvent] { try tables.takeEvents(at: now) }

    public var report: DataPathReport {
        let dropped = XFRMStatistics.read().map { ("xfrm_" + $0.key.snakeCase.trimming("_xfrm_"), $0.value) }
        return DataPathReport(
            tables: [
                DataPathReport.Table(
                    name: "data-path-contexts", used: entries.count, limit: tables.activity.count,
                    whenFull: "no new ones until some are idle"),
                DataPathReport.Table(
                    name: "watched-sessions", used: tables.watched.used, limit: tables.watched.limit,
                    overflows: tables.unwatched, whenFull: "no new ones until some are silent"),
            ],
            done: [
                "rehomed": tables.rehomed, "unwatched": tables.unwatched, "renewed": tables.renewed,
                "lost_events": tables.losses,
            ],
            dropped: Dictionary(dropped, uniquingKeysWith: +))
    }

    // MARK: Errors of the path

    public func hear(_ error: ICMPv6Error) -> HeardError {
        guard let quote = RehomedQuote(error.quote),
            let entry = quote.possibleULIDs.compactMap(tables.rehomedEntry(of:)).first,
            quote.source == entry.outgoing.source
        else { return HeardError() }
        return HeardError(messages: quote.message(for: entry, error).map { [$0] } ?? [])
    }
}

extension String {
    /// A name of the kernel's as this daemon writes names.
    fileprivate var snakeCase: String { map { $0.isUppercase ? "_\($0.lowercased())" : String($0) }.joined() }
    fileprivate func trimming(_ prefix: String) -> String { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self }
}
