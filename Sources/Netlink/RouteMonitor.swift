import CNetlink
import Glibc

/// Hears of every change of links and of what is attached to them, and of IPv6 addresses, routes, rules and neighbours, and
/// of advertised prefixes.
public final class RouteMonitor {
    /// Nonblocking; readable when there is something to read.
    public let descriptor: Int32

    /// - Parameter receiveBuffer: octets.
    public init(receiveBuffer: Int32 = 4 << 20) throws(KernelError) {
        descriptor = try checked(cnl_monitor_open(receiveBuffer), "open a monitor of links and routes")
    }

    deinit {
        close(descriptor)
    }

    /// What is waiting; empty if nothing is.
    public func read() throws(KernelError) -> Reading<KernelChange> {
        var changes: [KernelChange] = []
        let result = withUnsafeMutablePointer(to: &changes) { context in
            cnl_monitor_read(descriptor, RouteSocket.append, context)
        }
        guard result != -ENOBUFS else { return .lost }
        try checked(result, "read changes of links and routes")
        return .changes(changes)
    }
}
