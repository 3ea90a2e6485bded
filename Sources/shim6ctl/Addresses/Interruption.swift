import Glibc
import Synchronization

/// SIGINT and SIGTERM while something goes on that can be stopped and taken up again.
enum Interruption {
    private static let signal = Atomic<Int32>(0)

    /// The signal that came, if any.
    static var received: Int32? {
        let number = signal.load(ordering: .relaxed)
        return number == 0 ? nil : number
    }

    /// From now on these signals are noted and do not end the process.
    static func note() {
        signal.store(0, ordering: .relaxed)
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] {
            Glibc.signal(number) { Interruption.signal.store($0, ordering: .relaxed) }
            sigaddset(&signals, number)
        }
        // Whoever started this program may have blocked them.
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }
}
