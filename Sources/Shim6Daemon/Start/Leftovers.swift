import BPFDataPath
import KernelRows
import Netlink
import XFRMDataPath

/// What earlier runs of the daemon left in this network namespace, found by our marks.
enum Leftovers {
    /// Removes everything but addresses, which sessions may be using and which the next run wants again.
    static func remove(_ socket: RouteSocket) throws {
        try socket.flushRules(protocol: Mark.protocolNumber)
        try socket.flushRoutes(protocol: Mark.protocolNumber)
        try AddressLabels.flush(socket)
        try IdleWatch.flush()
        try XFRMDataPath.flush(socket)
        try BPFDataPath.flush(socket)
    }

    /// Removes everything.
    static func removeAll(_ socket: RouteSocket) throws {
        try remove(socket)
        try socket.flushAddresses(protocol: Mark.protocolNumber)
    }
}
