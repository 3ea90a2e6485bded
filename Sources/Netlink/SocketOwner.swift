import CNetlink
import Glibc
import Shim6Wire

/// Whose the process at the other end of a TCP connection of this network namespace is.
public enum SocketOwner {
    /// The user who has the socket from `client` to `server` open; nil if nobody here has, as when the client is on
    /// another host, or has gone. A socket that its process has closed is nobody's: the kernel calls its user 0,
    /// whoever it was.
    public static func user(
        of client: (address: IPv6Address, port: UInt16), connectedTo server: (address: IPv6Address, port: UInt16)
    ) -> UInt32? {
        let descriptor = cnl_sockets_open()
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var local = cnl_endpoint(address: client.address.flat, port: client.port)
        var peer = cnl_endpoint(address: server.address.flat, port: server.port)
        var found = cnl_socket()
        guard cnl_socket_find(descriptor, &local, &peer, &found) == 0,
            found.state == CNL_ESTABLISHED.rawValue, found.inode != 0
        else { return nil }
        return found.user
    }
}
