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
        descriptor = try checked(cnl_sessions_open(), "open a socket for sessions")
    }

    deinit { close(descriptor) }

    /// The sessions of TCP and of connected UDP sockets, each once. Those that come and go meanwhile may be missing.
    public func sessions() throws(KernelError) -> Set<SocketSession> {
        let (tcp, udp): (UInt8, UInt8) = (6, 17)
        return try sessions(of: tcp) { !$0.waiting }.union(try sessions(of: udp) { _ in false })
    }

    private func sessions(
        of transport: UInt8, isAnswered: @escaping (cnl_session) -> Bool
    ) throws(KernelError) -> Set<SocketSession> {
        var found: [cnl_session] = []
        let result = withUnsafeMutablePointer(to: &found) { list in
            cnl_sessions_dump(
                descriptor, transport,
                { list, session in
                    guard let list, let session else { return }
                    list.assumingMemoryBound(to: [cnl_session].self).pointee.append(session.pointee)
                }, list)
        }
        // Of a kernel that cannot tell, nothing is known.
        if result != -EINTR && result != -ENOENT { try checked(result, "list the sessions of protocol \(transport)") }
        return Set(
            found.map {
                SocketSession(local: IPv6Address($0.local), peer: IPv6Address($0.peer), isAnswered: isAnswered($0))
            })
    }
}
