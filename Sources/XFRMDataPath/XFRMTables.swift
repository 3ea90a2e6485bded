import DataPath
import Glibc
import Netlink
import REAP
import Shim6Core
import Shim6Wire

/// The `xfrm` data path: policies and states of the kernel's XFRM framework in route optimisation mode do what the kernel
/// program of the `bpf` data path does, without any program (CONFIG_IPV6_MIP6).
///
/// Rehomed packets carry a type 2 routing header and a Home Address option with the ULIDs (RFC 6275), 48 octets, in the
/// place of the payload extension header; so the peer has to accept that form.
///
/// Traffic is seen once a second, by the times at which policies were met and, while rehomed, by the packets of states. Policies
/// for outgoing packets are met only when a socket looks for its route, so every look makes all sockets do that again.
///
/// What its owner has to arrange around it:
/// * The inbound policies of contexts: `IdlePolicies` with the same priority and with `marks.request`. Without one, rehomed
///   packets are dropped.
/// * Every local ULID with a context as an address with the `home` flag that does not go with its interface: else the
///   kernel drops what is rehomed to it.
/// * A route for every ULID pair, whichever: the kernel looks for it before it looks for that of the locators.
///
/// Its owner calls it from one thread at a time. What it makes outlives it, also after a crash, until `flush`.
public final class XFRMTables {
    public let marks: Marks
    /// The stamps of all contexts.
    public let activity: OwnActivity
    private let socket: RehomingSocket
    private let events: XFRMEvents
    private var contexts: ContextRows
    private var sessions: WatchedSessions
    private var nextLook = Instant(nanoseconds: 0)
    private var nextAudit = Instant(nanoseconds: 0)
    /// Seconds since 1970 at the last look.
    private var lastLook: UInt64 = 0
    /// The same by the monotonic clock.
    private var lookedAt = Instant(nanoseconds: 0)
    /// How often the kernel had more events than their socket could take.
    public private(set) var losses: UInt64 = 0
    private static let auditInterval = Duration.seconds(10)

    /// - Parameters:
    ///   - contexts: as many as there can be.
    ///   - triggerAge: how long a session has to go both ways before it is reported.
    ///   - receiveBuffer: octets of events that can wait.
    public init(
        marks: Marks, contexts: UInt32, triggerAge: Duration, receiveBuffer: Int32 = 4 << 20
    ) throws(KernelError) {
        self.marks = marks
        activity = OwnActivity(count: contexts)
        socket = try RehomingSocket()
        self.contexts = ContextRows(marks: marks, socket: socket)
        sessions = WatchedSessions(marks: marks, socket: socket, age: triggerAge)
        events = try XFRMEvents(receiveBuffer: receiveBuffer)
    }

    /// Whether the kernel makes what is needed: states in route optimisation mode (EPROTONOSUPPORT without
    /// CONFIG_IPV6_MIP6) and sub policies (CONFIG_XFRM_SUB_POLICY), tried with addresses of the discard prefix (RFC 6666).
    public static func probe(marks: Marks) throws(KernelError) {
        let socket = try RehomingSocket()
        let discard = { IPv6Address(high: 0x0100_0000_0000_0000, low: $0) }
        let ulids = ULIDPair(local: discard(0x6140), peer: discard(0x6141))
        let states = marks.outgoingStates(ulids, LocatorPair(source: discard(0x6142), destination: discard(0x6143)))
        let policy = marks.outgoingPolicy(ulids, isRehomed: true)
        let undo = [.deletePolicy(policy)] + states.map(RehomingSocket.Change.delete)
        do {
            try socket.apply(states.map(RehomingSocket.Change.add) + [.addPolicy(policy)])
        } catch {
            try? socket.apply(undo)
            throw error
        }
        try socket.apply(undo)
    }

    /// Removes everything that any run has made with these marks. Returns how much there was.
    @discardableResult
    public static func flush(marks: Marks) throws(KernelError) -> Int {
        try RehomingSocket().flush(request: marks.request, priorities: marks.priorities)
    }

    /// Begins to look for sessions.
    public func start() throws(KernelError) {
        let policies = marks.exemptions + [marks.messagesPolicy, marks.watchPolicy]
        try socket.apply(policies.map(RehomingSocket.Change.addPolicy))
    }

    // MARK: Contexts

    /// Makes what a context needs or brings it up to date. Outgoing packets change over at once, and none is lost.
    public func install(_ entry: DataPathEntry) throws(KernelError) {
        // Policies select by addresses; the flows of a forked context would need one each.
        guard entry.forkedInstance == 0 else {
            throw KernelError(number: EOPNOTSUPP, request: "give flows a context of their own over XFRM")
        }
        sessions.remove(entry.ulids)
        do {
            try contexts.install(entry)
        } catch {
            // States of ours are gone, or a session of these addresses was reported just now, which leaves a state for 30
            // seconds. Anything else (the kernel has no room) may be better by the next audit.
            nextAudit = Instant(nanoseconds: 0)
            guard error.number == EEXIST || error.number == ESRCH else { throw error }
            try contexts.renew([entry])
        }
    }

    public func remove(_ entry: DataPathEntry) throws(KernelError) { try contexts.remove(entry) }

    /// The rehomed context with these ULIDs.
    public func rehomedEntry(of ulids: ULIDPair) -> DataPathEntry? {
        contexts.entry(of: ulids).flatMap { $0.isRehomed ? $0 : nil }
    }

    /// Looks whether everything is there that has to be: others may flush the kernel's tables, and the kernel may have refused
    /// something.
    private func audit() throws(KernelError) {
        let exemptions = try socket.policyUses(priorities: marks.exempt...marks.exempt).count
        let others = try socket.policyUses(priorities: marks.messages...marks.watch).count
        if exemptions < marks.exemptions.count || others < 2 {
            // Refused where they are there already.
            try? start()
        }
        try contexts.audit()
    }

    // MARK: Sessions

    /// Only sessions from these addresses are looked at.
    public var locators: Set<IPv6Address> {
        get { sessions.locators }
        set { sessions.locators = newValue }
    }

    /// Lets the trigger begin anew with this pair.
    public func forget(_ ulids: ULIDPair) { sessions.forget(ulids) }

    private func consider(_ ulids: ULIDPair, at now: Instant) {
        if contexts.entry(of: ulids) == nil { sessions.consider(ulids, at: now) }
    }

    // MARK: Counters

    /// Sessions without a context that are watched, and how many can be.
    public var watched: (used: Int, limit: Int) { (sessions.count, Candidates.limit) }
    /// Packets sent rehomed since the start.
    public var rehomed: UInt64 { contexts.rehomed }
    /// Sessions that were not watched since too many were.
    public var unwatched: UInt64 { sessions.unwatched }
    /// Contexts whose states or policy were missing or not as they had to be, and were made again.
    public var renewed: UInt64 { contexts.renewed }

    // MARK: Events

    /// Becomes readable when there are events.
    public var eventDescriptor: Int32 { events.descriptor }

    /// What has happened. To be called once a second or more often.
    public func takeEvents(at now: Instant) throws(KernelError) -> [DataPathEvent] {
        switch try events.read() {
        case .changes(let list):
            for case .acquire(let source, let destination, _, marks.watch) in list {
                consider(ULIDPair(local: source, peer: destination), at: now)
            }
        case .lost:
            losses += 1
            // Each session that was told of in the last 30 seconds has a state that puts in nothing.
            for state in try socket.states(request: marks.request, header: .destinationOptions) {
                consider(ULIDPair(local: state.source, peer: state.destination), at: now)
            }
        }
        guard now >= nextLook else { return [] }
        nextLook = now + .seconds(1)
        if now >= nextAudit {
            nextAudit = now + Self.auditInterval
            try? audit()
        }
        return try look(at: now)
    }

    private func look(at now: Instant) throws(KernelError) -> [DataPathEvent] {
        guard !contexts.isEmpty || !sessions.isEmpty else { return [] }
        let clock = Self.wallClock
        let second = clock / 1_000_000_000
        let earliest = lookedAt + (.zero - .seconds(1))
        defer { (lastLook, lookedAt) = (second, now) }
        var used = try usedPolicies(by: second)
        for ulids in try contexts.countPackets(at: second) { used[ulids, default: [:]][.outgoing] = second }
        var found: [DataPathEvent] = []
        for (ulids, times) in used {
            guard let entry = contexts.entry(of: ulids) else { continue }
            let stamps = activity[entry.slot]
            // What went out is taken as the older: if it was the younger one, the next packet out shows.
            if times[.outgoing] != nil, stamps.stamp(.outgoing, at: now) {
                found.append(.activity(entry.localTag, .outgoing))
            }
            guard let time = times[.incoming] else { continue }
            // Whole seconds: it came in at this time or a little later.
            let age = clock > time * 1_000_000_000 ? Int64(clamping: clock - time * 1_000_000_000) : 0
            // Not before the last look, however far the clock was set.
            if stamps.stamp(.incoming, at: max(now + (.zero - .nanoseconds(age)), earliest)) {
                found.append(.activity(entry.localTag, .incoming))
            }
            // A rehomed packet would have been seen at the states; its locators are not kept anywhere.
            let isPlain = contexts.isPlain(ulids, at: time)
            stamps.note(incoming: isPlain ? LocatorPair(source: ulids.peer, destination: ulids.local) : nil)
            if entry.inbound == .deliverAndNotify { found.append(.activity(entry.localTag, .incoming)) }
        }
        found += sessions.review(used: used.mapValues { Set($0.keys) }, at: now).map(DataPathEvent.trigger)
        if !sessions.isEmpty || contexts.hasPlain {
            try socket.apply([.putPolicy(marks.watchPolicy)])
        }
        return found
    }

    /// Nanoseconds since 1970, by the clock that the kernel notes the uses of policies by.
    private static var wallClock: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(max(0, time.tv_sec)) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// When the policies that were met since the last look were met last. Times are whole seconds, so that those of the
    /// second of the last look count again. Times to come are from before the clock was set back, and say nothing.
    private func usedPolicies(by second: UInt64) throws(KernelError) -> [ULIDPair: [Direction: UInt64]] {
        var used: [ULIDPair: [Direction: UInt64]] = [:]
        for use in try socket.policyUses(priorities: marks.context...marks.candidate) {
            guard use.used != 0, use.used >= lastLook, use.used <= second, let source = use.source?.address,
                let destination = use.destination?.address
            else { continue }
            switch use.direction {
            case .outgoing: used[ULIDPair(local: source, peer: destination), default: [:]][.outgoing] = use.used
            case .incoming: used[ULIDPair(local: destination, peer: source), default: [:]][.incoming] = use.used
            }
        }
        // While rehomed, the states tell better: an outgoing policy is met even if no packet leaves.
        for ulids in contexts.rehomedPairs { used[ulids]?[.outgoing] = nil }
        return used
    }
}
