import REAP
import Shim6Core
import Shim6Wire

/// Activity stamps of contexts that see no traffic, in ordinary memory.
final class Slots: ActivityTable {
    private let slots: [Stamps]

    init(count: Int) {
        slots = (0..<count).map { _ in Stamps() }
    }

    subscript(slot: UInt32) -> Stamps { slots[Int(slot)] }

    func clear(slot: UInt32) { self[slot].tell(send: .stop, keepalive: .stop, at: Instant(nanoseconds: 0)) }

    final class Stamps: ActivityStamps {
        private var sendStart: Instant?
        private var keepStart: Instant?

        var snapshot: Activity { Activity(sendStart: sendStart, keepStart: keepStart) }

        func tell(send: TimerCommand?, keepalive: TimerCommand?, at now: Instant) {
            if let send { sendStart = send.applied(to: sendStart, at: now) }
            if let keepalive { keepStart = keepalive.applied(to: keepStart, at: now) }
        }

        func requestNotification(incoming: Bool, outgoing: Bool) {}
    }
}
