import CNetlink
import Glibc
import Shim6Wire

/// Makes, changes and removes XFRM states and policies in route optimisation mode.
public final class RehomingSocket {
    /// One request. Several are taken by the kernel in one go, without a packet in between.
    public enum Change: Hashable, Sendable {
        /// EEXIST if there is one for these addresses and this header.
        case add(RehomingState)
        /// ESRCH if there is none.
        case update(RehomingState)
        case delete(RehomingState)
        /// EEXIST if there is a sub policy with this selector, whosever.
        case addPolicy(RehomingPolicy)
        /// Changes it, or adds it. Sockets look for their routes again.
        case putPolicy(RehomingPolicy)
        case deletePolicy(RehomingPolicy)
    }

    /// When a policy was met last.
    public struct PolicyUse: Hashable, Sendable {
        public var source: IPv6Prefix?
        public var destination: IPv6Prefix?
        public var direction: RehomingPolicy.Direction
        public var priority: UInt32
        /// Seconds since 1970; 0 for never.
        public var used: UInt64
    }

    private let descriptor: Int32
    private let changes: OpaquePointer

    public init() throws(KernelError) {
        let request = "open a socket for XFRM states"
        guard let changes = cnl_changes_create() else { throw KernelError(number: ENOMEM, request: request) }
        self.changes = changes
        let opened = cnl_policy_open()
        guard opened >= 0 else {
            cnl_changes_destroy(changes)
            throw KernelError(number: -opened, request: request)
        }
        descriptor = opened
    }

    deinit {
        cnl_changes_destroy(changes)
        close(descriptor)
    }

    /// Sends all changes at once. The kernel carries on behind one that it refuses; the first refusal is thrown. To
    /// delete what is not there is no error.
    public func apply(_ list: [Change]) throws(KernelError) {
        for change in list { try checked(append(change), "gather XFRM changes") }
        var refused = 0
        let result = cnl_changes_send(descriptor, changes, &refused)
        guard result < 0 else { return }
        throw KernelError(
            number: -result, request: list.indices.contains(refused) ? list[refused].words : "change XFRM")
    }

    /// The requests as `apply` sends them.
    package func octets(of list: [Change]) throws(KernelError) -> [UInt8] {
        for change in list { try checked(append(change), "gather XFRM changes") }
        var length = 0
        let octets = cnl_changes_octets(changes, &length)
        defer { cnl_changes_clear(changes) }
        return Array(UnsafeBufferPointer(start: octets, count: length))
    }

    private func append(_ change: Change) -> Int32 {
        switch change {
        case .add(let state), .update(let state), .delete(let state):
            var flat = state.flat
            if case .delete = change { return cnl_changes_delete_state(changes, &flat) }
            if case .update = change { return cnl_changes_put_state(changes, &flat, true) }
            return cnl_changes_put_state(changes, &flat, false)
        case .addPolicy(let policy), .putPolicy(let policy), .deletePolicy(let policy):
            var flat = policy.flat
            if case .deletePolicy = change { return cnl_changes_delete_policy(changes, &flat) }
            if case .putPolicy = change { return cnl_changes_put_policy(changes, &flat, true) }
            return cnl_changes_put_policy(changes, &flat, false)
        }
    }

    /// The states with this request id, of one header or both.
    public func states(
        request: UInt32, header: RehomingState.Header? = nil
    ) throws(KernelError) -> [RehomingState] {
        try gather("list XFRM states", RehomingState.self) { descriptor, context in
            cnl_state_dump(
                descriptor, header?.rawValue ?? 0,
                { context, flat in
                    guard let flat, let state = RehomingState(flat.pointee) else { return }
                    context?.assumingMemoryBound(to: [RehomingState].self).pointee.append(state)
                }, context)
        }.filter { $0.request == request }
    }

    /// The sub policies with a priority in this range.
    public func policyUses(priorities: ClosedRange<UInt32>) throws(KernelError) -> [PolicyUse] {
        try gather("list XFRM policies", PolicyUse.self) { descriptor, context in
            cnl_policy_dump(
                descriptor,
                { context, flat in
                    guard let flat = flat?.pointee, flat.sub,
                        let direction = RehomingPolicy.Direction(rawValue: flat.direction)
                    else { return }
                    context?.assumingMemoryBound(to: [PolicyUse].self).pointee.append(
                        PolicyUse(
                            source: flat.source.prefix, destination: flat.destination.prefix, direction: direction,
                            priority: flat.priority, used: flat.used))
                }, context)
        }.filter { priorities.contains($0.priority) }
    }

    private func gather<Row>(
        _ request: String, _ type: Row.Type, _ dump: (Int32, UnsafeMutableRawPointer) -> Int32
    ) throws(KernelError) -> [Row] {
        var rows: [Row] = []
        let result = withUnsafeMutablePointer(to: &rows) { dump(descriptor, UnsafeMutableRawPointer($0)) }
        try checked(result, request)
        return rows
    }

    /// Deletes every state with this request id, and every sub policy without IPsec templates and with a priority in this
    /// range. Returns how many there were.
    @discardableResult
    public func flush(request: UInt32, priorities: ClosedRange<UInt32>) throws(KernelError) -> Int {
        Int(
            try checked(
                cnl_rehoming_flush(descriptor, request, priorities.lowerBound, priorities.upperBound),
                "flush XFRM states and policies"))
    }
}

extension RehomingSocket.Change {
    fileprivate var words: String {
        func state(_ verb: String, _ state: RehomingState) -> String {
            "\(verb) the XFRM state \(state.source) \(state.destination)"
        }
        func policy(_ verb: String, _ policy: RehomingPolicy) -> String {
            let ends = [policy.source, policy.destination].map { $0?.description ?? "any" }
            return "\(verb) the XFRM policy \(ends[0]) \(ends[1])"
        }
        return switch self {
        case .add(let row): state("add", row)
        case .update(let row): state("update", row)
        case .delete(let row): state("delete", row)
        case .addPolicy(let row): policy("add", row)
        case .putPolicy(let row): policy("set", row)
        case .deletePolicy(let row): policy("delete", row)
        }
    }
}
