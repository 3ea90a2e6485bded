import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Retransmission and giving up")
struct RetransmissionTests {
    @Test(
        "Any one lost message of the exchange is made good", arguments: [MessageType.i1, .r1, .i2, .r2])
    func lostMessage(_ type: MessageType) {
        let pair = Pair()
        var isLost = false
        pair.fate = { sent in
            guard sent.type == type, !isLost else { return .deliver }
            isLost = true
            return .drop
        }
        pair.trigger()
        pair.run(for: .seconds(7))
        #expect(isLost)
        #expect(pair.a.state == .established)
        #expect(pair.b.state == .established)
        #expect(pair.a.context?.peerTag == pair.b.context?.localTag)
        #expect(pair.b.context?.peerTag == pair.a.context?.localTag)
    }

    @Test(
        "I1 goes out five times, each wait doubled and randomised, and then the context fails",
        .requirement(
            "5533-7.8-01", "5533-7.8-02", "5533-7.8-03", "5533-7.8-04", "5533-7.8-05", "5533-14-12"),
        arguments: 1...20 as ClosedRange<UInt64>)
    func i1Schedule(seed: UInt64) {
        let pair = Pair(seed: seed)
        pair.fate = { _ in .drop }
        pair.trigger()
        pair.run(for: .seconds(200))
        let times = pair.sent(.i1, by: .a).map(\.at)
        #expect(times.count == 5)
        for (index, (earlier, later)) in zip(times, times.dropFirst()).enumerated() {
            let nominal = Duration.seconds(4 << index)
            #expect(later - earlier >= nominal / 2 && later - earlier <= nominal * 1.5)
        }
        #expect(Set(zip(times, times.dropFirst()).map { $1 - $0 }).count == 4)
        let failed = pair.a.notices.first {
            if case .state(_, to: .eFailed, _) = $0.kind { true } else { false }
        }
        let wait = (failed?.at ?? .seconds(0)) - (times.last ?? .seconds(0))
        #expect(wait >= .seconds(32) && wait <= .seconds(96))
    }

    @Test("All I1 messages of one exchange are the same", .requirement("5533-5.4-08"))
    func sameI1() {
        let pair = Pair()
        pair.fate = { _ in .drop }
        pair.trigger()
        pair.run(for: .seconds(60))
        #expect(pair.log.count > 2)
        #expect(Set(pair.log.map(\.packet.octets)).count == 1)
    }

    @Test(
        "The failed context goes away after NO_R1_HOLDDOWN_TIME and does not come back by itself",
        .requirement("5533-7.8-06", "5533-B-13", "5533-B-41", "5533-14-03", "5533-6.2-07"))
    func holddownEnds() throws {
        let pair = Pair()
        pair.fate = { _ in .drop }
        pair.trigger()
        while pair.a.state == .i1Sent { pair.run(for: .milliseconds(100)) }
        #expect(pair.a.state == .eFailed)
        #expect(pair.a.entries.isEmpty)
        #expect(pair.a.context?.slot == nil)
        pair.trigger()
        #expect(pair.sent(.i1).count == 5)
        pair.run(for: .milliseconds(59_800))
        #expect(pair.a.state == .eFailed)
        pair.run(for: .milliseconds(300))
        #expect(pair.a.host.contexts.isEmpty)
        #expect(pair.a.forgotten == [.atA])
        pair.run(for: .seconds(3600))
        #expect(pair.sent(.i1).count == 5)
        #expect(pair.a.nextDeadline == nil)
        pair.trigger()
        #expect(pair.sent(.i1).count == 6)
    }

    @Test("An operator is not held back by a failure")
    func operatorOverrides() {
        let pair = Pair()
        pair.fate = { _ in .drop }
        pair.trigger()
        pair.run(for: .seconds(190))
        #expect(pair.a.state == .eFailed)
        pair.fate = { _ in .deliver }
        pair.post(.establish(.atA), to: .a)
        pair.run(for: .seconds(1))
        #expect(pair.a.state == .established)
        #expect(pair.a.host.counters.holddowns.used == 0)
    }

    @Test(
        "I2 is repeated twice, then I1 is sent again",
        .requirement(
            "5533-7.12-01", "5533-7.12-02", "5533-7.12-03", "5533-B-22", "5533-14-06", "5533-B.1-02"),
        arguments: 1...10 as ClosedRange<UInt64>)
    func i2Schedule(seed: UInt64) {
        let pair = Pair(seed: seed)
        pair.fate = { $0.type == .i2 ? .drop : .deliver }
        pair.trigger()
        while pair.sent(.i1).count < 2 { pair.run(for: .milliseconds(10)) }
        let times = pair.sent(.i2).map(\.at)
        #expect(times.count == 3)
        #expect(Set(pair.sent(.i2).map(\.packet.octets)).count == 1)
        for (index, (earlier, later)) in zip(times, times.dropFirst()).enumerated() {
            let nominal = Duration.seconds(4 << index)
            #expect(later - earlier >= nominal / 2 && later - earlier <= nominal * 1.5)
        }
        #expect(pair.a.state == .i1Sent)
    }

    @Test(
        "A peer that answers I1 but never I2 does not keep the exchange going for ever",
        .requirement("5533-14-01", "5533-14-06"))
    func neverR2() {
        let pair = Pair()
        pair.fate = { $0.type == .i2 ? .drop : .deliver }
        pair.trigger()
        pair.run(for: .seconds(900))
        #expect(pair.sent(.i1).count == 5)
        #expect(pair.sent(.i2).count == 15)
        #expect(pair.a.host.contexts.isEmpty)
    }

    @Test(
        "An R2 that comes after the fall-back to I1 still establishes the context",
        .requirement("5533-7.16-03"))
    func lateR2() {
        let pair = Pair()
        var r2: Node.Packet?
        pair.fate = { sent in
            if sent.type == .r2, sent.by == .b { r2 = sent.packet }
            return sent.type == .r2 || (sent.type == .i1 && r2 != nil) ? .drop : .deliver
        }
        pair.trigger()
        while pair.a.state != .i1Sent || r2 == nil { pair.run(for: .milliseconds(10)) }
        if let r2 { pair.deliver(r2, to: .a) }
        #expect(pair.a.state == .established)
    }

    @Test(
        "A retransmitted I2 or I1 is answered by the same R2",
        .requirement("5533-7.13-21", "5533-7.14-06", "5533-7.4-04"))
    func lostR2() {
        let pair = Pair()
        pair.fate = { $0.type == .r2 ? .drop : .deliver }
        pair.trigger()
        while pair.sent(.i1).count < 2 { pair.run(for: .milliseconds(10)) }
        pair.run(for: .milliseconds(100))
        // Three I2, one I1, and I2 again in answer to B's Probes, which find no answer.
        #expect(pair.sent(.r2).count == pair.sent(.i2).count + 1)
        #expect(Set(pair.sent(.r2).map(\.packet.octets)).count == 1)
        #expect(pair.b.host.contexts.count == 1)
        #expect(pair.sent(.r1).count == 1)
        #expect(pair.b.verifier.looks == 1)
    }

    @Test("A timer that fires before its time or for nobody has no effect")
    func strayTimers() throws {
        let pair = Pair()
        pair.fate = { _ in .drop }
        pair.trigger()
        let tag = try #require(pair.a.context?.localTag)
        pair.post(.timer(.context(tag)), to: .a)
        pair.post(.timer(.context(ContextTag(truncating: 1))), to: .a)
        for timer in REAPTimer.allCases {
            pair.post(.timer(.reap(tag, timer)), to: .a)
            pair.post(.timer(.reap(ContextTag(truncating: 1), timer)), to: .a)
        }
        #expect(pair.log.count == 1)
        #expect(pair.a.state == .i1Sent)
    }
}
