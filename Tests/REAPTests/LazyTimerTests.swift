import REAP
import Requirements
import Shim6Wire
import Testing

@Suite struct LazyTimerTests {
    @Test(
        "The Send Timer counts from the first packet out after the last packet in",
        .requirement("5534-4.1-07", "5534-4.1-08", "5534-4.1-15"))
    func sendTimerIsExact() {
        var rig = Rig()
        _ = rig.payloadOut(0)
        _ = rig.payloadIn(3)
        _ = rig.run(until: 7)
        for tick in 0..<40 { _ = rig.payloadOut(7 + Double(tick) * 0.2) }
        let probe = rig.run(until: 100).first { $0.effect.probe != nil }
        #expect(probe?.seconds == 22)
        #expect(probe?.effect.probe?.state == .exploring)
    }

    @Test("Steady traffic both ways costs a few wake-ups and no notification")
    func wakeUpsAreRare() {
        var rig = Rig()
        var notified = 0
        var woken = 0
        for tick in 0..<10_000 {
            let now = Double(tick) / 100
            woken += rig.run(until: now).count
            if !rig.payloadIn(now).isEmpty { notified += 1 }
            if !rig.payloadOut(now).isEmpty { notified += 1 }
        }
        #expect(notified == 1)
        #expect(woken <= 45)
    }

    @Test("Without an armed timer both notifications are asked for")
    func notificationsWhileIdle() {
        var rig = Rig()
        #expect(rig.stamps.notifyIn && rig.stamps.notifyOut)
        _ = rig.payloadIn(1)
        #expect(rig.machine.deadline(of: .keepalive) == at(6))
        _ = rig.run(until: 16)
        #expect(rig.stamps.notifyIn && rig.stamps.notifyOut)
        #expect(rig.machine.deadline(of: .keepalive) == nil)
        #expect(rig.payloadOut(17).contains(.arm(.send, at: at(32))))
    }

    @Test("Packets that pass while a notification is asked for are not missed")
    func packetsBeforeTheRequest() {
        var rig = Rig()
        _ = rig.payloadOut(0)
        rig.stamps.passing = { _ = $0.stampOut(at: at(5)) }
        let effects = rig.handle(.keepaliveReceived, 5)
        #expect(rig.stamps.sendStart == at(5))
        #expect(!effects.contains(.cancel(.send)))
        #expect(rig.run(until: 20).contains { $0.effect.probe != nil && $0.seconds == 20 })
    }

    @Test(
        "In Exploring the next packet in is always reported, and moves the state at once", .requirement("5534-6.1-02"))
    func notificationWhileExploring() {
        var rig = Rig()
        _ = rig.explore()
        #expect(rig.stamps.notifyIn)
        _ = rig.payloadOut(15.1)
        #expect(rig.machine.deadline(of: .send) == nil)
        let effects = rig.payloadIn(15.2)
        #expect(effects.contains(.changed(from: .exploring, to: .inboundOk, .payloadReceived)))
        #expect(rig.machine.deadline(of: .send) == at(30.2))
    }

    @Test("A report of a packet from before the exploration is no evidence")
    func staleNotification() {
        var rig = Rig()
        _ = rig.payloadIn(1)
        _ = rig.payloadOut(1)
        _ = rig.run(until: 16)
        #expect(rig.machine.state == .exploring)
        _ = rig.handle(.payloadReceived, 16.1)
        #expect(rig.machine.state == .exploring)
    }

    @Test("Payload from InboundOk is no evidence after falling back to Exploring")
    func staleAfterFallingBack() {
        var rig = Rig()
        _ = rig.probe(.exploring, on: pair(b1, a1), 1)
        _ = rig.payloadIn(1.25)
        // Started again by the Probe at 1.5 s.
        _ = rig.run(until: 16.5)
        #expect(rig.machine.state == .exploring)
    }

    @Test("Payload that came in just before the data path was asked is evidence")
    func payloadBesideTheRequest() {
        var rig = Rig()
        _ = rig.explore()
        _ = rig.stamps.stampIn(at: at(15.1))
        _ = rig.handle(.timer(.probe), 15.5)
        #expect(rig.machine.state == .inboundOk)
    }

    @Test("A late timer raises no alarm when the stamps show traffic")
    func lateTimerWithTraffic() {
        var rig = Rig()
        _ = rig.payloadOut(0)
        _ = rig.stamps.stampIn(at: at(14))
        _ = rig.stamps.stampOut(at: at(29))
        _ = rig.handle(.timer(.send), 30)
        #expect(rig.machine.state == .operational)
        #expect(rig.machine.deadline(of: .send) == at(44))
    }

    @Test("A very late timer waits once for packets that the stall held up")
    func stall() {
        var rig = Rig()
        _ = rig.payloadOut(0)
        _ = rig.handle(.timer(.send), 40)
        #expect(rig.machine.state == .operational)
        #expect(rig.machine.deadline(of: .send) == at(43.75))
        var waiting = rig
        _ = waiting.handle(.keepaliveReceived, 40.1)
        #expect(waiting.run(until: 100).allSatisfy { $0.effect.probe == nil })
    }

    @Test("A stall puts an alarm off once, not for ever")
    func stallOnlyOnce() {
        var rig = Rig()
        _ = rig.payloadOut(0)
        _ = rig.handle(.timer(.send), 40)
        #expect(rig.machine.state == .operational)
        _ = rig.handle(.timer(.send), 80)
        #expect(rig.machine.state == .exploring)
    }

    @Test("Timers that fire early or twice change nothing")
    func earlyTimers() {
        var rig = Rig()
        _ = rig.payloadOut(0)
        for timer in REAPTimer.allCases {
            _ = rig.handle(.timer(timer), 1)
            _ = rig.handle(.timer(timer), 1)
        }
        #expect(rig.machine.state == .operational)
        #expect(rig.machine.deadline(of: .send) == at(15))
        _ = rig.run(until: 15)
        #expect(rig.handle(.timer(.probe), 15.2).allSatisfy { $0.probe == nil })
        #expect(rig.machine.deadline(of: .probe) == at(15.5))
    }

    @Test("The two timers of the stamps never run together", .requirement("5534-4.1-09"), arguments: 0..<50)
    func exclusive(seed: UInt64) {
        var rig = Rig(seed: seed)
        var dice = SeededGenerator(seed: seed)
        var now = 0.0
        for _ in 0..<300 {
            now += Double.random(in: 0...3, using: &dice)
            _ = rig.run(until: now)
            switch Int.random(in: 0..<5, using: &dice) {
            case 0: _ = rig.payloadIn(now)
            case 1: _ = rig.payloadOut(now)
            case 2: _ = rig.handle(.keepaliveReceived, now)
            case 3: _ = rig.handle(.otherMessageReceived, now)
            default: _ = rig.handle(.otherMessageSent, now)
            }
            #expect(!(rig.canExpire(.send) && rig.canExpire(.keepalive)))
        }
    }
}
