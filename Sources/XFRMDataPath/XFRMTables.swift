import BPFDataPath
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
    private struct Installed {
        var entry: DataPathEntry
        /// Packets of its outgoing state at the last look.
        var packets: UInt64 = 0
        /// Those of its incoming state, and the second, since 1970, in which more were seen than before.
        var arrived: UInt64 = 0
        var arrivedRehomed: UInt64 = 0
    }

    public let marks: Marks
    /// The stamps of all contexts.
    public let activity: SharedActivity
    private let socket: RehomingSocket
    private let events: XFRMEvents
    private var contexts: [ULIDPair: Installed] = [:]
    /// How many contexts accept rehomed packets for each local ULID.
    private var receivers: [IPv6Address: Int] = [:]
    private var candidates: Candidates
    private var locators: Set<IPv6Address> = []
    private var nextLook = Instant(nanoseconds: 0)
    private var nextAudit = Instant(nanoseconds: 0)
    /// Seconds since 1970 at the last look.
    private var lastLook: UInt64 = 0
    /// The same by the monotonic clock.
    private var lookedAt = Instant(nanoseconds: 0)
    /// Packets sent rehomed since the start.
    public private(set) var rehomed: UInt64 = 0
    /// Sessions that were not watched since too many were.
    public private(set) var unwatched: UInt64 = 0
    /// Contexts whose states or policy were missing or not as they had to be, and were made again.
    public private(set) var renewed: UInt64 = 0
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
        activity = SharedActivity.made(count: contexts)
        candidates = Candidates(age: triggerAge)
        socket = try RehomingSocket()
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
        let installed = contexts[entry.ulids]
        let old = installed?.entry
        if candidates.remove(entry.ulids) { dropPolicies(of: [entry.ulids]) }
        var changes = receiving(entry, after: old)
        let policy = marks.outgoingPolicy(entry.ulids, isRehomed: entry.isRehomed)
        let states = marks.outgoingStates(entry.ulids, entry.outgoing)
        // The policy comes last: with it, sockets look for their routes again, and find the states as they are now.
        switch (old?.isRehomed ?? false, entry.isRehomed) {
        case (false, false):
            if old == nil { changes.append(.addPolicy(policy)) }
        case (false, true):
            changes += states.map(RehomingSocket.Change.add) + [old == nil ? .addPolicy(policy) : .putPolicy(policy)]
        case (true, true):
            if old?.outgoing != entry.outgoing {
                changes += states.map(RehomingSocket.Change.update) + [.putPolicy(policy)]
            }
        case (true, false):
            changes += [.putPolicy(policy)] + states.map(RehomingSocket.Change.delete)
        }
        // The counters of states that are only changed go on.
        let packets = old?.isRehomed == true && entry.isRehomed ? installed?.packets : nil
        contexts[entry.ulids] = Installed(
            entry: entry, packets: packets ?? 0, arrived: installed?.arrived ?? 0,
            arrivedRehomed: installed?.arrivedRehomed ?? 0)
        do {
            try socket.apply(changes)
        } catch {
            // States of ours are gone, or a session of these addresses was reported just now, which leaves a state for 30
            // seconds. Anything else (the kernel has no room) may be better by the next audit.
            nextAudit = Instant(nanoseconds: 0)
            guard error.number == EEXIST || error.number == ESRCH else { throw error }
            try renew([entry])
        }
    }

    /// Makes what of these contexts is missing or not as it has to be. What is somebody else's stays, and the context cannot be
    /// carried. The first refusal is thrown when all has been tried.
    private func renew(_ entries: some Collection<DataPathEntry>) throws(KernelError) {
        var present: [RehomingState.Key: RehomingState] = [:]
        for state in try socket.states(request: marks.request) { present[state.key] = state }
        let policies = Set(
            try socket.policyUses(priorities: marks.context...marks.context).filter { $0.direction == .outgoing }
                .compactMap { use -> ULIDPair? in
                    guard let source = use.source, let destination = use.destination else { return nil }
                    return ULIDPair(local: source.address, peer: destination.address)
                })
        var refusal: KernelError?
        for entry in entries {
            let outgoing = marks.outgoingStates(entry.ulids, entry.outgoing)
            var wanted = entry.isRehomed ? outgoing : []
            // One that was only reported has no locator.
            let stale = outgoing.filter { !entry.isRehomed && present[$0.key]?.careOf.isUnspecified == false }
            if entry.inbound != .discard {
                wanted += [marks.incomingDestination(entry.ulids.local), marks.incomingSource(entry.ulids)]
            }
            var changes: [RehomingSocket.Change] = []
            for state in wanted {
                let there = present[state.key]
                if there?.isAlike(state) == true { continue }
                changes += (there == nil ? [] : [.delete(state)]) + [.add(state)]
                present[state.key] = state
            }
            let hasPolicy = policies.contains(entry.ulids)
            if changes.isEmpty, stale.isEmpty, hasPolicy { continue }
            let policy = marks.outgoingPolicy(entry.ulids, isRehomed: entry.isRehomed)
            do {
                changes.append(hasPolicy ? .putPolicy(policy) : .addPolicy(policy))
                try socket.apply(changes + stale.map(RehomingSocket.Change.delete))
                renewed += 1
            } catch {
                refusal = refusal ?? error
            }
        }
        if let refusal { throw refusal }
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
        try renew(contexts.values.map(\.entry))
    }

    /// What lets rehomed packets of the peer in, if they are wanted now and were not before, or the reverse.
    private func receiving(_ entry: DataPathEntry, after old: DataPathEntry?) -> [RehomingSocket.Change] {
        let (accepts, accepted) = (entry.inbound != .discard, (old?.inbound ?? .discard) != .discard)
        guard accepts != accepted else { return [] }
        let count = receivers[entry.ulids.local] ?? 0
        let (source, destination) = (marks.incomingSource(entry.ulids), marks.incomingDestination(entry.ulids.local))
        if accepts {
            receivers[entry.ulids.local] = count + 1
            return count == 0 ? [.add(destination), .add(source)] : [.add(source)]
        }
        receivers[entry.ulids.local] = count > 1 ? count - 1 : nil
        return count == 1 ? [.delete(source), .delete(destination)] : [.delete(source)]
    }

    public func remove(_ entry: DataPathEntry) throws(KernelError) {
        // Another context may have taken the pair over in the meantime.
        guard let old = contexts[entry.ulids]?.entry, old.localTag == entry.localTag else { return }
        contexts[entry.ulids] = nil
        var gone = old
        gone.inbound = .discard
        var changes: [RehomingSocket.Change] = [
            .deletePolicy(marks.outgoingPolicy(old.ulids, isRehomed: old.isRehomed))
        ]
        if old.isRehomed { changes += marks.outgoingStates(old.ulids, old.outgoing).map(RehomingSocket.Change.delete) }
        try socket.apply(changes + receiving(gone, after: old))
    }

    /// The rehomed context with these ULIDs.
    public func rehomedEntry(of ulids: ULIDPair) -> DataPathEntry? {
        contexts[ulids].map(\.entry).flatMap { $0.isRehomed ? $0 : nil }
    }

    // MARK: Sessions

    /// Sessions from these addresses are looked at.
    public func set(locator: IPv6Address) { locators.insert(locator) }
    public func remove(locator: IPv6Address) { locators.remove(locator) }

    /// Sessions without a context that are watched, and how many can be.
    public var watched: (used: Int, limit: Int) { (candidates.pairs.count, Candidates.limit) }

    /// Lets the trigger begin anew with this pair.
    public func forget(_ ulids: ULIDPair) { candidates.forget(ulids) }

    private func dropPolicies(of pairs: [ULIDPair]) {
        // Whatever is left goes with the next flush.
        try? socket.apply(pairs.flatMap(marks.candidatePolicies).map(RehomingSocket.Change.deletePolicy))
    }

    private func consider(_ ulids: ULIDPair, at now: Instant) {
        let peer = ulids.peer
        guard locators.contains(ulids.local), !locators.contains(peer), contexts[ulids] == nil, !peer.isUnspecified,
            !peer.isMulticast, !peer.isLinkLocal, !peer.isLoopback
        else { return }
        guard !candidates.knows(ulids) else { return }
        guard !candidates.isFull else {
            unwatched += 1
            return
        }
        do {
            try socket.apply(marks.candidatePolicies(ulids).map(RehomingSocket.Change.addPolicy))
            candidates.add(ulids, at: now)
        } catch {
            // Somebody else has a policy for them.
            dropCandidate(ulids)
        }
    }

    /// Removes the policy that could be made, and no other's.
    private func dropCandidate(_ ulids: ULIDPair) {
        guard let uses = try? socket.policyUses(priorities: marks.candidate...marks.candidate) else { return }
        let ours = marks.candidatePolicies(ulids).filter { policy in
            uses.contains {
                $0.direction == policy.direction && $0.source == policy.source && $0.destination == policy.destination
            }
        }
        try? socket.apply(ours.map(RehomingSocket.Change.deletePolicy))
    }

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
        guard !contexts.isEmpty || !candidates.isEmpty else { return [] }
        let clock = Self.wallClock
        let second = clock / 1_000_000_000
        let earliest = lookedAt + (.zero - .seconds(1))
        defer { (lastLook, lookedAt) = (second, now) }
        var used = try usedPolicies(by: second)
        for ulids in try countPackets(at: second) { used[ulids, default: [:]][.outgoing] = second }
        var found: [DataPathEvent] = []
        for (ulids, times) in used {
            guard let installed = contexts[ulids] else { continue }
            let entry = installed.entry
            let stamps = activity[entry.slot]
            // What went out is taken as the older: if it was the younger one, the next packet out shows.
            if times[.outgoing] != nil, stamps.stamp(.outgoing, at: now) {
                found.append(.activity(entry.localTag, .outgoing, at: now))
            }
            guard let time = times[.incoming] else { continue }
            // Whole seconds: it came in at this time or a little later.
            let age = clock > time * 1_000_000_000 ? Int64(clamping: clock - time * 1_000_000_000) : 0
            // Not before the last look, however far the clock was set.
            if stamps.stamp(.incoming, at: max(now + (.zero - .nanoseconds(age)), earliest)) {
                found.append(.activity(entry.localTag, .incoming, at: now))
            }
            // A rehomed packet would have been seen at the states; its locators are not kept anywhere.
            let isPlain = time > installed.arrivedRehomed
            stamps.note(incoming: isPlain ? LocatorPair(source: ulids.peer, destination: ulids.local) : nil)
            if entry.inbound == .deliverAndNotify { found.append(.payload(entry.localTag)) }
        }
        let (worthwhile, silent) = candidates.review(used: used.mapValues { Set($0.keys) }, at: now)
        dropPolicies(of: worthwhile + silent)
        found += worthwhile.map(DataPathEvent.trigger)
        if !candidates.isEmpty || contexts.values.contains(where: { !$0.entry.isRehomed }) {
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
        for (ulids, installed) in contexts where installed.entry.isRehomed { used[ulids]?[.outgoing] = nil }
        return used
    }

    /// Looks at the packets of all states; returns the contexts of which something went out rehomed. To be called after
    /// `usedPolicies`: every packet that a policy met then has passed its states by now.
    private func countPackets(at second: UInt64) throws(KernelError) -> [ULIDPair] {
        guard !contexts.isEmpty else { return [] }
        var sent: [ULIDPair] = []
        for state in try socket.states(request: marks.request, header: .destinationOptions) {
            let outgoing = ULIDPair(local: state.source, peer: state.destination)
            let incoming = ULIDPair(local: state.destination, peer: state.source)
            if let old = contexts[outgoing], old.entry.isRehomed, old.packets != state.packets {
                // Less than before: the state was made again.
                rehomed &+= state.packets > old.packets ? state.packets - old.packets : state.packets
                contexts[outgoing]?.packets = state.packets
                sent.append(outgoing)
            } else if let old = contexts[incoming], old.arrived != state.packets {
                contexts[incoming]?.arrived = state.packets
                contexts[incoming]?.arrivedRehomed = second
            }
        }
        return sent
    }
}

extension RehomingState {
    /// What the kernel tells states apart by.
    fileprivate struct Key: Hashable {
        var source: IPv6Address
        var destination: IPv6Address
        var header: Header
    }

    fileprivate var key: Key { Key(source: source, destination: destination, header: header) }

    /// Whether they do the same, whatever has passed them.
    fileprivate func isAlike(_ other: RehomingState) -> Bool {
        key == other.key && careOf == other.careOf && isWildcard == other.isWildcard
    }
}
