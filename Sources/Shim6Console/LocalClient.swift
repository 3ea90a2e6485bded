import Dispatch
import Glibc
import NIOCore
import Netlink
import Shim6Wire

/// Who a client of the console is. TCP does not tell; the kernel does of clients on this host.
enum LocalClient {
    /// The database of users may be asked over a network: not on the event loop.
    private static let queue = DispatchQueue(label: "shim6d.users")

    /// Whether root or a member of `group` has the other end. Asked once: what becomes of the socket later does not count.
    static func isOperator(_ channel: any Channel, group: gid_t?) -> EventLoopFuture<Bool> {
        let result = channel.eventLoop.makePromise(of: Bool.self)
        guard let client = channel.remoteAddress?.endpoint, let server = channel.localAddress?.endpoint,
            let user = SocketOwner.user(of: client, connectedTo: server)
        else {
            result.succeed(false)
            return result.futureResult
        }
        if user == 0 || group == nil {
            result.succeed(user == 0)
        } else {
            queue.async { result.succeed(group.map { isMember(user, of: $0) } ?? false) }
        }
        return result.futureResult
    }

    static func isMember(_ user: uid_t, of group: gid_t) -> Bool {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var texts = [CChar](repeating: 0, count: 1 << 16)
        guard getpwuid_r(user, &entry, &texts, texts.count, &found) == 0, found != nil else { return false }
        var count: Int32 = 256
        var groups = [gid_t](repeating: 0, count: Int(count))
        if getgrouplist(entry.pw_name, entry.pw_gid, &groups, &count) < 0 {
            groups = [gid_t](repeating: 0, count: Int(count))
            guard getgrouplist(entry.pw_name, entry.pw_gid, &groups, &count) >= 0 else { return false }
        }
        return groups.prefix(Int(count)).contains(group)
    }
}

extension SocketAddress {
    fileprivate var endpoint: (address: Shim6Wire.IPv6Address, port: UInt16)? {
        guard case .v6(let socket) = self, let port = port.flatMap({ UInt16(exactly: $0) }) else { return nil }
        let octets = withUnsafeBytes(of: socket.address.sin6_addr) { Array($0) }
        return Shim6Wire.IPv6Address(octets: octets).map { ($0, port) }
    }
}
