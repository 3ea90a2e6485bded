import DataPath
import Foundation
import KernelRows
import Lab
import Logging
import Netlink
import REAP
import Shim6Core
import Shim6Wire
import XFRMDataPath

/// A host with the `xfrm` data path at work, as the daemon has it, but with contexts set by hand.
public final class RehomedHost {
    public let namespace: Namespace
    private let dataPath: XFRMDataPath
    private let idle: IdlePolicies

    /// - Parameter uplinks: of this host; each gets its address.
    public init(_ namespace: Namespace, uplinks: [Uplink], contexts: UInt32 = 16) throws {
        self.namespace = namespace
        for (number, uplink) in uplinks.enumerated() {
            try namespace.run("ip", "addr", "add", "\(uplink.address(uplink.host))/64", "dev", uplink.device, "nodad")
            try namespace.routeBySource(uplink, number)
        }
        let marks = XFRMDataPath.marks
        (dataPath, idle) = try namespace.inside {
            let log = Logger(label: "laboratory")
            let socket = try RouteSocket()
            let dataPath = XFRMDataPath(
                try XFRMTables(marks: marks, contexts: contexts, triggerAge: .seconds(3)),
                heeding: try HeedingSocket(nextHeader: NextHeader.experimental), socket: socket,
                rows: OwnRows(socket: socket, log: log), log: log)
            try dataPath.start(at: Instant(nanoseconds: 0))
            dataPath.follow(try uplinks.network(socket.links()))
            return (dataPath, try IdlePolicies(priority: marks.context, rehoming: marks.request))
        }
    }

    public static func address(_ uplink: Uplink) throws -> IPv6Address { try SteeredHost.address(uplink) }

    /// Makes a context or moves its payload.
    public func install(_ entry: DataPathEntry) throws { try dataPath.install(entry) }
    public func remove(_ entry: DataPathEntry) throws { try dataPath.remove(entry) }

    /// Lets payload of a context in.
    public func admit(_ ulids: ULIDPair) throws {
        try idle.add(source: ulids.peer, destination: ulids.local, seconds: 600)
    }
}
