import REAP
import Testing

@testable import Shim6Daemon

@Suite struct LogLimitTests {
    private static func at(_ milliseconds: UInt64) -> Instant {
        Instant(nanoseconds: 1_000_000_000_000 + milliseconds * 1_000_000)
    }

    @Test func `A flood of lines is cut, and what was left out is told with the next line`() {
        let limit = LogLimit()
        let taken = (0..<5000).compactMap { _ in limit.take(at: Self.at(0)) }
        #expect(taken == [Int](repeating: 0, count: LogLimit.burst))
        let wait = UInt64(1000 / LogLimit.perSecond)
        #expect(limit.take(at: Self.at(wait)) == 5000 - LogLimit.burst)
        #expect(limit.take(at: Self.at(wait)) == nil)
        #expect(limit.take(at: Self.at(2 * wait)) == 1)
    }

    @Test func `Few lines all pass`() {
        let limit = LogLimit()
        for second in 0..<1000 {
            for _ in 0..<LogLimit.perSecond { #expect(limit.take(at: Self.at(UInt64(second) * 1000)) == 0) }
        }
    }
}
