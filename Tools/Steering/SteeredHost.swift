import BPFDataPath
import DataPath
import Foundation
import KernelRows
import Lab
import Logging
import Netlink
import REAP
import Shim6Core
import Shim6Wire

/// A host with the `bpf` data path at work, as the daemon has it, but with contexts set by hand.
public final class SteeredHost {
    public let namespace: Namespace
    public let uplinks: [Uplink]
    public var program: KernelProgram { dataPath.program }
    private let dataPath: BPFDataPath
    private let socket: RouteSocket

    /// - Parameter uplinks: of this host, each with its address on it already.
    public init(_ namespace: Namespace, uplinks: [Uplink]) throws {
        self.namespace = namespace
        self.uplinks = uplinks
        for (number, uplink) in uplinks.enumerated() {
            try namespace.routeBySource(uplink, number)
            // Without one that is not tentative the kernel cannot ask for neighbours of packets with other sources.
            try namespace.run("ip", "addr", "add", "fe80::5533/64", "dev", uplink.device, "nodad")
        }
        (socket, dataPath) = try namespace.inside {
            let log = Logger(label: "laboratory")
            let socket = try RouteSocket()
            let dataPath = try BPFDataPath(
                KernelProgram(sizes: Self.sizes), socket: socket, rows: OwnRows(socket: socket, log: log), log: log)
            // Nobody reads control messages.
            try dataPath.start(at: Instant(nanoseconds: 0))
            return (socket, dataPath)
        }
        try follow()
    }

    private static var sizes: KernelProgram.Sizes {
        var sizes = KernelProgram.Sizes()
        sizes.contexts = 16
        return sizes
    }

    /// Takes the uplinks as they are now: the program is on all of them, and knows their addresses.
    public func follow() throws {
        try namespace.inside {
            try dataPath.follow(uplinks.network(socket.links(), rulePriority: Mark.passingPriority))
        }
    }

    public static func address(_ uplink: Uplink) throws -> IPv6Address {
        guard let address = IPv6Address(uplink.address(uplink.host)) else { throw LabError("no address") }
        return address
    }

    /// Sends a context's payload on another pair, or on its ULID pair again.
    public func move(_ entry: DataPathEntry) throws {
        try namespace.inside {
            try dataPath.install(entry)
            dataPath.settle()
        }
    }

    public func count(_ counter: KernelProgramCounter) throws -> UInt64 { try program.counters()[counter] ?? 0 }

    /// Turns checksum and segmentation offloads of its uplinks off.
    public func withoutOffloads() throws {
        for uplink in uplinks { try namespace.run("ethtool", "-K", uplink.device, "tx", "off") }
        for device in [Mark.steeringDevice, Mark.steeringPeer] {
            try namespace.run("ethtool", "-K", device, "tx", "off")
        }
    }
}

extension Namespace {
    /// Packets with a source of an uplink leave by it, as the daemon's own routes have it.
    func routeBySource(_ uplink: Uplink, _ number: Int) throws {
        let table = "\(Mark.sourceTable + UInt32(number))"
        try run("ip", "-6", "route", "add", "default", "via", uplink.gateway, "dev", uplink.device, "table", table)
        try run("ip", "-6", "rule", "add", "pref", "200", "from", uplink.prefix, "lookup", table)
    }
}

extension [Uplink] {
    /// These uplinks as a data path wants to know them, all up and each with its one address.
    func network(_ links: [Link], rulePriority: UInt32? = nil) throws -> DataPathNetwork {
        let uplinks = try map { uplink in
            guard let link = links.first(where: { $0.name == uplink.device }) else {
                throw LabError("no device \(uplink.device)")
            }
            let address = try SteeredHost.address(uplink)
            return DataPathNetwork.Uplink(
                interface: link.index, name: link.name, mtu: link.mtu, gateway: IPv6Address(uplink.gateway),
                isRunning: true, addresses: [address], locators: [address])
        }
        return DataPathNetwork(uplinks: uplinks, rulePriority: rulePriority)
    }
}
