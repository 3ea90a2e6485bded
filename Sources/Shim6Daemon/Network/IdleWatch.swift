import Glibc
import KernelRows
import Logging
import Netlink
import REAP
import Shim6Core
import Shim6Wire

/// Watches contexts for idleness by the kernel's inbound policies, which every packet touches.
///
/// A policy is of a ULID pair: where several contexts share one, or where the kernel takes no policy of ours (somebody
/// else has one for the same addresses), the daemon asks by itself when the time is over. An expiry is only a question
/// anyway.
final class IdleWatch {
    private struct Watched {
        var ulids: ULIDPair
        var hasPolicy = false
        /// When to ask, if no policy has done so by then.
        var deadline: Instant
    }

    private let policies: IdlePolicies
    private let log: Logger
    private var watched: [ContextTag: Watched] = [:]
    private var tags: [ULIDPair: [ContextTag]] = [:]
    /// Contexts whose policy is to be made, and for how many seconds.
    private var pending: [ContextTag: Int] = [:]

    /// - Parameter rehoming: request id of the XFRM states whose packets the policies let in, 0 for none.
    init(rehoming: UInt32, log: Logger) throws(KernelError) {
        policies = try IdlePolicies(priority: Mark.policyPriority, rehoming: rehoming)
        self.log = log
    }

    func watch(_ tag: ContextTag, _ ulids: ULIDPair, seconds: Int, at now: Instant) {
        unwatch(tag)
        var entry = Watched(ulids: ulids, deadline: now + .seconds(seconds))
        let others = tags[ulids] ?? []
        if others.isEmpty {
            entry.hasPolicy = true
            // Policies go by the wall clock: when that is set back they expire late.
            entry.deadline = now + .seconds(seconds) * 2
            pending[tag] = seconds
        } else {
            // Packets of one context keep the policy from telling that the other is idle.
            for other in others {
                let known = watched[other]?.deadline ?? now
                watched[other]?.deadline = min(known, entry.deadline)
            }
        }
        watched[tag] = entry
        tags[ulids, default: []].append(tag)
    }

    func unwatch(_ tag: ContextTag) {
        guard let entry = forget(tag), pending.removeValue(forKey: tag) == nil, entry.hasPolicy else { return }
        // An expired policy is gone already.
        try? policies.delete(source: entry.ulids.peer, destination: entry.ulids.local)
    }

    /// Makes the policies asked for since the last time, all at once. To be called at the end of a pass.
    func settle(at now: Instant) {
        guard !pending.isEmpty else { return }
        let wanted = pending.compactMap { tag, seconds in
            watched[tag].map {
                (tag, IdlePolicy(source: $0.ulids.peer, destination: $0.ulids.local, seconds: UInt64(seconds)))
            }
        }
        pending = [:]
        for (position, error) in policies.add(wanted.map(\.1)) {
            log.notice("\(error); asking the stamps instead")
            let (tag, policy) = wanted[position]
            watched[tag]?.hasPolicy = false
            watched[tag]?.deadline = now + .seconds(Int(policy.seconds))
        }
    }

    /// The context whose policy expired.
    func expired(_ policy: IdlePolicy) -> ContextTag? {
        let ulids = ULIDPair(local: policy.destination, peer: policy.source)
        guard let tag = tags[ulids]?.first(where: { watched[$0]?.hasPolicy == true }) else { return nil }
        _ = forget(tag)
        return tag
    }

    private func forget(_ tag: ContextTag) -> Watched? {
        guard let entry = watched.removeValue(forKey: tag) else { return nil }
        let left = tags[entry.ulids]?.filter { $0 != tag } ?? []
        tags[entry.ulids] = left.isEmpty ? nil : left
        return entry
    }

    /// After a loss of expiries: the contexts whose policy is gone, all if the kernel does not tell.
    func missing() -> [ContextTag] {
        settle(at: .monotonicNow)
        let left = (try? policies.list()) ?? []
        let present = Set(left.map { ULIDPair(local: $0.destination, peer: $0.source) })
        let gone = watched.filter { $0.value.hasPolicy && !present.contains($0.value.ulids) }.map(\.key)
        gone.forEach(unwatch)
        return gone
    }

    /// The contexts whose time is over and whose policy has not told.
    func due(at now: Instant) -> [ContextTag] {
        let due = watched.filter { $0.value.deadline <= now }.map(\.key)
        due.forEach(unwatch)
        return due
    }

    static func flush() throws(KernelError) {
        try IdlePolicies(priority: Mark.policyPriority).flush()
    }

    func stop() {
        Array(watched.keys).forEach(unwatch)
    }
}
