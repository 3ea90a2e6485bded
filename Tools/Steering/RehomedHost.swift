import Foundation
import Lab
import Netlink
import REAP
import Shim6Core
import Shim6Wire
import XFRMDataPath

/// A host with the `xfrm` data path at work and what it needs around it, as the daemon makes it, but with contexts set by
/// hand.
public final class RehomedHost {
    public static let marks = Marks(context: 6140)

    public let namespace: Namespace
    public let xfrm: XFRMTables
    private let idle: IdlePolicies
    private var pinned: Set<IPv6Address> = []

    /// - Parameter uplinks: of this host; each gets its address.
    public init(_ namespace: Namespace, uplinks: [Uplink], contexts: UInt32 = 16) throws {
        self.namespace = namespace
        for (number, uplink) in uplinks.enumerated() {
            let table = "\(6141 + number)"
            try namespace.run("ip", "addr", "add", "\(uplink.address(uplink.host))/64", "dev", uplink.device, "nodad")
            try namespace.run(
                "ip", "-6", "route", "add", "default", "via", uplink.gateway, "dev", uplink.device, "table", table)
            try namespace.run("ip", "-6", "rule", "add", "pref", "200", "from", uplink.prefix, "lookup", table)
        }
        xfrm = try namespace.inside {
            try XFRMTables(marks: Self.marks, contexts: contexts, triggerAge: .seconds(3))
        }
        idle = try namespace.inside { try IdlePolicies(priority: Self.marks.context, rehoming: Self.marks.request) }
        try xfrm.start()
    }

    public static func address(_ uplink: Uplink) throws -> IPv6Address {
        guard let address = IPv6Address(uplink.address(uplink.host)) else { throw LabError("no address") }
        return address
    }

    /// Makes a context or moves its payload.
    public func install(_ entry: DataPathEntry) throws {
        let ulid = entry.ulids.local
        if pinned.insert(ulid).inserted {
            try namespace.run("ip", "addr", "add", "\(ulid)/128", "dev", "lo", "home", "nodad", "preferred_lft", "0")
        }
        try xfrm.install(entry)
    }

    /// Lets payload of a context in.
    public func admit(_ ulids: ULIDPair) throws {
        try idle.add(source: ulids.peer, destination: ulids.local, seconds: 600)
    }
}
