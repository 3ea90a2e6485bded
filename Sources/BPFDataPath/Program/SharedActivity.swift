import CDataPath
import REAP
import Shim6Core
import Shim6Wire

/// The activity stamps, in memory shared with the kernel program.
///
/// Values of this type must not be used after the `KernelProgram` that they came from is gone.
public struct SharedActivity: ActivityTable, @unchecked Sendable {
    private let slots: UnsafeMutablePointer<shim6_activity>
    /// How many slots there are.
    public let count: UInt32

    init(slots: UnsafeMutablePointer<shim6_activity>, count: UInt32) {
        self.slots = slots
        self.count = count
    }

    public subscript(slot: UInt32) -> SharedStamps {
        precondition(slot < count, "no such activity slot")
        return SharedStamps(slot: slots + Int(slot))
    }

    public func clear(slot: UInt32) {
        let stamps = self[slot].slot
        _ = shim6_flags_take(&stamps.pointee.flags, ~0)
        shim6_stamp_exchange(&stamps.pointee.last_in, 0)
        shim6_stamp_exchange(&stamps.pointee.last_out, 0)
        shim6_spacing_clear(&stamps.pointee.spacing_in)
        shim6_stamp_exchange(&stamps.pointee.send_start, 0)
        shim6_stamp_exchange(&stamps.pointee.keep_start, 0)
        shim6_incoming_set(stamps, shim6_locator_pair())
    }
}

/// One slot. The program writes at any time, so every access is atomic. Only the pair of locators is more than one number:
/// it is written and read as a whole (docs/decisions/locators-in-memory.md). Two values need not be of the same packet.
public struct SharedStamps: ActivityStamps, @unchecked Sendable {
    let slot: UnsafeMutablePointer<shim6_activity>

    public var snapshot: Activity {
        Activity(
            lastIn: lastIn, incoming: incoming, lastOut: lastOut, spacingIn: spacingIn, sendStart: sendStart,
            keepStart: keepStart)
    }

    public var lastIn: Instant? { time(shim6_stamp_load(&slot.pointee.last_in)) }
    public var lastOut: Instant? { time(shim6_stamp_load(&slot.pointee.last_out)) }

    public var spacingIn: Duration? {
        let spacing = shim6_spacing_load(&slot.pointee.spacing_in)
        return spacing == 0 ? nil : .nanoseconds(Int64(spacing) << 10)
    }

    public var incoming: LocatorPair? {
        let pair = LocatorPair(shim6_incoming_read(slot))
        return pair.source.isUnspecified ? nil : pair
    }

    public var sendStart: Instant? {
        get { time(shim6_stamp_load(&slot.pointee.send_start)) }
        nonmutating set { shim6_stamp_exchange(&slot.pointee.send_start, newValue?.nanoseconds ?? 0) }
    }

    public var keepStart: Instant? {
        get { time(shim6_stamp_load(&slot.pointee.keep_start)) }
        nonmutating set { shim6_stamp_exchange(&slot.pointee.keep_start, newValue?.nanoseconds ?? 0) }
    }

    public func tell(send: TimerCommand?, keepalive: TimerCommand?, at now: Instant) {
        if let send { tell(&slot.pointee.send_start, send, at: now) }
        if let keepalive { tell(&slot.pointee.keep_start, keepalive, at: now) }
    }

    private func tell(_ stamp: UnsafeMutablePointer<UInt64>, _ command: TimerCommand, at now: Instant) {
        switch command {
        case .start: shim6_stamp_start(stamp, now.nanoseconds)
        case .restart: shim6_stamp_exchange(stamp, now.nanoseconds)
        case .stop: shim6_stamp_exchange(stamp, 0)
        }
    }

    public func requestNotification(incoming: Bool, outgoing: Bool) {
        let bits = (incoming ? UInt32(SHIM6_NOTIFY_IN) : 0) | (outgoing ? UInt32(SHIM6_NOTIFY_OUT) : 0)
        shim6_flags_set(&slot.pointee.flags, bits)
    }

    private func time(_ nanoseconds: UInt64) -> Instant? {
        nanoseconds == 0 ? nil : Instant(nanoseconds: nanoseconds)
    }
}
