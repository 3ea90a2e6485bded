import REAP
import Shim6Core
import Stamps

/// The stamps of all contexts of a host.
final class StampTable: ActivityTable {
    private var slots: [Stamps]

    init(count: Int) { slots = (0..<count).map { _ in Stamps() } }

    subscript(slot: UInt32) -> Stamps { slots[Int(slot)] }
    func clear(slot: UInt32) { slots[Int(slot)] = Stamps() }
}
