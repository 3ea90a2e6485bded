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
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, sumOverflow) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        guard !sumOverflow else { return seconds < 0 ? .min : .max }
        return sum
    }
}
