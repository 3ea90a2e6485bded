import CNetlink
import Glibc
import Shim6Wire

/// A session of a socket of this network namespace, as far as IPv6 addresses tell sessions apart.
public struct SocketSession: Hashable, Sendable {
    public var local: IPv6Address
    public var peer: IPv6Address
    /// Whether the peer has answered, as the handshake of TCP shows.
    public var isAnswered: Bool

    public init(local: IPv6Address, peer: IPv6Address, isAnswered: Bool) {
        self.local = local
        self.peer = peer
        self.isAnswered = isAnswered
    }
}

/// Reads what sockets there are in the network namespace in which it was made.
public final class SessionSocket {
    private let descriptor: Int32

    public init() throws(KernelError) {
        descriptor = try checked(cnl_sockets_open(), "open a socket for sessions")
    }

    deinit { close(descriptor) }

    /// The sessions of TCP that begin or whose peer still sends, and of connected UDP sockets, each once. Those that
    /// come and go meanwhile may be missing.
    public func sessions() throws(KernelError) -> Set<SocketSession> {
        let states = [CNL_ESTABLISHED, CNL_SYN_SENT, CNL_FIN_WAIT_1, CNL_CLOSE_WAIT]
        let tcp = try (sockets(of: 6, in: states) ?? []).map {
            SocketSession(
                local: IPv6Address($0.local.address), peer: IPv6Address($0.peer.address),
                isAnswered: $0.state != CNL_SYN_SENT.rawValue)
        }
        let udp = try (sockets(of: 17, in: [CNL_ESTABLISHED]) ?? []).map {
            SocketSession(
                local: IPv6Address($0.local.address), peer: IPv6Address($0.peer.address), isAnswered: false)
        }
        return Set(tcp).union(udp)
    }

    /// The sockets of a protocol that are in one of these states; nil if the kernel has none of its kind, or cannot tell.
    func sockets(
        of protocol: UInt8, in states: some Sequence<cnl_socket_state>
    ) throws(KernelError) -> [cnl_socket]? {
        let mask = states.reduce(UInt32(0)) { mask, state in mask | 1 << state.rawValue }
        var found: [cnl_socket] = []
        let result = withUnsafeMutablePointer(to: &found) { list in
            cnl_sockets_dump(
                descriptor, `protocol`, mask,
                { list, socket in
                    guard let list, let socket else { return }
                    list.assumingMemoryBound(to: [cnl_socket].self).pointee.append(socket.pointee)
                }, list)
        }
        if result == -ENOENT { return nil }
        try checked(result, "list the sockets of protocol \(`protocol`)")
        return found
    }
}
