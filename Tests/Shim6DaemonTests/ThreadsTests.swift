import Foundation
import KernelRows
import REAP
import Shim6Core
import Shim6Wire
import Synchronization
import Testing

@testable import Shim6Daemon

@Suite struct ThreadsTests {
    private static func timer(_ number: UInt64) -> Shim6Core.Timer { .context(ContextTag(truncating: number)) }

    /// What a timer thread has fired, and a way to wait for it.
    private final class Fired: Sendable {
        let timers = Mutex<[Shim6Core.Timer]>([])
        let signal = DispatchSemaphore(value: 0)

        func add(_ timer: Shim6Core.Timer) {
            timers.withLock { $0.append(timer) }
            signal.signal()
        }

        func take(_ count: Int) -> [Shim6Core.Timer] {
            for _ in 0..<count { signal.wait() }
            return timers.withLock { $0 }
        }
    }

    @Test func `Timers fire in the order of their deadlines, each once`() {
        let fired = Fired()
        let thread = TimerThread { fired.add($0) }
        defer { thread.stop() }
        let now = Instant.monotonicNow
        for number: UInt64 in [3, 1, 2] {
            thread.arm(Self.timer(number), at: Instant(nanoseconds: now.nanoseconds + number * 20_000_000))
        }
        #expect(fired.take(3) == [1, 2, 3].map(Self.timer))
    }

    @Test func `A timer that is moved fires at its last deadline only, a cancelled one never`() {
        let fired = Fired()
        let thread = TimerThread { fired.add($0) }
        defer { thread.stop() }
        let now = Instant.monotonicNow.nanoseconds
        thread.arm(Self.timer(1), at: Instant(nanoseconds: now + 10_000_000_000))
        thread.arm(Self.timer(2), at: Instant(nanoseconds: now + 10_000_000_000))
        thread.arm(Self.timer(2), at: Instant(nanoseconds: now))
        thread.arm(Self.timer(1), at: Instant(nanoseconds: now + 60_000_000))
        thread.arm(Self.timer(3), at: Instant(nanoseconds: now + 30_000_000))
        thread.cancel(Self.timer(3))
        thread.arm(Self.timer(4), at: Instant(nanoseconds: now + 90_000_000))
        #expect(fired.take(3) == [2, 1, 4].map(Self.timer))
    }

    @Test func `A mailbox keeps the order and is readable while mail waits`() {
        let mailbox = Mailbox<Int>()
        for number in 1...3 { mailbox.post(number) }
        var event = pollfd(fd: mailbox.descriptor, events: Int16(POLLIN), revents: 0)
        #expect(poll(&event, 1, 0) == 1)
        #expect(Array(mailbox.drain()) == [1, 2, 3])
        #expect(poll(&event, 1, 0) == 0)
        #expect(mailbox.drain().isEmpty)
    }
}
