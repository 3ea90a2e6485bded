import Netlink
import REAP
import Shim6Core
import Shim6Wire

/// Sessions without a context, watched by policies that show when they were used.
struct WatchedSessions {
    private let marks: Marks
    private let socket: RehomingSocket
    private var candidates: Candidates
    /// Only sessions from these addresses are watched.
    var locators: Set<IPv6Address> = []
    /// Sessions that were not watched since too many were.
    private(set) var unwatched: UInt64 = 0

    /// - Parameter age: how long a session has to go both ways before it is worthwhile.
    init(marks: Marks, socket: RehomingSocket, age: Duration) {
        self.marks = marks
        self.socket = socket
        candidates = Candidates(age: age)
    }

    var isEmpty: Bool { candidates.isEmpty }
    var count: Int { candidates.pairs.count }

    /// Begins to watch a session, unless it is none of this host with another one.
    mutating func consider(_ ulids: ULIDPair, at now: Instant) {
        let peer = ulids.peer
        guard locators.contains(ulids.local), !locators.contains(peer), !peer.isUnspecified, !peer.isMulticast,
            !peer.isLinkLocal, !peer.isLoopback, !candidates.knows(ulids)
        else { return }
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

    /// It has a context now.
    mutating func remove(_ ulids: ULIDPair) {
        if candidates.remove(ulids) { dropPolicies(of: [ulids]) }
    }

    /// It is to be reported again.
    mutating func forget(_ ulids: ULIDPair) { candidates.forget(ulids) }

    /// Takes in which sessions were used since the last time, in which directions; returns those that deserve a context. They
    /// are watched no longer, nor are silent ones.
    mutating func review(used: [ULIDPair: Set<Direction>], at now: Instant) -> [ULIDPair] {
        let (worthwhile, silent) = candidates.review(used: used, at: now)
        dropPolicies(of: worthwhile + silent)
        return worthwhile
    }

    private func dropPolicies(of pairs: [ULIDPair]) {
        // Whatever is left goes with the next flush.
        try? socket.apply(pairs.flatMap(marks.candidatePolicies).map(RehomingSocket.Change.deletePolicy))
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
}
