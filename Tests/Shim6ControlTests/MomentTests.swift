import ControlFixtures
import Shim6Control
import Testing

@Suite struct MomentTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"),
        (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"), (951_868_799_999_999, "2000-02-29T23:59:59.999999Z"),
        (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"), (4_107_542_399_000_000, "2100-02-28T23:59:59.000000Z"),
        (1_795_248_000_250_000, "2026-11-21T08:00:00.250000Z"),
        (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"),
    ])
    func `Wall time is written as ISO 8601 and read back`(microseconds: Int64, text: String) {
        #expect(WallTime(microseconds: microseconds).description == text)
        #expect(WallTime(text)?.microseconds == microseconds)
    }

    @Test(arguments: [("2026-11-21T08:00:00Z", 0), ("2026-11-21T08:00:00.5Z", 500_000)])
    func `The fraction may be short or missing`(text: String, microseconds: Int64) {
        #expect(WallTime(text)?.microseconds == 1_795_248_000_000_000 + microseconds)
    }

    @Test(arguments: [
        "", "Z", "2026-11-21", "2026-11-21T08:00:00", "2026-11-21T08:00:00.Z", "2026-11-21T08:00:00.1234567Z",
        "2026-13-21T08:00:00Z", "2026-00-21T08:00:00Z", "2026-11-32T08:00:00Z", "2026-11-21T24:00:00Z",
        "2026-11-21T08:60:00Z", "2026-11-21T08:00:60Z", "2026-11-21 08:00:00Z", "2026-11-21T08:00:00+Z",
        "2O26-11-21T08:00:00Z", "+026-11-21T08:00:00Z",
    ])
    func `Other text is not a time`(text: String) {
        #expect(WallTime(text) == nil)
    }

    @Test func `Differences are by the monotonic clock, whatever the wall clock does`() {
        let earlier = Moment(time: WallTime(microseconds: 5), monotonicNs: 1_000_000_000)
        let later = Moment(time: WallTime(microseconds: 0), monotonicNs: 2_500_000_000)
        #expect(later.seconds(since: earlier) == 1.5)
        #expect(earlier.seconds(since: later) == -1.5)
    }
}
