import CLinux
import Glibc

/// Makes the daemon the only one in its network namespace: a lock on a file of the run-time directory, which the kernel
/// frees when the process ends, however it ends.
///
/// Nobody but the directory's owner can open the file, so nobody else can take the lock or keep a daemon from it. The file
/// is named after the namespace: several may share the directory.
struct InstanceLock: ~Copyable {
    /// Where shipped programs have it.
    static let directory = "/run/shim6d"

    private let descriptor: Int32
    private let path: String

    /// Throws `StartFailure` if another daemon holds the lock. Another `directory` is for tests.
    init(directory: String = InstanceLock.directory) throws(StartFailure) {
        try Self.provide(directory)
        var namespace = stat()
        guard stat("/proc/self/ns/net", &namespace) == 0 else {
            throw StartFailure("/proc/self/ns/net: \(String(cString: strerror(errno))): is /proc mounted?")
        }
        let path = "\(directory)/net-\(namespace.st_ino).lock"
        let descriptor = try Self.lock(path)
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        // Before the lock is free: the next daemon must not find a file that is about to go.
        unlink(path)
        close(descriptor)
    }

    /// Where others could write they could take the file away, and two daemons would each have a lock of their own.
    private static func provide(_ directory: String) throws(StartFailure) {
        if mkdir(directory, 0o755) != 0, errno != EEXIST {
            throw StartFailure(
                "\(directory): the run-time directory cannot be made: \(String(cString: strerror(errno)))",
                .cannotCreate
            )
        }
        var status = stat()
        guard lstat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
            status.st_uid == 0 || status.st_uid == geteuid(), status.st_mode & 0o022 == 0
        else {
            throw StartFailure(
                "\(directory): must be a directory of root's that nobody else can write to", .cannotCreate)
        }
    }

    private static func lock(_ path: String) throws(StartFailure) -> Int32 {
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
            guard descriptor >= 0 else {
                throw StartFailure("\(path): \(String(cString: strerror(errno)))", .cannotCreate)
            }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let reason = errno
                close(descriptor)
                throw reason == EWOULDBLOCK
                    ? StartFailure("another shim6d runs in this network namespace", .inUse)
                    : StartFailure("\(path): \(String(cString: strerror(reason)))")
            }
            // A daemon that ended in between has taken the file away: the lock is worth nothing then.
            var (own, named) = (stat(), stat())
            if fstat(descriptor, &own) == 0, lstat(path, &named) == 0, own.st_dev == named.st_dev,
                own.st_ino == named.st_ino
            {
                return descriptor
            }
            close(descriptor)
        }
    }
}
