import CNamespace
import Foundation
import Netlink
import Shim6Wire
import Testing

/// Whose the other end of a connection is.
@Suite(.asRoot, .freshNamespace) struct SocketOwnerTests {
    private static let loopback = IPv6Address(high: 0, low: 1)

    /// A connection from a socket of `user` to one of root's.
    private final class Connection {
        let listener: Int32
        private(set) var client: Int32
        let server: Int32
        let ports: (client: UInt16, server: UInt16)

        init(user: uid_t) throws {
            _ = try TestNetwork()
            let type = Int32(SOCK_STREAM.rawValue)
            listener = socket(AF_INET6, type, 0)
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_addr = in6addr_loopback
            let size = socklen_t(MemoryLayout<sockaddr_in6>.size)
            let listener = listener
            let bound = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, size) }
            }
            try #require(bound == 0 && listen(listener, 8) == 0)
            address.sin6_port = Self.port(of: listener).bigEndian
            // Of this thread alone, and only for the files that it makes.
            namespace_file_user(user)
            let client = socket(AF_INET6, type, 0)
            namespace_file_user(0)
            self.client = client
            let connected = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client, $0, size) }
            }
            try #require(connected == 0)
            server = accept(listener, nil, nil)
            ports = (Self.port(of: client), Self.port(of: listener))
        }

        deinit {
            closeClient()
            close(server)
            close(listener)
        }

        func closeClient() {
            if client >= 0 { close(client) }
            client = -1
        }

        var owner: UInt32? {
            SocketOwner.user(of: (loopback, ports.client), connectedTo: (loopback, ports.server))
        }

        private static func port(of descriptor: Int32) -> UInt16 {
            var address = sockaddr_in6()
            var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
            withUnsafeMutablePointer(to: &address) {
                _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
            }
            return UInt16(bigEndian: address.sin6_port)
        }
    }

    @Test(arguments: [0, 1, 65_534] as [uid_t])
    func `The kernel tells whose a client is`(user: uid_t) throws {
        #expect(try Connection(user: user).owner == user)
    }

    @Test func `A client that writes and closes at once is nobody, though the kernel calls it root`() throws {
        let connection = try Connection(user: 65_534)
        send(connection.client, "ls\n", 3, 0)
        connection.closeClient()
        #expect(connection.owner == nil)
    }

    @Test func `A client that has ended its side is nobody`() throws {
        let connection = try Connection(user: 65_534)
        shutdown(connection.client, Int32(SHUT_WR))
        #expect(connection.owner == nil)
    }

    @Test func `A socket that listens on the client's address is not the client`() throws {
        let connection = try Connection(user: 65_534)
        #expect(
            SocketOwner.user(
                of: (Self.loopback, connection.ports.server), connectedTo: (Self.loopback, 9)) == nil)
        #expect(
            SocketOwner.user(
                of: (IPv6Address(high: 0x2001_0db8_0000_0000, low: 1), connection.ports.client),
                connectedTo: (Self.loopback, connection.ports.server)) == nil)
    }
}
