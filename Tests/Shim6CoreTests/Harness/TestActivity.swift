import REAP
import Shim6Core
import Shim6Wire

/// The stamps of one host's contexts, in ordinary memory.
final class TestActivity: ActivityTable {
    private var slots: [UInt32: Stamps] = [:]

    subscript(slot: UInt32) -> Stamps {
        if let stamps = slots[slot] { return stamps }
        let stamps = Stamps()
        slots[slot] = stamps
        return stamps
    }

    func clear(slot: UInt32) {
        slots[slot] = Stamps()
    }

    final class Stamps: ActivityStamps {
        var lastIn: Instant?
        var incoming: LocatorPair?
        var lastOut: Instant?
        var spacingIn: Duration?
        var sendStart: Instant?
        var keepStart: Instant?
        var wanted: Set<Direction> = []

        func startSendIfStopped(at now: Instant) {
            if sendStart == nil { sendStart = now }
        }

        func startKeepIfStopped(at now: Instant) {
            if keepStart == nil { keepStart = now }
        }

        func requestNotification(incoming: Bool, outgoing: Bool) {
            if incoming { wanted.insert(.incoming) }
            if outgoing { wanted.insert(.outgoing) }
        }

        /// What the data path does for one packet; true if it was asked to report it.
        func stamp(_ direction: Direction, at now: Instant) -> Bool {
            switch direction {
            case .incoming:
                lastIn = now
                sendStart = nil
                startKeepIfStopped(at: now)
            case .outgoing:
                lastOut = now
                keepStart = nil
                startSendIfStopped(at: now)
            }
            return wanted.remove(direction) != nil
        }
    }
}
