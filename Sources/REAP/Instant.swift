/// A point on the monotonic clock, in nanoseconds. The modules without I/O never read it: it is handed in.
public struct Instant: Hashable, Comparable, Sendable {
    public var nanoseconds: UInt64

    public init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    public static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The instant `duration` after `start`, held at the ends of the clock's range.
    public static func + (start: Instant, duration: Duration) -> Instant {
        let distance = duration.wholeNanoseconds
        if distance < 0 {
            let (result, overflow) = start.nanoseconds.subtractingReportingOverflow(distance.magnitude)
            return Instant(nanoseconds: overflow ? 0 : result)
        }
        let (result, overflow) = start.nanoseconds.addingReportingOverflow(distance.magnitude)
        return Instant(nanoseconds: overflow ? .max : result)
    }

    /// The time from `right` to `left`; negative if `left` is the earlier one.
    public static func - (left: Instant, right: Instant) -> Duration {
        left >= right
            ? .nanoseconds(Int64(clamping: left.nanoseconds - right.nanoseconds))
            : .zero - .nanoseconds(Int64(clamping: right.nanoseconds - left.nanoseconds))
    }
}

extension Duration {
    /// This duration in nanoseconds, the rest cut off, held at the ends of the range.
    public var wholeNanoseconds: Int64 {
        let (total, scale) = (attoseconds, 1_000_000_000 as UInt64)
        let size = total.magnitude
        let high = UInt64(size >> 64)
        // Half of the scale: then half of the range of 64 bits holds the quotient.
        guard high < scale / 2 else { return total < 0 ? .min : .max }
        let quotient = Int64(scale.dividingFullWidth((high, UInt64(truncatingIfNeeded: size))).quotient)
        return total < 0 ? -quotient : quotient
    }

    /// This duration longer by some thousandths of it, which are 1,000 at most and below zero make it shorter; by whole
    /// nanoseconds.
    func longer(permille: Int) -> Duration {
        self + Duration(attoseconds: Int128(wholeNanoseconds / 1000 * Int64(permille)) * 1_000_000_000)
    }
}
