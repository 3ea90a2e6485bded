import REAP
import Testing

@testable import Shim6Daemon

@Suite struct ShareOfTimeTests {
    private static func at(_ milliseconds: Int) -> Instant { Instant(nanoseconds: 5) + .milliseconds(milliseconds) }

    @Test func `Work may begin again when it has had a tenth of the time`() {
        var share = ShareOfTime()
        #expect(share.begin <= Self.at(0))
        share.took(from: Self.at(0), to: Self.at(5))
        #expect(share.begin == Self.at(50))
        // What cost nothing need not wait.
        share.took(from: Self.at(80), to: Self.at(80))
        #expect(share.begin == Self.at(80))
    }

    @Test func `Nothing waits for more than a second`() {
        var share = ShareOfTime()
        share.took(from: Self.at(0), to: Self.at(3_000))
        #expect(share.begin == Self.at(4_000))
    }
}
