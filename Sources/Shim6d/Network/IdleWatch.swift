import Glibc
import Logging
import Netlink
import REAP
import Shim6Core
import Shim6Wire

/// Watches contexts for idleness by the kernel's inbound policies, which every packet touches.
///
/// Where the kernel takes no policy of ours (somebody else has one for the same addresses), the daemon asks by itself
/// when the time is over: an expiry is only a question anyway.
final class IdleWatch {
    private struct Watched {
        var tag: ContextTag
        var seconds: Int
        /// When to ask, if there is no policy.
        var deadline: Instant?
    }

    private let policies: IdlePolicies
    private let log: Logger
    private var watched: [ULIDPair: Watched] = [:]

    /// - Parameter rehoming: request id of the XFRM states whose packets the policies let in, 0 for none.
    init(rehoming: UInt32, log: Logger) throws(KernelError) {
        policies = try IdlePolicies(priority: Mark.policyPriority, rehoming: rehoming)
        self.log = log
    }

    func watch(_ tag: ContextTag, _ ulids: ULIDPair, seconds: Int, at now: Instant) {
        var entry = Watched(tag: tag, seconds: seconds, deadline: nil)
        do {
            try policies.add(source: ulids.peer, destination: ulids.local, seconds: UInt32(clamping: seconds))
        } catch {
            log.notice("\(error); asking the stamps instead")
            entry.deadline = now + .seconds(seconds)
        }
        watched[ulids] = entry
    }

    func unwatch(_ ulids: ULIDPair) {
        guard let entry = watched.removeValue(forKey: ulids), entry.deadline == nil else { return }
        // An expired policy is gone already.
        try? policies.delete(source: ulids.peer, destination: ulids.local)
    }

    /// The context whose policy expired.
    func expired(_ policy: IdlePolicy) -> ContextTag? {
        watched.removeValue(forKey: ULIDPair(local: policy.destination, peer: policy.source))?.tag
    }

    /// After a loss of expiries: the contexts whose policy is gone.
    func missing() -> [ContextTag] {
        guard let left = try? policies.list() else { return [] }
        let present = Set(left.map { ULIDPair(local: $0.destination, peer: $0.source) })
        return take { ulids, entry in entry.deadline == nil && !present.contains(ulids) }
    }

    /// The contexts without a policy whose time is over.
    func due(at now: Instant) -> [ContextTag] {
        take { _, entry in entry.deadline.map { $0 <= now } ?? false }
    }

    private func take(where isMeant: (ULIDPair, Watched) -> Bool) -> [ContextTag] {
        let taken = watched.filter { isMeant($0.key, $0.value) }
        for ulids in taken.keys { watched.removeValue(forKey: ulids) }
        return taken.values.map(\.tag)
    }

    static func flush() throws(KernelError) {
        try IdlePolicies(priority: Mark.policyPriority).flush()
    }

    func stop() {
        for ulids in Array(watched.keys) { unwatch(ulids) }
    }
}
