import CLinux
import Glibc

/// A thread of the daemon. It ends when its work does, or with the process.
enum DaemonThread {
    private final class Work {
        let name: String
        let body: @Sendable () -> Void

        init(_ name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Starts a thread with a name of at most 15 octets. Throws `StartFailure` if the kernel gives none.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(StartFailure) {
        let work = Unmanaged.passRetained(Work(name, body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let work = Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                pthread_setname_np(pthread_self(), work.name)
                work.body()
                return nil
            }, work.toOpaque())
        guard code == 0 else {
            work.release()
            throw StartFailure("no thread \"\(name)\": \(String(cString: strerror(code)))")
        }
        pthread_detach(thread)
    }

    /// Starts a thread that the daemon cannot do without.
    static func startRequired(_ name: String, _ body: @escaping @Sendable () -> Void) {
        do {
            try start(name, body)
        } catch {
            fatalError(error.message)
        }
    }
}
