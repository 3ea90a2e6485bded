import CNetlink
import Glibc
import Shim6Wire

/// Two addresses whose packets a policy watches, in the direction of the packets: those that come in.
public struct IdlePolicy: Hashable, Sendable {
    public var source: IPv6Address
    public var destination: IPv6Address
    /// Seconds without a packet until it expires.
    public var seconds: UInt64

    public init(source: IPv6Address, destination: IPv6Address, seconds: UInt64) {
        self.source = source
        self.destination = destination
        self.seconds = seconds
    }

    init(_ flat: cnl_policy) {
        source = IPv6Address(flat.source.address)
        destination = IPv6Address(flat.destination.address)
        seconds = flat.hard_use_seconds
    }
}

/// XFRM policies that let everything pass and expire when nothing came in for a while. Ours are inbound, of the sub
/// type, without IPsec templates, and have the priority that is our mark; no other is ever changed.
public final class IdlePolicies {
    public let priority: UInt32
    private let descriptor: Int32

    private let rehoming: UInt32

    /// - Parameter rehoming: the request id of the states whose packets may pass as well (`RehomingState`), 0 for none.
    public init(priority: UInt32, rehoming: UInt32 = 0) throws(KernelError) {
        self.priority = priority
        self.rehoming = rehoming
        descriptor = try checked(cnl_policy_open(), "open a socket for XFRM policies")
    }

    deinit {
        close(descriptor)
    }

    /// Adds a policy. Throws EEXIST if there is a sub policy for these addresses, ours or not.
    public func add(source: IPv6Address, destination: IPv6Address, seconds: UInt32) throws(KernelError) {
        var (from, to) = (source.flat, destination.flat)
        try checked(
            cnl_policy_add(descriptor, &from, &to, seconds, priority, rehoming),
            "add the XFRM policy \(source) \(destination)")
    }

    /// Adds many at once, as fast as the kernel takes them. Returns why each one that it refused was; the key is its place
    /// in `policies`.
    public func add(_ policies: [IdlePolicy]) -> [Int: KernelError] {
        var refused: [Int: KernelError] = [:]
        let wishes = policies.map {
            cnl_policy_wish(
                source: $0.source.flat, destination: $0.destination.flat, seconds: UInt32(clamping: $0.seconds))
        }
        var errors: [Int32] = Array(repeating: 0, count: wishes.count)
        let result = errors.withUnsafeMutableBufferPointer { errors in
            cnl_policy_add_all(
                descriptor, wishes, wishes.count, priority, rehoming,
                { context, position, error in
                    context?.assumingMemoryBound(to: Int32.self)[position] = error
                }, errors.baseAddress)
        }
        for (position, error) in errors.enumerated() {
            let number = result < 0 ? result : error
            guard number < 0 else { continue }
            let policy = policies[position]
            refused[position] = KernelError(
                number: -number, request: "add the XFRM policy \(policy.source) \(policy.destination)")
        }
        return refused
    }

    /// Throws ENOENT if there is no sub policy for these addresses, EPERM if it is somebody else's.
    public func delete(source: IPv6Address, destination: IPv6Address) throws(KernelError) {
        var (from, to) = (source.flat, destination.flat)
        try checked(
            cnl_policy_delete(descriptor, &from, &to, priority), "delete the XFRM policy \(source) \(destination)")
    }

    /// All of ours.
    public func list() throws(KernelError) -> [IdlePolicy] {
        var found = OwnPolicies(priority: priority, onlyExpired: false)
        let result = withUnsafeMutablePointer(to: &found) { context in
            cnl_policy_dump(descriptor, OwnPolicies.append, context)
        }
        try checked(result, "list XFRM policies")
        return found.policies
    }

    /// Deletes all of ours. Returns how many there were.
    @discardableResult
    public func flush() throws(KernelError) -> Int {
        Int(try checked(cnl_policy_flush(descriptor, priority), "flush XFRM policies"))
    }
}

/// Hears when policies of ours expire. It may be read on another thread than it was made on.
public final class IdleExpiries: Sendable {
    public let priority: UInt32
    /// Nonblocking; readable when there is something to read.
    public let descriptor: Int32

    /// - Parameter receiveBuffer: octets.
    public init(priority: UInt32, receiveBuffer: Int32 = 4 << 20) throws(KernelError) {
        self.priority = priority
        descriptor = try checked(cnl_expiry_open(receiveBuffer), "open a monitor of XFRM expiries")
    }

    deinit {
        close(descriptor)
    }

    /// The policies of ours that expired and so are gone. Waits for a message at most `milliseconds`, -1 for ever.
    public func read(waiting milliseconds: Int32 = 0) throws(KernelError) -> Reading<IdlePolicy> {
        var found = OwnPolicies(priority: priority, onlyExpired: true)
        let result = withUnsafeMutablePointer(to: &found) { context in
            cnl_expiry_read(descriptor, milliseconds, OwnPolicies.append, context)
        }
        guard result != -ENOBUFS else { return .lost }
        try checked(result, "read XFRM expiries")
        return .changes(found.policies)
    }
}

/// Picks ours out of what the kernel tells.
private struct OwnPolicies {
    let priority: UInt32
    let onlyExpired: Bool
    var policies: [IdlePolicy] = []

    static let append: cnl_policy_handler = { context, policy in
        guard let found = context?.assumingMemoryBound(to: OwnPolicies.self), let policy,
            cnl_policy_is_ours(policy, found.pointee.priority), policy.pointee.hard || !found.pointee.onlyExpired
        else { return }
        found.pointee.policies.append(IdlePolicy(policy.pointee))
    }
}
