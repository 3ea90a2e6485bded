import CNetlink
import Glibc
import Shim6Wire

/// What the kernel reports of XFRM.
public enum XFRMEvent: Hashable, Sendable {
    /// A packet met an optional template for which there is no state, and passed. Told once in 30 seconds
    /// (net.core.xfrm_acq_expires) for addresses and next header.
    case acquire(source: IPv6Address, destination: IPv6Address, nextHeader: UInt8, priority: UInt32)
    /// A state in route optimisation mode reached a limit; `isGone` if it was the hard one.
    case stateExpired(RehomingState, isGone: Bool)
    case policyExpired(source: IPv6Address, destination: IPv6Address, priority: UInt32, isGone: Bool)
}

/// Hears of XFRM's events.
public final class XFRMEvents {
    /// Nonblocking; readable when there is something to read.
    public let descriptor: Int32

    /// - Parameter receiveBuffer: octets.
    public init(receiveBuffer: Int32 = 4 << 20) throws(KernelError) {
        descriptor = try checked(cnl_xfrm_events_open(receiveBuffer), "open a monitor of XFRM")
    }

    deinit {
        close(descriptor)
    }

    /// What is waiting; empty if nothing is.
    public func read() throws(KernelError) -> Reading<XFRMEvent> {
        var events: [XFRMEvent] = []
        let result = withUnsafeMutablePointer(to: &events) { list in
            cnl_xfrm_events_read(
                descriptor,
                { list, event in
                    guard let event = event.flatMap({ XFRMEvent($0.pointee) }) else { return }
                    list?.assumingMemoryBound(to: [XFRMEvent].self).pointee.append(event)
                }, list)
        }
        guard result != -ENOBUFS else { return .lost }
        try checked(result, "read XFRM events")
        return .changes(events)
    }
}

extension XFRMEvent {
    fileprivate init?(_ flat: cnl_xfrm_event) {
        switch flat.kind {
        case CNL_ACQUIRE:
            self = .acquire(
                source: IPv6Address(flat.state.source), destination: IPv6Address(flat.state.destination),
                nextHeader: flat.next_header, priority: flat.policy.priority)
        case CNL_STATE_EXPIRED:
            guard let state = RehomingState(flat.state) else { return nil }
            self = .stateExpired(state, isGone: flat.policy.hard)
        case CNL_POLICY_EXPIRED:
            self = .policyExpired(
                source: IPv6Address(flat.policy.source.address),
                destination: IPv6Address(flat.policy.destination.address),
                priority: flat.policy.priority, isGone: flat.policy.hard)
        default: return nil
        }
    }
}
