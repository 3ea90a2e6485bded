import REAP
import Requirements
import Shim6Wire
import Testing

/// What somebody can do to a machine who knows the context's tag and nothing else: no nonce of a Probe.
@Suite struct TrustTests {
    /// Payload goes out every second, and a Keepalive comes in as often, which may be anybody's. The peer answers Probes while
    /// `answers` says so. Returns the states that the machine was in, with the second.
    private static func oneWay(_ rig: inout Rig, until end: Int, answers: (Double) -> Bool) -> [(Int, REAPState)] {
        var states: [(Int, REAPState)] = []
        for second in 0..<end {
            let now = Double(second)
            var effects = rig.run(until: now)
            effects += rig.payloadOut(now).map { (now, $0) }
            effects += rig.handle(.keepaliveReceived, now + 0.5).map { (now + 0.5, $0) }
            for (seconds, effect) in effects {
                guard let probe = effect.probe, let pair = effect.probePair, answers(seconds) else { continue }
                _ = rig.probe(
                    .operational, on: pair.reversed, nonce: UInt32(second), reporting: [probe.sent[0]], now + 0.51)
            }
            states.append((second, rig.machine.state))
        }
        return states
    }

    @Test("Keepalives that anybody can have made do not hide a failure for ever", .requirement("5534-8-05"))
    func forgedKeepalives() throws {
        var rig = Rig()
        let states = Self.oneWay(&rig, until: 400) { $0 < 100 }
        #expect(states.prefix { $0.0 < 100 }.allSatisfy { $0.1 == .operational })
        let end = try #require(states.first { $0.1 != .operational }?.0)
        // Four Send Timeouts until the peer is asked, one until it is no longer believed, and the Send Timeout itself.
        #expect(end <= 100 + 6 * 15 + 3)
    }

    @Test("A peer that only listens answers when it is asked, seldom", .requirement("5534-4.1-14"))
    func genuineKeepalives() {
        var rig = Rig()
        var questions = 0
        let states = Self.oneWay(&rig, until: 300) { _ in
            questions += 1
            return true
        }
        #expect(states.allSatisfy { $0.1 == .operational })
        #expect((1...5).contains(questions))
    }

    @Test("One Probe that reports nothing ends an exploration, the next do not", .requirement("5534-6.8-05"))
    func unprovenProbes() throws {
        var rig = Rig()
        _ = rig.explore()
        _ = rig.probe(.operational, on: pair(b1, a1), nonce: 1, 15.1)
        #expect(rig.machine.state == .operational)
        // Nothing else comes in.
        _ = rig.payloadOut(16)
        var log = rig.run(until: 32)
        #expect(rig.machine.state == .exploring)
        for (index, state) in [ProbeState.operational, .inboundOk, .operational].enumerated() {
            let now = 33 + Double(index)
            let effects = rig.probe(state, on: pair(b1, a1), nonce: UInt32(2 + index), now)
            log += effects.map { (now, $0) }
            #expect(rig.machine.state == .inboundOk)
        }
        // The peer's own word does.
        let sent = try #require(log.last { $0.effect.probePair == pair(a2, b2) || $0.effect.probePair == pair(a1, b1) })
        let report = try #require(sent.effect.probe?.sent.first)
        _ = rig.probe(.operational, on: pair(b1, a1), nonce: 9, reporting: [report], 37)
        #expect(rig.machine.state == .operational)
    }

    @Test("A message of ours that is never answered moves nothing off a pair that works", .requirement("5534-6.2-04"))
    func unansweredMessage() throws {
        var rig = Rig()
        _ = rig.payloadOut(0)
        _ = rig.payloadIn(0.1)
        _ = rig.run(until: 60)
        _ = rig.handle(.otherMessageSent, 60)
        let probe = try #require(rig.run(until: 75.1).map(\.effect).last { $0.probe != nil })
        #expect(probe.probePair == pair(a1, b1))
        let report = try #require(probe.probe?.sent.first)
        let answer = rig.probe(.inboundOk, on: pair(b1, a1), nonce: 3, reporting: [report], 75.2)
        #expect(rig.machine.state == .operational && rig.machine.current == pair(a1, b1))
        #expect(!answer.contains { if case .use = $0 { true } else { false } })
    }
}

/// Own locators that the peer does not know yet.
@Suite struct UntoldLocatorTests {
    private static let a3 = address("2001:db8:a3::1")

    private static func pairs(_ effects: [REAPEffect]) -> [LocatorPair] { effects.compactMap(\.probePair) }

    @Test("They are sources when those that the peer knows have brought nothing", .requirement("5533-7.2-05"))
    func afterTheOthers() {
        var rig = Rig(local: [a1])
        rig.machine.untold = [Self.a3]
        _ = rig.payloadOut(0)
        let order = Self.pairs(rig.run(until: 25).map(\.effect))
        #expect(order.prefix(4) == [pair(a1, b2), pair(a1, b1), pair(Self.a3, b2), pair(Self.a3, b1)])
    }

    @Test("One that comes while all others are dead is tried at once")
    func atOnce() {
        var rig = Rig(local: [a1])
        _ = rig.explore()
        _ = rig.run(until: 120)
        rig.machine.untold = [Self.a3]
        let effects = rig.handle(.locatorsChanged(local: [a1], peer: [b1, b2]), 121)
        #expect(Self.pairs(effects) == [pair(Self.a3, b2)])
        #expect(Self.pairs(rig.run(until: 121.6).map(\.effect)) == [pair(Self.a3, b1)])
    }

    @Test("Payload uses one when the peer has reported a Probe from it", .requirement("5533-7.2-05"))
    func reported() throws {
        var rig = Rig(local: [a1])
        rig.machine.untold = [Self.a3]
        _ = rig.payloadOut(0)
        let probe = try #require(rig.run(until: 25).map(\.effect).last { $0.probePair == pair(Self.a3, b2) }?.probe)
        _ = rig.probe(.inboundOk, on: pair(b2, Self.a3), reporting: [probe.sent[0]], 25.1)
        #expect(rig.machine.current == pair(Self.a3, b2))
    }

    @Test("An answer to another message brings the exploration to its pair")
    func answered() {
        var rig = Rig()
        _ = rig.explore()
        let effects = rig.handle(.otherMessageAnswered(pair(a2, b1)), 15.1)
        #expect(rig.machine.state == .exploring)
        #expect(Self.pairs(effects) == [pair(a2, b1)])
    }

    @Test("One that comes while payload is unanswered has the pair in use asked at once, and nothing else at first")
    func inSilence() throws {
        var rig = Rig(local: [a1])
        _ = rig.payloadOut(0)
        rig.machine.untold = [Self.a3]
        #expect(Self.pairs(rig.handle(.locatorsChanged(local: [a1], peer: [b1, b2]), 0.5)).isEmpty)
        let first = rig.handle(.locatorsChanged(local: [a1], peer: [b1, b2]), 3)
        #expect(Self.pairs(first) == [pair(a1, b1)])
        let probe = try #require(first.compactMap(\.probe).first)
        _ = rig.probe(.inboundOk, on: pair(b1, a1), reporting: [probe.sent[0]], 3.1)
        #expect(rig.machine.state == .operational && rig.machine.current == pair(a1, b1))
    }
}
