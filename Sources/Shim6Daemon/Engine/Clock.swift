import Glibc
import KernelRows
import REAP
import Shim6Control

extension Moment {
    /// An instant on both clocks. The wall clock may have been set since; what counts is what it says now.
    init(_ instant: Instant) {
        var wall = timespec()
        clock_gettime(CLOCK_REALTIME, &wall)
        let now = Instant.monotonicNow
        let age = Int64(bitPattern: now.nanoseconds &- instant.nanoseconds) / 1000
        let microseconds = Int64(wall.tv_sec) * 1_000_000 + Int64(wall.tv_nsec) / 1000
        self.init(time: WallTime(microseconds: microseconds &- age), monotonicNs: instant.nanoseconds)
    }
}
