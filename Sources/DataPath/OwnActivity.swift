import REAP
import Shim6Core
import Shim6Wire

/// Stamps in memory of the process, for a data path that writes them itself, on the thread of the core.
public final class OwnActivity: ActivityTable {
    fileprivate struct Slot {
        var activity = Activity()
        var reportsIncoming = false
        var reportsOutgoing = false
    }

    fileprivate var slots: [Slot]

    /// - Parameter count: how many slots there are.
    public init(count: UInt32) {
        slots = [Slot](repeating: Slot(), count: Int(count))
    }

    public var count: Int { slots.count }

    public subscript(slot: UInt32) -> Stamps { Stamps(table: self, slot: Int(slot)) }

    public func clear(slot: UInt32) { slots[Int(slot)] = Slot() }

    /// One slot.
    public struct Stamps: ActivityStamps {
        fileprivate let table: OwnActivity
        fileprivate let slot: Int

        public var snapshot: Activity { table.slots[slot].activity }

        public func tell(send: TimerCommand?, keepalive: TimerCommand?, at now: Instant) {
            table.slots[slot].activity.tell(send: send, keepalive: keepalive, at: now)
        }

        public func requestNotification(incoming: Bool, outgoing: Bool) {
            if incoming { table.slots[slot].reportsIncoming = true }
            if outgoing { table.slots[slot].reportsOutgoing = true }
        }

        /// Notes the locators of the last packet in; nil if they are not known.
        public func note(incoming pair: LocatorPair?) { table.slots[slot].activity.incoming = pair }

        /// Does what the kernel program does with a packet. Returns whether the packet is to be reported.
        public func stamp(_ direction: Direction, at now: Instant) -> Bool {
            table.slots[slot].stamp(direction, at: now)
        }
    }
}

extension OwnActivity.Slot {
    fileprivate mutating func stamp(_ direction: Direction, at now: Instant) -> Bool {
        switch direction {
        case .incoming:
            activity.lastIn = now
            activity.tell(send: .stop, keepalive: .start, at: now)
            defer { reportsIncoming = false }
            return reportsIncoming
        case .outgoing:
            activity.lastOut = now
            activity.tell(send: .start, keepalive: .stop, at: now)
            defer { reportsOutgoing = false }
            return reportsOutgoing
        }
    }
}

extension Activity {
    fileprivate mutating func tell(send: TimerCommand?, keepalive: TimerCommand?, at now: Instant) {
        if let send { sendStart = send.applied(to: sendStart, at: now) }
        if let keepalive { keepStart = keepalive.applied(to: keepStart, at: now) }
    }
}
