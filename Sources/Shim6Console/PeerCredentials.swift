import Glibc
import NIOCore

/// Who is at the other end of a Unix socket, as the kernel recorded it when it connected.
struct PeerCredentials: Sendable {
    private var user: uid_t
    /// The primary group and up to 256 others; zeros after the last.
    private var primaryGroup: gid_t
    private var groups: InlineArray<256, gid_t>

    /// Root may change things, and the members of `group`.
    func mayChange(group: gid_t?) -> Bool {
        if user == 0 { return true }
        guard let group else { return false }
        if primaryGroup == group { return true }
        // Zeros fill the unused part of the list.
        return group != 0 && groups.indices.contains { groups[$0] == group }
    }

    /// Fails if the channel has no socket of the Unix kind.
    static func ofPeer(on channel: any Channel) -> EventLoopFuture<PeerCredentials> {
        // struct ucred: process, user, group.
        typealias Credentials = InlineArray<3, UInt32>
        guard let options = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        let credentials: EventLoopFuture<Credentials> = options.unsafeGetSocketOption(
            level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED))
        // A peer in more groups than fit is judged by its primary group.
        let groups: EventLoopFuture<InlineArray<256, gid_t>> = options.unsafeGetSocketOption(
            level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERGROUPS)
        ).recover { _ in InlineArray(repeating: 0) }
        return credentials.and(groups).map { credentials, groups in
            PeerCredentials(user: credentials[1], primaryGroup: credentials[2], groups: groups)
        }
    }
}
