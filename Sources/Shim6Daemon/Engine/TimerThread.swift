import CLinux
import Glibc
import HeapModule
import KernelRows
import REAP
import Shim6Core
import Synchronization

/// The thread that waits for the next deadline and posts what ran out.
///
/// Moving or cancelling a timer leaves its old entry in the heap; an entry counts only if it still is the newest of its
/// timer. The heap is rebuilt when stale entries outnumber live ones, so it stays in proportion to the live timers.
final class TimerThread: Sendable {
    private struct Entry: Comparable {
        var deadline: Instant
        var generation: UInt64
        var timer: Shim6Core.Timer

        static func < (left: Entry, right: Entry) -> Bool { left.deadline < right.deadline }
        static func == (left: Entry, right: Entry) -> Bool { left.generation == right.generation }
    }

    private struct Timers {
        var heap = Heap<Entry>()
        var armed: [Shim6Core.Timer: Entry] = [:]
        var generation: UInt64 = 0
        var stopped = false
    }

    private let timers = Mutex(Timers())
    private let wake = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    private let fire: @Sendable (Shim6Core.Timer) -> Void

    /// Starts the thread. `fire` is called on it.
    init(fire: @escaping @Sendable (Shim6Core.Timer) -> Void) {
        self.fire = fire
        DaemonThread.startRequired("timer") { [self] in run() }
    }

    deinit { close(wake) }

    func arm(_ timer: Shim6Core.Timer, at deadline: Instant) {
        let isNext = timers.withLock { timers in
            timers.generation += 1
            let entry = Entry(deadline: deadline, generation: timers.generation, timer: timer)
            timers.armed[timer] = entry
            timers.heap.insert(entry)
            if timers.heap.count > 2 * timers.armed.count + 64 { timers.heap = Heap(timers.armed.values) }
            return timers.heap.min == entry
        }
        if isNext { eventfd_write(wake, 1) }
    }

    func cancel(_ timer: Shim6Core.Timer) {
        timers.withLock { _ = $0.armed.removeValue(forKey: timer) }
    }

    func stop() {
        timers.withLock { $0.stopped = true }
        eventfd_write(wake, 1)
    }

    private func run() {
        while let (expired, next) = takeExpired(at: .monotonicNow) {
            expired.forEach(fire)
            var event = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
            poll(&event, 1, next.map(Self.wait(until:)) ?? -1)
            var count: eventfd_t = 0
            eventfd_read(wake, &count)
        }
    }

    /// Milliseconds until `deadline`, rounded up.
    private static func wait(until deadline: Instant) -> Int32 {
        let now = Instant.monotonicNow
        guard deadline > now else { return 0 }
        return Int32(clamping: (deadline.nanoseconds - now.nanoseconds + 999_999) / 1_000_000)
    }

    /// The timers that ran out and the next deadline; nil once stopped.
    private func takeExpired(at now: Instant) -> (expired: [Shim6Core.Timer], next: Instant?)? {
        timers.withLock { timers in
            if timers.stopped { return nil }
            var expired: [Shim6Core.Timer] = []
            while let first = timers.heap.min {
                let isLive = timers.armed[first.timer] == first
                if isLive && first.deadline > now { return (expired, first.deadline) }
                timers.heap.removeMin()
                if isLive {
                    timers.armed.removeValue(forKey: first.timer)
                    expired.append(first.timer)
                }
            }
            return (expired, nil)
        }
    }
}
