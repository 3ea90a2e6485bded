import DataPath
import KernelRows
import Logging
import Netlink
import Shim6Core
import Shim6Wire

/// Brings the packets of rehomed pairs to the data path, whatever has become of the uplink of their ULID.
///
/// While a pair is rehomed, a route for exactly that pair leads to the uplink in use, where the kernel program takes its
/// packets: an uplink with a dead gateway would never get them. `shim0` and `shim0x` are a veth pair. The program sends
/// through it what has to be segmented or merged; the route leads there only while there is no uplink for it. Every local
/// ULID with a context also stands on `shim0`, so that its sockets live on when its own interface goes down.
final class Steering {
    private let socket: RouteSocket
    private let rows: OwnRows
    private let program: KernelProgram
    private let log: Logger
    private let devices: SteeringDevices
    /// What routers have said of the paths of contexts.
    var pathMTUs = PathMTUs()
    /// The contexts, each with the way out of its source locator, if there is one now.
    private var entries: [ContextTag: (entry: DataPathEntry, exit: Exit?)] = [:]
    /// The contexts of each ULID pair, which share a route: the default one and those forked off.
    private var siblings: [ULIDPair: Set<ContextTag>] = [:]
    /// How many contexts each pinned ULID has.
    private var pins: [IPv6Address: Int] = [:]
    /// The uplinks for which lookups pass, and the first of the priorities of the rules; nil while there are none.
    private var priority: UInt32?
    /// A route for a pair was made and sockets may not know.
    private var hasNewRoutes = false

    /// What a route needs to know of an uplink.
    private struct Exit {
        var interface: UInt32
        var mtu: UInt32
        var gateway: IPv6Address?

        init?(_ uplink: DataPathNetwork.Uplink?) {
            guard let uplink else { return nil }
            (interface, mtu, gateway) = (uplink.interface, uplink.mtu, uplink.gateway)
        }
    }

    init(socket: RouteSocket, rows: OwnRows, program: KernelProgram, log: Logger) {
        self.socket = socket
        self.rows = rows
        self.program = program
        self.log = log
        devices = SteeringDevices(socket: socket, program: program)
    }

    /// The stack's end of the veth pair, and the other one.
    var device: UInt32 { devices.index }
    var peerDevice: UInt32 { devices.peerIndex }

    /// The local ULIDs of contexts.
    var pinnedULIDs: some Collection<IPv6Address> { pins.keys }

    /// Throws `NetworkFailure`, `KernelError` or `KernelProgramError`; what was made by then goes with `stop`.
    func start() throws {
        try devices.make()
        place(at: Mark.passingPriority)
    }

    /// Takes everything away but the devices.
    func stop() {
        place(at: nil)
        rows.releaseRoutes { $0.table == Mark.steeringTable }
        for ulid in pins.keys { rows.release(pinnedAddress(ulid)) }
    }

    /// Puts the rules for rehomed pairs at `priority` and the two that follow, or takes them away.
    func place(at priority: UInt32?) {
        guard priority != self.priority else { return }
        let old = self.priority.map(rules) ?? []
        for rule in priority.map(rules) ?? [] { rows.want(rule) }
        for rule in old { rows.release(rule) }
        self.priority = priority
    }

    private func rules(from first: UInt32) -> [Rule] {
        let mark = Mark.protocolNumber
        let (lookUp, passed) = (
            first + Mark.steeringPriority - Mark.passingPriority, first + Mark.passedPriority - Mark.passingPriority
        )
        // What has locators as addresses is not steered, even if they are the ULIDs of another rehomed context: packets
        // that were rehomed, in either form, and control messages.
        let pass = [NextHeader.shim6, NextHeader.routing].map {
            Rule(priority: first, nextHeader: $0, protocol: mark, action: .goTo, target: passed)
        }
        return [Rule(priority: passed, protocol: mark, action: .none)] + pass
            + [Rule(priority: lookUp, table: Mark.steeringTable, protocol: mark)]
    }

    /// Lets packets of every uplink through.
    func setMTU(atLeast octets: UInt32) {
        do { try devices.setMTU(octets) } catch { log.error("\(error)") }
    }

    /// Whether the devices are what they have to be. Others can change and remove them.
    func isWhole() throws -> Bool { try devices.areWhole() }

    /// Makes them so again.
    func restore() throws {
        guard try !devices.arePresent() else { return try devices.setUp() }
        for ulid in pins.keys { rows.release(pinnedAddress(ulid)) }
        // Pinned addresses and routes name the new ones.
        defer {
            for ulid in pins.keys { rows.want(pinnedAddress(ulid)) }
            for ulids in siblings.keys where leader(of: ulids) != nil { lead(ulids) }
            hasNewRoutes = true
        }
        try SteeringDevices.remove(socket)
        try devices.make()
    }

    // MARK: Contexts

    /// How many contexts are installed, and the flows of those forked off.
    var installed: (contexts: Int, flows: Int) {
        (
            entries.count,
            entries.values.lazy.filter { $0.entry.forkedInstance != 0 }.map(\.entry.flows.count).reduce(0, +)
        )
    }

    func entry(of tag: ContextTag) -> DataPathEntry? { entries[tag]?.entry }

    /// The context whose rehomed packets carry these ULIDs in a routing header and a Home Address option.
    func entryByHomeAddress(_ ulids: ULIDPair) -> DataPathEntry? {
        siblings[ulids, default: []].lazy.compactMap { self.entries[$0]?.entry }
            .first { $0.carriesHeader && $0.form == .homeAddress }
    }

    /// `uplink` is the one that has the source locator, if there is one now.
    func install(_ entry: DataPathEntry, by uplink: DataPathNetwork.Uplink?) throws(KernelProgramError) {
        let ulids = entry.ulids
        let was = leader(of: ulids)
        let old = entries.updateValue((entry, Exit(uplink)), forKey: entry.localTag)?.entry
        if old == nil {
            pin(ulids.local)
            siblings[ulids, default: []].insert(entry.localTag)
        }
        let now = leader(of: ulids)
        // The route comes after the switch and goes before the return: without it packets reach the uplink of their ULID,
        // and the program sends them on from there.
        if was != nil, now == nil { rows.release(route(for: ulids)) }
        try write(was?.outgoing.source == now?.outgoing.source ? [entry.localTag] : siblings[ulids, default: []])
        guard now != nil else { return }
        if was == nil { hasNewRoutes = true }
        // The kernel keeps with a route what it was told of the MTU of the path before.
        lead(ulids, anew: old?.outgoing != entry.outgoing)
    }

    func remove(_ entry: DataPathEntry) throws(KernelProgramError) {
        let ulids = entry.ulids
        let was = leader(of: ulids)
        guard let old = entries.removeValue(forKey: entry.localTag)?.entry else { return }
        siblings[ulids]?.remove(entry.localTag)
        if siblings[ulids]?.isEmpty == true { siblings[ulids] = nil }
        let now = leader(of: ulids)
        defer {
            if now != nil { lead(ulids) }
            unpin(ulids.local)
        }
        if was != nil, now == nil { rows.release(route(for: ulids)) }
        try program.remove(old)
        if was?.outgoing.source != now?.outgoing.source { try write(siblings[ulids, default: []]) }
    }

    /// Tells the program what is known of these contexts now.
    func write(_ tags: some Sequence<ContextTag>) throws(KernelProgramError) {
        for case let (entry, _)? in tags.map({ entries[$0] }) {
            try program.install(
                entry, pathMTU: pathMTUs[entry.outgoing], wayBack: leader(of: entry.ulids)?.outgoing.source)
        }
    }

    /// Leads the routes of rehomed pairs by the uplinks as they are now.
    func follow(_ network: DataPathNetwork) {
        let were = siblings.keys.compactMap(leader)
        for (tag, (entry, _)) in entries { entries[tag]?.exit = Exit(network.uplink(of: entry.outgoing.source)) }
        for was in were {
            lead(was.ulids)
            guard leader(of: was.ulids)?.outgoing.source != was.outgoing.source else { continue }
            do { try write(siblings[was.ulids, default: []]) } catch { log.error("\(error)") }
        }
    }

    /// The context of a ULID pair whose uplink has the route of the pair: the default one, rehomed or not, else one of those
    /// forked off; one without an uplink only if there is no other. Nil if none has packets for the program.
    private func leader(of ulids: ULIDPair) -> DataPathEntry? {
        let all = siblings[ulids, default: []].compactMap { entries[$0] }
        guard all.contains(where: \.entry.carriesHeader) else { return nil }
        return all.filter { $0.entry.carriesHeader || $0.entry.forkedInstance == 0 }.min { one, other in
            guard (one.exit == nil) == (other.exit == nil) else { return one.exit != nil }
            return (one.entry.forkedInstance, one.entry.localTag.rawValue)
                < (other.entry.forkedInstance, other.entry.localTag.rawValue)
        }?.entry
    }

    private func carrying(_ ulids: ULIDPair) -> [(entry: DataPathEntry, exit: Exit?)] {
        siblings[ulids, default: []].compactMap { entries[$0] }.filter(\.entry.carriesHeader)
    }

    /// Makes the route of a rehomed pair. One by a next hop that the kernel does not take must not leave an old one there.
    private func lead(_ ulids: ULIDPair, anew: Bool = false) {
        var route = route(for: ulids)
        guard !(anew ? rows.put(route) : rows.want(route)), route.interface != device else { return }
        (route.interface, route.gateway) = (device, nil)
        rows.put(route)
    }

    /// The route of a rehomed pair: to the next hop of its locators on the uplink in use, or to shim0 while there is none.
    private func route(for ulids: ULIDPair) -> Route {
        let rooms = carrying(ulids).compactMap { entry, exit in exit.map { $0.mtu - min($0.mtu, entry.addedOctets) } }
        var route = Route(
            to: IPv6Prefix(ulids.peer, length: 128), from: IPv6Prefix(ulids.local, length: 128), interface: device,
            table: Mark.steeringTable, metric: 1024, mtu: rooms.min(), protocol: Mark.protocolNumber)
        guard let leader = leader(of: ulids), let exit = entries[leader.localTag]?.exit else { return route }
        let nextHop = program.nextHop(for: leader.outgoing) ?? exit.gateway
        guard nextHop != nil || !leader.carriesHeader else { return route }
        route.interface = exit.interface
        route.gateway = nextHop == ulids.peer ? nil : nextHop
        return route
    }

    /// To be called after contexts have been installed: makes every socket look for its route again. A connected one
    /// keeps the route that it found, and a new route in another table does not make it look: it would go on to the old
    /// gateway until that is given up, and then be stuck. Any change of a rule does; this one says what the steering
    /// rule says already.
    func settle() {
        guard hasNewRoutes else { return }
        hasNewRoutes = false
        let rule = Rule(
            priority: Mark.steeringPriority, from: IPv6Prefix(IPv6Address(high: 0, low: 1), length: 128),
            table: Mark.steeringTable, protocol: Mark.protocolNumber)
        do {
            try socket.add(rule)
            try socket.delete(rule)
        } catch {
            log.error("\(error)")
        }
    }

    private func pin(_ ulid: IPv6Address) {
        pins[ulid, default: 0] += 1
        if pins[ulid] == 1 { rows.want(pinnedAddress(ulid)) }
    }

    private func unpin(_ ulid: IPv6Address) {
        guard let count = pins[ulid] else { return }
        pins[ulid] = count > 1 ? count - 1 : nil
        if count == 1 { rows.release(pinnedAddress(ulid)) }
    }

    /// Never chosen as source of a new session, since it is deprecated from the start.
    private func pinnedAddress(_ ulid: IPv6Address) -> InterfaceAddress {
        InterfaceAddress(
            ulid, prefixLength: 128, interface: device, flags: [.noDetection, .noPrefixRoute], preferred: 0,
            protocol: Mark.protocolNumber)
    }
}

extension DataPathEntry {
    /// By how much its rehomed packets grow: the payload extension header, or a routing header and the Home Address option.
    fileprivate var addedOctets: UInt32 { form == .homeAddress ? 48 : UInt32(PayloadHeader.length) }
}
