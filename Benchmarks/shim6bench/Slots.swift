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

    func clear(slot: UInt32) {
        let stamps = self[slot]
        stamps.sendStart = nil
        stamps.keepStart = nil
    }

    final class Stamps: ActivityStamps {
        var lastIn: Instant? { nil }
        var incoming: LocatorPair? { nil }
        var lastOut: Instant? { nil }
        var spacingIn: Duration? { nil }
        var sendStart: Instant?
        var keepStart: Instant?

        func startSendIfStopped(at now: Instant) {
            if sendStart == nil { sendStart = now }
        }

        func startKeepIfStopped(at now: Instant) {
            if keepStart == nil { keepStart = now }
        }

        func requestNotification(incoming: Bool, outgoing: Bool) {}
    }
}
