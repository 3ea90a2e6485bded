import CLinux
import Glibc

/// Makes the daemon the only one in its network namespace: an abstract Unix socket name, which the kernel frees when the
/// process ends, however it ends.
///
/// Anybody can take such a name. So a daemon listens on it, which makes the kernel tell whose it is: who is another user, or
/// does not listen, is no daemon and keeps none from starting.
struct InstanceLock: ~Copyable {
    private let descriptor: Int32

    /// Throws `StartFailure` if another daemon holds the lock. Another `name` is for tests.
    init(name: String = "shim6d") throws(StartFailure) {
        descriptor = Self.streamSocket()
        guard descriptor >= 0 else { throw StartFailure("no lock socket: \(String(cString: strerror(errno)))") }
        if Self.withAddress(name, { bind(descriptor, $0, $1) }) == 0, listen(descriptor, 8) == 0 { return }
        let reason = errno
        guard reason != EADDRINUSE || Self.isDaemons(name) else { return }
        close(descriptor)
        throw reason == EADDRINUSE
            ? StartFailure("another shim6d runs in this network namespace", exitCode: 75)
            : StartFailure("no lock: \(String(cString: strerror(reason)))")
    }

    deinit { close(descriptor) }

    /// Whether the holder of the name is of this user.
    private static func isDaemons(_ name: String) -> Bool {
        // A daemon that starts has the name for a moment before it listens.
        for _ in 0..<10 {
            let probe = streamSocket()
            guard probe >= 0 else { return true }
            defer { close(probe) }
            if withAddress(name, { connect(probe, $0, $1) }) == 0 {
                // struct ucred: process, user, group.
                var credentials: (UInt32, UInt32, UInt32) = (0, 0, 0)
                var length = socklen_t(MemoryLayout.size(ofValue: credentials))
                guard getsockopt(probe, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 else { return true }
                return credentials.1 == geteuid()
            }
            // Somebody listens, whose queue is full: nobody takes connections from it.
            if errno == EAGAIN { return true }
            guard errno == ECONNREFUSED else { return false }
            usleep(10_000)
        }
        return false
    }

    private static func streamSocket() -> Int32 {
        let type = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        return socket(AF_UNIX, Int32(type), 0)
    }

    private static func withAddress(_ name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0[1...].copyBytes(from: name.utf8) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.utf8.count)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
