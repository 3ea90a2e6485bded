import CLinux
import Foundation

/// Makes the daemon the only one in its network namespace: an abstract Unix socket name, which the kernel frees when the
/// process ends, however it ends.
struct InstanceLock: ~Copyable {
    private let descriptor: Int32

    /// Throws `StartFailure` if another daemon holds the lock.
    init() throws(StartFailure) {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw StartFailure("no lock socket: \(String(cString: strerror(errno)))") }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array("shim6d".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0[1...].copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.count)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        guard result == 0 else {
            let reason = errno
            close(descriptor)
            throw reason == EADDRINUSE
                ? StartFailure("another shim6d runs in this network namespace", exitCode: 75)
                : StartFailure("no lock: \(String(cString: strerror(reason)))")
        }
    }

    deinit { close(descriptor) }
}
