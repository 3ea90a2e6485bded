import DataPath
import REAP
import Shim6Core
import Shim6Wire
import Testing

/// The stamps of a data path that writes them itself: the rows of RFC 5534, sections 6.1 and 6.2, for payload.
@Suite struct OwnActivityTests {
    private let activity = OwnActivity(count: 2)
    private func at(_ seconds: UInt64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    @Test func `The first packet out starts the Send Timer, and a packet in stops it`() {
        _ = activity[0].stamp(.outgoing, at: at(1))
        _ = activity[0].stamp(.outgoing, at: at(2))
        #expect(activity[0].snapshot == Activity(lastOut: at(2), sendStart: at(1)))
        _ = activity[0].stamp(.incoming, at: at(3))
        _ = activity[0].stamp(.incoming, at: at(4))
        #expect(activity[0].snapshot == Activity(lastIn: at(4), lastOut: at(2), keepStart: at(3)))
        #expect(activity[1].snapshot == Activity())
    }

    @Test func `A packet is reported once for each time that this was asked for, and in its own direction`() {
        #expect(!activity[0].stamp(.incoming, at: at(1)))
        activity[0].requestNotification(incoming: true, outgoing: false)
        #expect(!activity[0].stamp(.outgoing, at: at(2)))
        #expect(activity[0].stamp(.incoming, at: at(3)))
        #expect(!activity[0].stamp(.incoming, at: at(4)))
    }

    @Test func `The timers follow the commands of the machine`() {
        activity[1].tell(send: .restart, keepalive: .start, at: at(5))
        activity[1].tell(send: nil, keepalive: .start, at: at(6))
        #expect(activity[1].snapshot == Activity(sendStart: at(5), keepStart: at(5)))
        activity[1].tell(send: .restart, keepalive: .stop, at: at(7))
        #expect(activity[1].snapshot == Activity(sendStart: at(7)))
    }

    @Test func `A slot that is cleared knows nothing of the context before`() {
        let pair = LocatorPair(source: IPv6Address(high: 1, low: 1), destination: IPv6Address(high: 2, low: 2))
        activity[0].requestNotification(incoming: true, outgoing: true)
        activity[0].note(incoming: pair)
        #expect(activity[0].snapshot.incoming == pair)
        activity.clear(slot: 0)
        #expect(activity[0].snapshot == Activity() && !activity[0].stamp(.outgoing, at: at(1)))
    }
}
