import REAP
import Shim6Core
import Shim6Wire

/// The activity stamps of one slot, as the data path and the host share them.
final class Stamps: ActivityStamps {
    private(set) var lastIn: Instant?
    var incoming: LocatorPair?
    private(set) var lastOut: Instant?
    private(set) var spacingIn: Duration?
    var sendStart: Instant?
    var keepStart: Instant?
    private var notifyIn = false
    private var notifyOut = false

    func startSendIfStopped(at now: Instant) { sendStart = sendStart ?? now }
    func startKeepIfStopped(at now: Instant) { keepStart = keepStart ?? now }

    func requestNotification(incoming: Bool, outgoing: Bool) {
        notifyIn = notifyIn || incoming
        notifyOut = notifyOut || outgoing
    }

    /// Stamps an incoming packet; true if it is to be reported.
    func stampIn(at now: Instant) -> Bool {
        let gap = lastIn.map { min(now - $0, .seconds(1)) } ?? .seconds(1)
        spacingIn = spacingIn.map { $0 + (gap - $0) / 8 } ?? gap
        lastIn = now
        sendStart = nil
        keepStart = keepStart ?? now
        defer { notifyIn = false }
        return notifyIn
    }

    /// Stamps an outgoing packet; true if it is to be reported.
    func stampOut(at now: Instant) -> Bool {
        lastOut = now
        keepStart = nil
        sendStart = sendStart ?? now
        defer { notifyOut = false }
        return notifyOut
    }

    func clear() {
        lastIn = nil
        lastOut = nil
        spacingIn = nil
        sendStart = nil
        keepStart = nil
        notifyIn = false
        notifyOut = false
    }
}

/// The stamps of all contexts of a host.
final class StampTable: ActivityTable {
    private let slots: [Stamps]

    init(count: Int) { slots = (0..<count).map { _ in Stamps() } }

    subscript(slot: UInt32) -> Stamps { slots[Int(slot)] }
    func clear(slot: UInt32) { slots[Int(slot)].clear() }
}
