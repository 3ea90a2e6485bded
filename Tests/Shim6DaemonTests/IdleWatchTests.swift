import Logging
import REAP
import Shim6Core
import Shim6Wire
import Testing

@testable import Shim6Daemon

/// What the daemon asks by itself. No policy is made here: that comes at the end of a pass.
@Suite struct IdleWatchTests {
    private static let ulids = ULIDPair(
        local: IPv6Address(high: 0x2001_0db8_00a1_0000, low: 1), peer: IPv6Address(high: 0x2001_0db8_00b1_0000, low: 1))
    private static let start = Instant(nanoseconds: 1_000_000_000_000)

    private func tag(_ number: UInt64) -> ContextTag { ContextTag(truncating: number) }

    @Test func `A context whose policy stays silent is asked for after twice the time`() throws {
        let watch = try IdleWatch(rehoming: 0, log: Logger(label: "test"))
        watch.watch(tag(1), Self.ulids, seconds: 10, at: Self.start)
        #expect(watch.due(at: Self.start + .seconds(19)).isEmpty)
        #expect(watch.due(at: Self.start + .seconds(20)) == [tag(1)])
        #expect(watch.due(at: Self.start + .seconds(60)).isEmpty)
    }

    @Test func `Contexts that share a policy are asked for when the time of the last is over`() throws {
        let watch = try IdleWatch(rehoming: 0, log: Logger(label: "test"))
        watch.watch(tag(1), Self.ulids, seconds: 10, at: Self.start)
        watch.watch(tag(2), Self.ulids, seconds: 6, at: Self.start + .seconds(1))
        #expect(watch.due(at: Self.start + .seconds(6)).isEmpty)
        #expect(Set(watch.due(at: Self.start + .seconds(7))) == [tag(1), tag(2)])
    }

    @Test func `A context that is no longer watched is not asked for`() throws {
        let watch = try IdleWatch(rehoming: 0, log: Logger(label: "test"))
        watch.watch(tag(1), Self.ulids, seconds: 10, at: Self.start)
        watch.unwatch(tag(1))
        #expect(watch.due(at: Self.start + .seconds(100)).isEmpty)
    }
}
