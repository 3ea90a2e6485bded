import REAP
import Shim6Core
import Stamps

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
}

extension Stamps {
    /// What the data path does for one packet; true if it was asked to report it.
    func stamp(_ direction: Direction, at now: Instant) -> Bool {
        direction == .incoming ? stampIn(at: now) : stampOut(at: now)
    }
}
