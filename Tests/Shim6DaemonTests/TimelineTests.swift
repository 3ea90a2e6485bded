import REAP
import Requirements
import Shim6Control
import Shim6Core
import Shim6Wire
import Testing

@testable import Shim6Daemon

@Suite struct TimelineTests {
    private static let local = IPv6Address(high: 0x2001_0db8_00a1_0000, low: 1)
    private static let peer = IPv6Address(high: 0x2001_0db8_00b1_0000, low: 1)
    private static let other = IPv6Address(high: 0x2001_0db8_00b2_0000, low: 2)
    private static let ulids = ULIDPair(local: local, peer: peer)
    private static let before = LocatorPair(source: local, destination: peer)
    private static let after = LocatorPair(source: local, destination: other)
    private static let tag = ContextTag(truncating: 0x1234)

    private static func notice(_ seconds: UInt64, _ kind: Notice.Kind, tag: ContextTag = tag) -> Notice {
        Notice(at: Instant(nanoseconds: seconds * 1_000_000_000), tag: tag, ulids: ulids, kind: kind)
    }

    private static func suspicion(_ seconds: UInt64, tag: ContextTag = tag) -> Notice {
        let last = Instant(nanoseconds: (seconds - 2) * 1_000_000_000)
        let kind = Notice.Kind.reachability(
            from: .operational, to: .exploring, reason: .sendTimerExpired, lastIn: last, lastOut: nil)
        return notice(seconds, kind, tag: tag)
    }

    @Test(.requirement("5534-9-03", "5534-4.2-04"))
    func `A failover is told from the suspicion to the first payload on the new pair`() throws {
        var timeline = Timeline(limit: 4)
        let steps: [Notice] = [
            Self.suspicion(100),
            Self.notice(100, .probeSent(Self.after, nonce: 7, state: .exploring)),
            Self.notice(101, .probeReceived(Self.after.reversedForTest, nonce: 8, state: .inboundOk, reports: 1)),
            Self.notice(101, .switched(from: Self.before, to: Self.after, .exploration)),
            Self.notice(
                101,
                .reachability(
                    from: .exploring, to: .operational, reason: .probeInboundOkReceived, lastIn: nil, lastOut: nil)),
            Self.notice(102, .firstPayload(.outgoing, pair: Self.after)),
            Self.notice(103, .firstPayload(.incoming, pair: Self.after.reversedForTest)),
        ]
        for step in steps { timeline.record(step, outgoing: Self.before) }

        let failover = try #require(timeline.report(of: Self.tag).failovers.first)
        #expect(failover.outcome == .switched)
        #expect(failover.reason == "send-timer-expired")
        #expect(failover.pair == Self.before)
        #expect(failover.lastIn?.seconds == -2)
        #expect(failover.probes.map(\.seconds) == [0, 1])
        #expect(failover.probes.map(\.direction) == [.sent, .received])
        #expect(failover.switches.map(\.to) == [Self.after])
        #expect(failover.firstOut?.seconds == 2)
        #expect(failover.gap == 5)
    }

    @Test func `The Probe that raises a suspicion belongs to it, and a late one to no failover before`() throws {
        var timeline = Timeline(limit: 4)
        let operational = Notice.Kind.reachability(
            from: .inboundOk, to: .operational, reason: .probeOperationalReceived, lastIn: nil, lastOut: nil)
        func probe(_ nonce: UInt32) -> Notice.Kind {
            .probeReceived(Self.after.reversedForTest, nonce: nonce, state: .exploring, reports: 0)
        }
        let asked = Notice.Kind.reachability(
            from: .operational, to: .inboundOk, reason: .probeExploringReceived, lastIn: nil, lastOut: nil)
        let steps: [Notice] = [
            Self.suspicion(100), Self.notice(101, operational), Self.notice(190, probe(1)), Self.notice(200, probe(2)),
            Self.notice(200, asked), Self.notice(201, probe(3)),
        ]
        for step in steps { timeline.record(step, outgoing: nil) }
        #expect(timeline.report(of: nil).failovers.map { $0.probes.map(\.nonce) } == [[], [2, 3]])
    }

    @Test func `A suspicion that proves wrong is told as resumed`() {
        var timeline = Timeline(limit: 4)
        timeline.record(Self.suspicion(100), outgoing: nil)
        let kind = Notice.Kind.reachability(
            from: .exploring, to: .operational, reason: .probeOperationalReceived, lastIn: nil, lastOut: nil)
        timeline.record(Self.notice(101, kind), outgoing: nil)
        #expect(timeline.report(of: nil).failovers.map(\.outcome) == [.resumed])
    }

    @Test func `A context that goes away ends its open failover`() {
        var timeline = Timeline(limit: 4)
        timeline.record(Self.suspicion(100), outgoing: nil)
        timeline.record(Self.notice(101, .state(from: .established, to: nil, reason: .idle)), outgoing: nil)
        #expect(timeline.report(of: nil).failovers.map(\.outcome) == [.ended])
    }

    @Test func `Old failovers make room, and what comes late for one of them changes nothing`() {
        var timeline = Timeline(limit: 2)
        let tags = (1...3).map { ContextTag(truncating: $0) }
        for (seconds, tag) in zip(UInt64(100)..., tags) {
            timeline.record(Self.suspicion(seconds, tag: tag), outgoing: nil)
        }
        timeline.record(
            Self.notice(200, .switched(from: Self.before, to: Self.after, .exploration), tag: tags[0]),
            outgoing: Self.before)
        let failovers = timeline.report(of: nil).failovers
        #expect(failovers.map(\.number) == [2, 3])
        #expect(failovers.allSatisfy { $0.switches.isEmpty })
    }

    @Test func `A path that is dead for days fills no more than its share`() throws {
        var timeline = Timeline(limit: 2)
        timeline.record(Self.suspicion(100), outgoing: nil)
        for nonce in UInt32(0)..<1000 {
            timeline.record(Self.notice(101, .probeSent(Self.after, nonce: nonce, state: .exploring)), outgoing: nil)
        }
        #expect(try #require(timeline.report(of: nil).failovers.first).probes.count == 256)
    }
}

extension LocatorPair {
    fileprivate var reversedForTest: LocatorPair { LocatorPair(source: destination, destination: source) }
}
