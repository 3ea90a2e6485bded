import CNetlink
import Glibc
import Netlink
import Testing

/// What every netlink socket of the daemon holds to.
@Suite(.asRoot, .freshNamespace)
struct TransportTests {
    /// sockaddr_nl: family, padding, port, groups.
    private func name(port: UInt32) -> [UInt8] {
        var octets: [UInt8] = []
        withUnsafeBytes(of: UInt16(AF_NETLINK)) { octets += $0 }
        octets += [0, 0]
        withUnsafeBytes(of: port) { octets += $0 }
        return octets + [0, 0, 0, 0]
    }

    private func port(of descriptor: Int32) throws -> UInt32 {
        var octets = name(port: 0)
        var size = socklen_t(octets.count)
        let result = octets.withUnsafeMutableBytes {
            getsockname(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
        }
        try #require(result == 0 && size == 12)
        return octets.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self) }
    }

    /// A link that is not there, as the kernel would tell of it.
    private let newLink: [UInt8] = {
        var octets: [UInt8] = []
        let length: UInt32 = 32
        withUnsafeBytes(of: length) { octets += $0 }
        return octets + [16, 0] + Array(repeating: 0, count: 14) + [77, 0, 0, 0] + Array(repeating: 0, count: 8)
    }()

    @Test func `What another process sends to a monitor is not believed`() throws {
        let monitor = try RouteMonitor()
        let forger = socket(Int32(AF_NETLINK), Int32(SOCK_RAW.rawValue), 0)
        try #require(forger >= 0)
        defer { close(forger) }
        let to = name(port: try port(of: monitor.descriptor))
        let sent = to.withUnsafeBytes { to in
            sendto(
                forger, newLink, newLink.count, 0, to.baseAddress?.assumingMemoryBound(to: sockaddr.self),
                socklen_t(to.count))
        }
        #expect(sent == newLink.count)
        guard case .changes(let changes) = try monitor.read() else { Issue.record("lost"); return }
        #expect(changes.isEmpty)
    }

    @Test func `Where the routes of a pair lead is the gateway, the destination itself, or nowhere`() throws {
        let network = try TestNetwork()
        let link = try network.veth()
        try network.run("ip -6 addr add 2001:db8:1::a/64 dev a nodad")
        try network.run("ip -6 route add 2001:db8:2::/48 via 2001:db8:1::1 dev a")
        let socket = cnl_route_open()
        try #require(socket >= 0)
        defer { close(socket) }
        func nextHop(_ low: UInt64, of net: UInt64, by link: UInt32) -> (Int32, UInt64) {
            var source = cnl_address(high: 0x2001_0db8_0001_0000, low: 0xA)
            var destination = cnl_address(high: 0x2001_0db8_0000_0000 | net << 16, low: low)
            var found = cnl_address()
            return (cnl_route_next_hop(socket, link, &source, &destination, &found), found.low)
        }
        #expect(nextHop(7, of: 2, by: link) == (0, 1))
        #expect(nextHop(7, of: 1, by: link) == (0, 7))
        #expect(nextHop(7, of: 3, by: link).0 < 0)
        #expect(nextHop(7, of: 2, by: try network.index("lo")).0 < 0)
    }
}
