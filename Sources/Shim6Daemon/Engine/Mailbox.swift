import CLinux
import DequeModule
import Glibc
import Synchronization

/// A queue into the main thread: any thread posts, the main thread polls `descriptor` and drains.
final class Mailbox<Mail: Sendable>: Sendable {
    /// An eventfd that is readable while mail waits.
    let descriptor: Int32
    private let queue = Mutex(Deque<Mail>())

    init() {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        precondition(descriptor >= 0, "no eventfd: \(errno)")
    }

    deinit { close(descriptor) }

    func post(_ mail: Mail) {
        queue.withLock { $0.append(mail) }
        eventfd_write(descriptor, 1)
    }

    /// Everything posted so far, oldest first.
    func drain() -> Deque<Mail> {
        var count: eventfd_t = 0
        eventfd_read(descriptor, &count)
        return queue.withLock { queue in
            defer { queue = Deque() }
            return queue
        }
    }
}
