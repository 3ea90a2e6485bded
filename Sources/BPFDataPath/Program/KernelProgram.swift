import CDataPath
import EmbeddedProgram
import Glibc
import REAP
import Shim6Core
import Shim6Wire

/// The kernel program of the `bpf` data path: loaded when this is made, at work on the interfaces it is attached to.
///
/// Its owner calls it from one thread at a time. Interfaces are those of the calling thread's network namespace.
/// What it makes in the kernel outlives it, also after a crash, until `detach(interface:)`.
///
/// What its owner has to arrange around it:
/// * A veth pair `shim0`, `shim0x`, both up and with `addrgenmode none` and `accept_ra 0`; `shim0` with `arp off`,
///   `gso_max_size 65536` and the MTU of the largest uplink or more; `shim0x` with the same MTU and IPv6 disabled.
/// * Offloads: `shim0` with tso, gso, tx-udp-segmentation, tx-gso-list and tx-sctp-segmentation off and gro on;
///   `shim0x` with tso off, without which the kernel merges nothing on `shim0`, and gro off. Checksum offload stays
///   on.
/// * Rules in this order: `ipproto 140 goto C` and `ipproto 43 goto C`; then the table of the steered pairs; then
///   `C: nop`; then those of the source-specific tables. Without the first ones a packet that was rehomed, or a probe of
///   the ULID pair, would find the route of another rehomed pair when its next hop is looked up.
/// * For each rehomed pair, made after `install` and removed before it: `PEER/128 from ULID/128 via HOP dev UPLINK mtu M`
///   with the uplink of the source locator, `nextHop(for:)` the locators, and the smallest MTU of the uplinks in question
///   minus 8; `dev shim0` while there is no such uplink. After the route is made some rule must be added or removed:
///   sockets keep the route that they have found until then, and a new route in another table does not matter to
///   them.
/// * `set(locator:uplink:)` for every address of this host that is a locator or a ULID, before the contexts, again
///   when its interface comes, goes or changes its link-layer address; `refreshNextHops()` when a route changes.
/// * `beat(at:)` before the first `attach(uplink:)` and at least once a second from then on.
public final class KernelProgram {
    /// How many entries the tables hold. Memory for all of them is taken at once: about 500 octets a context, and the
    /// ring.
    public struct Sizes: Sendable {
        /// Contexts, and slots of activity stamps.
        public var contexts = UInt32(HostConfiguration().maximumContexts)
        /// Addresses of this host.
        public var locators: UInt32 = 1024
        /// Locators of peers, of all contexts together.
        public var peerLocators: UInt32 = 262_144
        /// Sessions without a context that are watched for the trigger; beyond that the least recently used is
        /// forgotten.
        public var candidates: UInt32 = 8192
        /// Sources and contexts whose rate is being limited; beyond that the least recently used is forgotten.
        public var limiters: UInt32 = 8192
        /// Packets that can be sent again; beyond that the least recently used is forgotten. 0: none is kept.
        public var keptPackets = UInt32(DataPathLimits().keptPackets)
        /// Octets of events not yet read: a power of two, at least 4096.
        public var ring: UInt32 = 1 << 20

        public init() {}
    }

    /// What the tables hold at most, whose sizes are not the owner's to choose.
    public static let mostFlows = Int(SHIM6_MOST_FLOWS)
    public static let mostNextHops = Int(SHIM6_MOST_NEXT_HOPS)
    /// Control messages without the tag of a context that wait for the daemon.
    public static let mostUnread = 3 * Int(SHIM6_MOST_UNREAD) + Int(SHIM6_MOST_UNREAD_ACQUAINTED)

    public let sizes: Sizes
    /// What `set(locator:uplink:)` was told.
    public private(set) var locators: Set<IPv6Address> = []
    /// Entries for which there was no room.
    public private(set) var refused = (
        contexts: UInt64(0), flows: UInt64(0), locators: UInt64(0), peerLocators: UInt64(0)
    )
    /// What the program was told of the locators of each context's peer.
    private var peerLocators: [ContextTag: [IPv6Address]] = [:]

    let handle: OpaquePointer
    private let control: UnsafeMutablePointer<shim6_control>
    /// The stamps of all contexts, in memory shared with the kernel; to be used while this object lives.
    public let activity: SharedActivity

    /// Loads the program.
    ///
    /// - Throws: `KernelProgramLoadError` with the reason.
    public init(sizes: Sizes = Sizes()) throws(KernelProgramLoadError) {
        self.sizes = sizes
        handle = try KernelProgram.load(sizes)
        control = shim6_control_memory(handle)
        activity = SharedActivity(slots: shim6_activity_memory(handle), count: sizes.contexts)
        settings = KernelProgramSettings()
    }

    deinit {
        shim6_close(handle)
    }

    private static func load(_ sizes: Sizes) throws(KernelProgramLoadError) -> OpaquePointer {
        var wanted = shim6_sizes(
            contexts: sizes.contexts, locators: sizes.locators,
            peer_locators: sizes.peerLocators, candidates: sizes.candidates, limiters: sizes.limiters,
            kept: sizes.keptPackets, ring_octets: sizes.ring)
        var loaded: OpaquePointer?
        var failure = shim6_load_error()
        let object = EmbeddedProgram.object()
        let code = shim6_open(object, object.count, &wanted, &loaded, &failure)
        guard code == 0, let loaded else { throw KernelProgramLoadError(failure) }
        return loaded
    }

    // MARK: Interfaces

    /// Attaches to ingress and egress of an uplink. A second time replaces the program, without a gap.
    public func attach(uplink: UInt32) throws(KernelProgramError) {
        try check(shim6_attach_uplink(handle, uplink), "attach to uplink \(uplink)")
    }

    /// Attaches to the veth pair through which rehomed packets are steered: `shim0` is the end with the routes.
    public func attach(shim0: UInt32, shim0x: UInt32) throws(KernelProgramError) {
        try check(shim6_attach_steering(handle, shim0, shim0x), "attach to shim0")
    }

    /// Whether this program is still on both hooks of an uplink. Others can remove and replace it.
    public func isAttached(uplink: UInt32) throws(KernelProgramError) -> Bool {
        try check(shim6_is_attached_to_uplink(handle, uplink), "look at uplink \(uplink)") > 0
    }

    /// The same for the veth pair.
    public func isAttached(shim0: UInt32, shim0x: UInt32) throws(KernelProgramError) -> Bool {
        try check(shim6_is_attached_to_steering(handle, shim0, shim0x), "look at shim0") > 0
    }

    /// Removes our filters of this or any earlier run from an interface, and its clsact qdisc if we made it and
    /// nothing else uses it.
    ///
    /// - Returns: whether there was something to remove.
    @discardableResult
    public static func detach(interface: UInt32) throws(KernelProgramError) -> Bool {
        try check(shim6_detach(interface), "detach from interface \(interface)") > 0
    }

    // MARK: Tables

    /// Makes the entries of a context or brings them up to date. Outgoing packets change over in one atomic step.
    ///
    /// - Parameters:
    ///   - pathMTU: the largest packet that the path between the locators is known to carry, at least 1280; nil if only the
    ///     uplink's is known.
    ///   - wayBack: the locator whose uplink has the route of the ULID pair, for this context or another of the pair; nil
    ///     if there is no such route.
    public func install(
        _ entry: DataPathEntry, pathMTU: UInt32? = nil, wayBack: IPv6Address?
    ) throws(KernelProgramError) {
        let code = withContext(entry) { context in
            context.path_mtu = pathMTU ?? 0
            context.steered = wayBack != nil
            if let wayBack { context.way_back = shim6_address(wayBack) }
            return shim6_context_put(handle, &context)
        }
        if code == -E2BIG {
            if entry.forkedInstance == 0 { refused.contexts += 1 } else { refused.flows += 1 }
        }
        try check(code, "install context \(entry.localTag)")
        try set(peerLocators: entry.peerLocators, of: entry.localTag)
    }

    /// Those for which there is no room are treated like locators of strangers.
    private func set(peerLocators wanted: [IPv6Address], of tag: ContextTag) throws(KernelProgramError) {
        let told = peerLocators[tag, default: []]
        guard wanted != told else { return }
        peerLocators[tag] = wanted.isEmpty ? nil : wanted
        for address in told where !wanted.contains(address) {
            var key = shim6_peer_locator(tag: tag.rawValue, address: shim6_address(address))
            try check(shim6_peer_locator_remove(handle, &key), "remove a locator of a peer")
        }
        for address in wanted where !told.contains(address) {
            var key = shim6_peer_locator(tag: tag.rawValue, address: shim6_address(address))
            let code = shim6_peer_locator_put(handle, &key)
            guard code != -E2BIG else {
                refused.peerLocators += 1
                continue
            }
            try check(code, "set a locator of a peer")
        }
    }

    /// How many locators of peers the program was told.
    public var peerLocatorCount: Int { peerLocators.values.reduce(0) { $0 + $1.count } }

    /// The same for a context that is the only one of its ULID pair.
    public func install(_ entry: DataPathEntry, pathMTU: UInt32? = nil) throws(KernelProgramError) {
        try install(entry, pathMTU: pathMTU, wayBack: entry.carriesHeader ? entry.outgoing.source : nil)
    }

    public func remove(_ entry: DataPathEntry) throws(KernelProgramError) {
        try set(peerLocators: [], of: entry.localTag)
        let code = withContext(entry) { shim6_context_remove(handle, &$0) }
        try check(code, "remove context \(entry.localTag)")
    }

    private func withContext(_ entry: DataPathEntry, _ body: (inout shim6_context) -> Int32) -> Int32 {
        var context = shim6_context(entry)
        return entry.flows.map(shim6_flow.init).withUnsafeBufferPointer { flows in
            context.flows = flows.baseAddress
            context.flow_count = flows.count
            return body(&context)
        }
    }

    /// Tells that `address` is an address of this host, on the uplink with this index, or on none at the moment.
    ///
    /// Packets to and from other addresses are left alone, so every locator and every ULID of a context must be told.
    /// To be repeated when the uplink changes or gets another link-layer address.
    public func set(locator address: IPv6Address, uplink: UInt32?) throws(KernelProgramError) {
        var key = shim6_address(address)
        let code = shim6_locator_put(handle, &key, uplink ?? 0)
        if code == -E2BIG { refused.locators += 1 }
        try check(code, "set locator \(address)")
        locators.insert(address)
    }

    public func remove(locator address: IPv6Address) throws(KernelProgramError) {
        var key = shim6_address(address)
        try check(shim6_locator_remove(handle, &key), "remove locator \(address)")
        locators.remove(address)
    }

    /// Looks up the next hops of the locator pairs in use again. To be called when a route or an uplink has changed.
    public func refreshNextHops() throws(KernelProgramError) {
        try check(shim6_next_hops_refresh(handle, nil), "look up next hops")
    }

    /// The next hop that the program was told for packets with these locators.
    public func nextHop(for pair: LocatorPair) -> IPv6Address? {
        var key = shim6_locator_pair(pair)
        var found = shim6_address()
        return shim6_next_hop_read(handle, &key, &found) == 0 ? IPv6Address(found) : nil
    }

    /// Lets the trigger count this pair from zero again.
    public func forget(_ ulids: ULIDPair) throws(KernelProgramError) {
        var pair = shim6_pair(ulids)
        try check(shim6_candidate_forget(handle, &pair), "forget a candidate")
    }

    // MARK: Memory shared with the program

    /// Tells the program that the daemon lives. To be called at least once a second: after two the program drops
    /// control messages, since the kernel would answer them with Parameter Problem.
    public func beat(at now: Instant) {
        shim6_heartbeat(control, now.nanoseconds)
    }

    /// Tells the program that all control messages have been read that had come in: more may come.
    public func haveReadAll() {
        shim6_control_read(control)
    }

    /// Limits and thresholds, in force at once.
    public var settings: KernelProgramSettings {
        get { KernelProgramSettings(control.pointee) }
        set { newValue.write(to: control) }
    }

    // MARK: Events and counters

    /// Becomes readable when there are events.
    public var eventDescriptor: Int32 { shim6_events_descriptor(handle) }

    /// Takes the events that are there, oldest first, some thousand at most.
    public func takeEvents() throws(KernelProgramError) -> [KernelProgramEvent] {
        var events: [KernelProgramEvent] = []
        let code = withUnsafeMutablePointer(to: &events) { list in
            shim6_events_consume(
                handle,
                { list, event in
                    guard let list, let event = event.flatMap({ KernelProgramEvent($0.pointee, followedBy: $0 + 1) })
                    else {
                        return
                    }
                    list.assumingMemoryBound(to: [KernelProgramEvent].self).pointee.append(event)
                }, list)
        }
        try check(code, "read events")
        return events
    }

    /// The counters, summed over processors.
    public func counters() throws(KernelProgramError) -> [KernelProgramCounter: UInt64] {
        var values = [UInt64](repeating: 0, count: Int(SHIM6_COUNTERS.rawValue))
        try check(shim6_counters_read(handle, &values), "read counters")
        var named: [KernelProgramCounter: UInt64] = [:]
        for counter in KernelProgramCounter.allCases { named[counter] = values[counter.index] }
        return named
    }
}
