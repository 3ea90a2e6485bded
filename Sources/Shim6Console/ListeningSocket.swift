import Configuration
import Glibc

/// The listening end of the control socket and its file.
struct ListeningSocket: Sendable {
    let descriptor: Int32
    /// The group whose members may change things; nil for root only.
    let group: gid_t?
    private let path: String
    private let file: FileIdentity

    /// Takes over the file of a daemon that is gone; refuses one that a daemon answers on, and anything but a socket.
    init(_ configuration: Configuration.ControlSocket) throws(ListenError) {
        path = configuration.socket
        group = try configuration.group.map { (name) throws(ListenError) in try groupNumber(of: name) }
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .system(what: path, errno: errno) }
        do throws(ListenError) {
            file = try ListeningSocket.bind(
                descriptor, to: path, owner: group, mode: mode_t(configuration.mode))
        } catch {
            close(descriptor)
            throw error
        }
    }

    /// Removes the file unless another daemon has put its own there.
    func removeFile() {
        if FileIdentity(of: path) == file { unlink(path) }
    }

    private static func bind(
        _ descriptor: Int32, to path: String, owner: gid_t?, mode: mode_t
    ) throws(ListenError) -> FileIdentity {
        try removeStaleFile(path)
        // The file takes the mode of the socket: it is never open to more than its owner before chown and chmod.
        guard fchmod(descriptor, 0o600) == 0 else { throw .system(what: path, errno: errno) }
        let bound = withUnixAddress(path) { Glibc.bind(descriptor, $0, $1) }
        guard bound == 0 else {
            throw errno == EADDRINUSE ? .socketInUse(path: path) : .system(what: path, errno: errno)
        }
        guard owner.map({ chown(path, uid_t.max, $0) == 0 }) ?? true, chmod(path, mode) == 0,
            listen(descriptor, 64) == 0, let file = FileIdentity(of: path)
        else {
            let reason = errno
            unlink(path)
            throw .system(what: path, errno: reason)
        }
        return file
    }

    static func removeStaleFile(_ path: String) throws(ListenError) {
        guard let file = FileIdentity(of: path) else {
            guard errno == ENOENT else { throw .system(what: path, errno: errno) }
            return
        }
        guard file.isSocket else { throw .notASocket(path: path) }
        let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard probe >= 0 else { throw .system(what: path, errno: errno) }
        defer { close(probe) }
        guard withUnixAddress(path, { connect(probe, $0, $1) }) != 0, errno != EAGAIN else {
            throw .socketInUse(path: path)
        }
        guard errno == ECONNREFUSED else { throw .system(what: path, errno: errno) }
        guard unlink(path) == 0 || errno == ENOENT else { throw .system(what: path, errno: errno) }
    }
}

/// Which file a name stands for.
private struct FileIdentity: Equatable, Sendable {
    var device: UInt64
    var inode: UInt64
    var isSocket: Bool

    /// Nil, with `errno`, if there is none.
    init?(of path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        isSocket = status.st_mode & S_IFMT == S_IFSOCK
    }
}

/// Calls `body` with the address of a Unix socket. `path` has at most 107 octets, as the configuration checks.
private func withUnixAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    return withUnsafePointer(to: address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
}

private func groupNumber(of name: String) throws(ListenError) -> gid_t {
    var entry = group()
    var found: UnsafeMutablePointer<group>?
    var names = [CChar](repeating: 0, count: 1 << 16)
    let result = getgrnam_r(name, &entry, &names, names.count, &found)
    guard result == 0 else { throw .system(what: "group \"\(name)\"", errno: result) }
    guard found != nil else { throw .unknownGroup(name) }
    return entry.gr_gid
}
