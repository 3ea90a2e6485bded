import Glibc
import REAP

extension Instant {
    /// CLOCK_MONOTONIC, which the data path stamps with as well.
    public static var monotonicNow: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}
