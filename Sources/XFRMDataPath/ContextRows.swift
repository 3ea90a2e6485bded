import Glibc
import Netlink
import Shim6Core
import Shim6Wire

/// The states and policies of contexts.
struct ContextRows {
    private struct Installed {
        var entry: DataPathEntry
        /// Packets of its outgoing state at the last look.
        var packets: UInt64 = 0
        /// Those of its incoming state, and the second, since 1970, in which more were seen than before.
        var arrived: UInt64 = 0
        var arrivedRehomed: UInt64 = 0
    }

    private let marks: Marks
    private let socket: RehomingSocket
    private var contexts: [ULIDPair: Installed] = [:]
    /// How many contexts accept rehomed packets for each local ULID.
    private var receivers: [IPv6Address: Int] = [:]
    /// Packets sent rehomed since the start.
    private(set) var rehomed: UInt64 = 0
    /// Contexts whose states or policy were missing or not as they had to be, and were made again.
    private(set) var renewed: UInt64 = 0

    init(marks: Marks, socket: RehomingSocket) {
        self.marks = marks
        self.socket = socket
    }

    var isEmpty: Bool { contexts.isEmpty }
    var hasPlain: Bool { contexts.values.contains { !$0.entry.isRehomed } }
    var rehomedPairs: some Sequence<ULIDPair> { contexts.lazy.filter(\.value.entry.isRehomed).map(\.key) }

    func entry(of ulids: ULIDPair) -> DataPathEntry? { contexts[ulids]?.entry }

    // MARK: Installing

    /// Makes what a context needs or brings it up to date. Outgoing packets change over at once, and none is lost. When it
    /// throws, the context is known all the same, and `renew` makes what is missing.
    mutating func install(_ entry: DataPathEntry) throws(KernelError) {
        let installed = contexts[entry.ulids]
        let old = installed?.entry
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
        try socket.apply(changes)
    }

    mutating func remove(_ entry: DataPathEntry) throws(KernelError) {
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

    /// What lets rehomed packets of the peer in, if they are wanted now and were not before, or the reverse.
    private mutating func receiving(_ entry: DataPathEntry, after old: DataPathEntry?) -> [RehomingSocket.Change] {
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

    // MARK: Looking after them

    /// Looks whether everything is there that has to be.
    mutating func audit() throws(KernelError) { try renew(contexts.values.map(\.entry)) }

    /// Makes what of these contexts is missing or not as it has to be. What is somebody else's stays, and the context cannot be
    /// carried. The first refusal is thrown when all has been tried.
    mutating func renew(_ entries: some Collection<DataPathEntry>) throws(KernelError) {
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

    // MARK: Traffic

    /// Looks at the packets of all states; returns the contexts of which something went out rehomed. To be called after the
    /// uses of policies were read: every packet that a policy met then has passed its states by now.
    ///
    /// - Parameter second: now, since 1970.
    mutating func countPackets(at second: UInt64) throws(KernelError) -> [ULIDPair] {
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

    /// Whether the last packet in, of this second since 1970, came with its ULIDs: the last rehomed one is older.
    func isPlain(_ ulids: ULIDPair, at second: UInt64) -> Bool { second > contexts[ulids]?.arrivedRehomed ?? 0 }
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
