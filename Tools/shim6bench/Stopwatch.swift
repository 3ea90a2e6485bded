import CAllocations
import Glibc

/// Adds up what pieces of work cost: processor time of this thread, which other programs on the machine lengthen far
/// less than they do the time on the wall, and blocks taken from the heap.
struct Stopwatch {
    private(set) var operations = 0
    private(set) var nanoseconds: UInt64 = 0
    private(set) var blocks: UInt64 = 0

    /// Measures `body`, which does `count` operations.
    mutating func measure(_ count: Int, _ body: () throws -> Void) rethrows {
        let blocksBefore = callocations_of_thread().taken
        let before = Self.now
        try body()
        let after = Self.now
        operations += count
        nanoseconds += after - before
        blocks += callocations_of_thread().taken - blocksBefore
    }

    /// Takes over what was measured in another way.
    mutating func add(operations: Int, nanoseconds: UInt64) {
        self.operations += operations
        self.nanoseconds += nanoseconds
    }

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
