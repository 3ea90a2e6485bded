import KernelRows
import Lab
import Netlink
import REAP
import Testing

@testable import BPFDataPath

/// The data path looks after what it has made in the kernel, which others can change.
@Suite(.needsRoot) struct UpkeepTests {
    private static let later = Instant(nanoseconds: 1_000_000_000)

    private static func index(_ name: String, _ socket: RouteSocket) throws -> UInt32 {
        try #require(try socket.links().first { $0.name == name }?.index)
    }

    @Test(arguments: [
        "tc qdisc del dev uplink clsact", "tc filter del dev uplink egress pref 140",
        "tc qdisc del dev shim0 clsact", "tc qdisc del dev shim0x clsact", "ip link del shim0",
        "ip link set shim0 down", "ip link set shim0x down", "ip link set shim0 mtu 1280", "ip link set shim0 arp on",
        "ip link set dev shim0 gso_max_size 30000", "sysctl -q -w net.ipv6.conf.shim0.accept_ra=1",
        "sysctl -q -w net.ipv6.conf.shim0x.disable_ipv6=0",
        "ethtool -K shim0 gro off", "ethtool -K shim0 gso on tso on", "ethtool -K shim0x tso on",
    ])
    func `What somebody changes is made again once, and then is left as it is`(_ command: String) throws {
        try PrivateNetwork.run {
            let socket = try RouteSocket()
            let dataPath = try TakingDownTests.started(socket)
            dataPath.review(nil, at: Self.later)
            #expect(dataPath.restorations.count == 0)
            try Program.run(command.split(separator: " ").map(String.init))
            for _ in 0..<2 { dataPath.review(nil, at: Self.later) }
            #expect(dataPath.restorations.count == 1)
            #expect(dataPath.report.shortcoming == nil)
            let (shim0, shim0x) = (try Self.index("shim0", socket), try Self.index("shim0x", socket))
            #expect(dataPath.needs.waitingDevice == shim0)
            #expect(try dataPath.program.isAttached(shim0: shim0, shim0x: shim0x))
            #expect(try dataPath.program.isAttached(uplink: Self.index("uplink", socket)))
            dataPath.stop()
            #expect(try TakingDownTests.rows(socket) == [0, 0, 0, 0])
        }
    }

    @Test func `Programs of another run in the place of this one's are replaced`() throws {
        try PrivateNetwork.run {
            let socket = try RouteSocket()
            let dataPath = try TakingDownTests.started(socket)
            let uplink = try Self.index("uplink", socket)
            try KernelProgram(sizes: .small).attach(uplink: uplink)
            #expect(try !dataPath.program.isAttached(uplink: uplink))
            dataPath.review([uplink], at: Self.later)
            #expect(try dataPath.program.isAttached(uplink: uplink))
            dataPath.stop()
        }
    }

    @Test func `With shim0 gone its pinned ULIDs and the routes of rehomed pairs come back too`() throws {
        try PrivateNetwork.run {
            let socket = try RouteSocket()
            let dataPath = try TakingDownTests.started(socket)
            try PrivateNetwork.ip("link del shim0")
            dataPath.review([], at: Self.later)
            #expect(dataPath.restorations.count == 0)
            dataPath.review(nil, at: Self.later)
            #expect(try TakingDownTests.rows(socket) == [4, 1, 1, 2])
            dataPath.stop()
        }
    }

    @Test func `What is undone five times in a minute is left alone for ten minutes, and told`() throws {
        try PrivateNetwork.run {
            let socket = try RouteSocket()
            let dataPath = try TakingDownTests.started(socket)
            func undo(at now: Instant) throws -> Bool {
                try Program.run(["ip", "link", "set", "shim0", "mtu", "1280"])
                dataPath.review(nil, at: now)
                return try socket.links().contains { $0.name == "shim0" && $0.mtu != 1280 }
            }
            for number in 0..<4 { #expect(try undo(at: Self.later + .seconds(number))) }
            #expect(dataPath.report.shortcoming == nil)
            #expect(try !undo(at: Self.later + .seconds(4)))
            #expect(dataPath.report.shortcoming?.hasPrefix("shim0 left alone") == true)
            #expect(try !undo(at: Self.later + .seconds(600)))
            #expect(try undo(at: Self.later + .seconds(604)))
            #expect(dataPath.report.shortcoming == nil)
            // Now and then is no quarrel.
            for number in 1...6 { #expect(try undo(at: Self.later + .seconds(604 + 20 * number))) }
            dataPath.stop()
        }
    }
}
