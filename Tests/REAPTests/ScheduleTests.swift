import REAP
import Requirements
import Shim6Wire
import Testing

@Suite struct ScheduleTests {
    @Test(
        "Probes go out at 0, 0.5, 1, 1.5 s, then at gaps that double up to 60 s",
        .requirement("5534-4.3-07", "5534-4.3-08", "5534-4.3-09", "5534-4.3-10", "5534-7-01", "5534-7-02"))
    func probeSchedule() {
        var rig = Rig()
        _ = rig.payloadOut(0)
        let sent = rig.run(until: 400).filter { $0.effect.probe != nil }.map { $0.seconds - 15 }
        #expect(
            sent == [0, 0.5, 1, 1.5, 2.5, 4.5, 8.5, 16.5, 32.5, 64.5, 124.5, 184.5, 244.5, 304.5, 364.5])
    }

    @Test("A long exploration sends one Probe a minute and no end", .requirement("5534-9-01", "5534-4.3-11"))
    func longExploration() {
        var rig = Rig()
        _ = rig.explore()
        _ = rig.run(until: 600)
        let probes = rig.run(until: 600 + 3600).filter { $0.effect.probe != nil }
        #expect(probes.count == 60)
        #expect(rig.machine.state == .exploring)
    }

    @Test("Probes take the pairs in turn, one at a time", .requirement("5534-4.3-06", "5534-4.3-05", "5534-6.5-01"))
    func pairsInTurn() {
        var rig = Rig()
        _ = rig.payloadOut(0)
        let log = rig.run(until: 25).filter { $0.effect.probe != nil }
        let pairs = log.map(\.effect.probePair)
        let round = [pair(a2, b2), pair(a1, b2), pair(a2, b1), pair(a1, b1)]
        #expect(pairs == round + round.prefix(3))
        #expect(Set(log.map(\.seconds)).count == log.count)
    }

    @Test("A host with one pair probes that pair again")
    func onlyPair() {
        var rig = Rig(local: [a1], peer: [b1])
        #expect(rig.explore()?.probePair == pair(a1, b1))
        #expect(rig.run(until: 15.5).map(\.effect.probePair).contains(pair(a1, b1)))
    }

    @Test(
        "A sign that packets arrive starts the schedule anew; falling back does not", arguments: [false, true])
    func scheduleAfterEvidence(fallsBack: Bool) {
        var rig = Rig()
        _ = rig.explore()
        _ = rig.run(until: 15 + 70)
        _ = rig.handle(.keepaliveReceived, 85)
        #expect(rig.machine.state == .inboundOk)
        let times = rig.run(until: fallsBack ? 110 : 95).filter { $0.effect.probe != nil }.map { $0.seconds - 85 }
        #expect(
            times
                == (fallsBack ? [0.5, 1, 1.5, 2.5, 4.5, 8.5, 15, 15 + 16] : [0.5, 1, 1.5, 2.5, 4.5, 8.5]).filter {
                    $0 <= 25
                })
    }

    @Test("Jitter shortens gaps between Probes by at most its share", .requirement("5534-4.1-17"), arguments: 0..<20)
    func probeJitter(seed: UInt64) {
        var rig = Rig(REAPConfiguration(jitterPermille: 100), seed: seed)
        _ = rig.payloadOut(0)
        let times = rig.run(until: 400).filter { $0.effect.probe != nil }.map(\.seconds)
        #expect((15...16.5).contains(times[0]))
        let gaps = zip(times.dropFirst(), times).map { $0.0 - $0.1 }
        for (number, gap) in gaps.enumerated() {
            let nominal = Double(REAPConfiguration.exact.probeGap(after: number + 1).wholeNanoseconds) / 1e9
            #expect(gap > nominal * 0.899 && gap < nominal * 1.0001)
        }
        #expect(zip(gaps.dropFirst(4), gaps.dropFirst(3)).allSatisfy { $0.0 > $0.1 - 1e-6 })
    }

    @Test("Jitter differs from machine to machine", .requirement("5534-4.1-17"))
    func jitterSpreads() {
        let expiries = (0..<20).map { (seed: UInt64) in
            var rig = Rig(REAPConfiguration(), seed: seed)
            _ = rig.payloadOut(0)
            return rig.run(until: 20).first { $0.effect.probe != nil }?.seconds
        }
        #expect(Set(expiries).count > 10)
    }

    @Test("Timer values follow their configuration", .requirement("5534-7-03", "5534-7-04", "5534-7-06"))
    func configuredTimeouts() {
        #expect(REAPConfiguration().sendTimeout == .seconds(15))
        #expect(REAPConfiguration().keepaliveTimeout == .seconds(15))
        var rig = Rig()
        var configuration = REAPConfiguration.exact
        _ = rig.payloadOut(0)
        configuration.sendTimeout = .seconds(1)
        _ = rig.handle(.configured(configuration), 0.25)
        #expect(rig.run(until: 1.1).first { $0.effect.probe != nil }?.seconds == 1)
    }

    @Test("A back-off factor of one and a cap below the first gap still end", arguments: [1, 2, 1000])
    func gapsAlwaysEnd(factor: Int) {
        let configuration = REAPConfiguration(
            initialProbeTimeout: .seconds(2), maxProbeTimeout: .seconds(1), backoffFactor: factor)
        #expect(configuration.probeGap(after: .max) == .seconds(1))
        #expect(REAPConfiguration(backoffFactor: factor).probeGap(after: 100_000) <= .seconds(60))
    }

    private func gaps(_ rig: inout Rig, from start: Double, until end: Double, payloadEvery interval: Double?)
        -> [Double]
    {
        var times: [Double] = []
        var now = start
        while now < end {
            if interval != nil { _ = rig.payloadOut(now) }
            let next = min(now + (interval ?? end), end)
            times += rig.run(until: next).filter { $0.effect.probe != nil }.map(\.seconds)
            now = next
        }
        return zip(times, times.dropFirst()).map { $1 - $0 }
    }

    @Test("In the profile fast each locator has a Probe in five seconds, as long as payload waits")
    func waitingPayload() throws {
        var rig = Rig(QuickDetectionTests.fast)
        let waiting = gaps(&rig, from: 0, until: 600, payloadEvery: 100)
        #expect(waiting.count > 200 && waiting.allSatisfy { $0 <= 2.51 })
        let idle = gaps(&rig, from: 600, until: 1800, payloadEvery: nil)
        #expect(idle.contains { $0 > 59 })
        // Payload goes out again while the next Probe is far away.
        _ = rig.run(until: 1801)
        _ = rig.payloadOut(1801)
        #expect(try #require(rig.machine.deadline(of: .probe)) <= at(1803.5))
        #expect(rig.run(until: 1900).filter { $0.effect.probe != nil }.count > 30)
    }

    @Test("With the RFC's timers the same is so for two minutes after locators have changed")
    func hopefulPayload() {
        var rig = Rig()
        let before = gaps(&rig, from: 0, until: 300, payloadEvery: 1)
        #expect(before.contains { $0 > 59 })
        _ = rig.handle(.locatorsChanged(local: [a1, a2], peer: [b1, b2]), 301)
        let after = gaps(&rig, from: 301, until: 420, payloadEvery: 1)
        #expect(after.count > 40 && after.allSatisfy { $0 <= 2.51 })
        #expect(gaps(&rig, from: 430, until: 800, payloadEvery: 1).contains { $0 > 59 })
        // Nobody waits.
        var idle = Rig()
        _ = idle.explore()
        _ = idle.run(until: 300)
        _ = idle.handle(.locatorsChanged(local: [a1, a2], peer: [b1, b2]), 301)
        #expect(idle.run(until: 420).filter { $0.effect.probe != nil }.count < 5)
    }
}
