import BPFDataPath
import DataPath
import KernelRows
import Logging
import Netlink
import REAP
import Shim6Core
import Shim6Wire
import Testing

/// The data path takes down what it has made in the kernel.
@Suite(.needsRoot) struct TakingDownTests {
    static let ulids = ULIDPair(
        local: IPv6Address(high: 0x2001_0db8_00a1_0000, low: 1), peer: IPv6Address(high: 0x2001_0db8_00b1_0000, low: 1))
    static let locator = IPv6Address(high: 0x2001_0db8_00a2_0000, low: 1)
    static let entry = DataPathEntry(
        localTag: ContextTag(truncating: 1), peerTag: ContextTag(truncating: 2), slot: 0, ulids: ulids,
        outgoing: LocatorPair(source: locator, destination: ulids.peer), inbound: .deliver)

    /// A data path at work, with a rehomed context.
    static func started(_ socket: RouteSocket) throws -> BPFDataPath {
        try PrivateNetwork.ip("link set lo up")
        try PrivateNetwork.ip("link add uplink type veth peer name provider")
        for device in ["uplink", "provider"] { try PrivateNetwork.ip("link set \(device) up") }
        try PrivateNetwork.ip("addr add \(locator)/64 dev uplink nodad")
        let log = Logger(label: "test")
        var sizes = KernelProgram.Sizes()
        sizes.contexts = 16
        let dataPath = try BPFDataPath(
            KernelProgram(sizes: sizes), socket: socket, rows: OwnRows(socket: socket, log: log), log: log)
        try dataPath.start(at: Instant(nanoseconds: 1))
        let uplinks = try socket.links().filter { $0.name == "uplink" }.map { link in
            DataPathNetwork.Uplink(
                interface: link.index, name: link.name, mtu: link.mtu,
                gateway: IPv6Address(high: locator.high, low: 2), isRunning: true, addresses: [locator],
                locators: [locator])
        }
        try dataPath.follow(DataPathNetwork(uplinks: uplinks, rulePriority: Mark.passingPriority))
        try dataPath.install(entry)
        return dataPath
    }

    /// What there is of rules, routes and addresses with the daemon's mark, and of its devices.
    static func rows(_ socket: RouteSocket) throws -> [Int] {
        [
            try socket.rules().count { $0.protocol == Mark.protocolNumber },
            try socket.routes().count { $0.protocol == Mark.protocolNumber },
            try socket.addresses().count { $0.protocol == Mark.protocolNumber },
            try socket.links().count { [Mark.steeringDevice, Mark.steeringPeer].contains($0.name) },
        ]
    }

    @Test func `Rules, the route of a rehomed pair, its ULID, the devices and the programs go with stop`() throws {
        try PrivateNetwork.run {
            let socket = try RouteSocket()
            let dataPath = try Self.started(socket)
            #expect(dataPath.report.shortcoming == nil)
            #expect(dataPath.needs.pinnedULIDs == [Self.ulids.local])
            #expect(try Self.rows(socket) == [4, 1, 1, 2])
            dataPath.stop()
            #expect(try Self.rows(socket) == [0, 0, 0, 0])
            for link in try socket.links() { #expect(try !KernelProgram.detach(interface: link.index)) }
        }
    }

    @Test func `What another run has left of devices and programs goes with flush`() throws {
        try PrivateNetwork.run {
            let socket = try RouteSocket()
            let left = try Self.started(socket)
            try BPFDataPath.flush(socket)
            #expect(try Self.rows(socket)[3] == 0)
            for link in try socket.links() { #expect(try !KernelProgram.detach(interface: link.index)) }
            withExtendedLifetime(left) {}
        }
    }
}
