import REAP
import Requirements
import Shim6Wire
import Testing

@Suite struct KeepaliveTests {
    private func keepalives(_ log: [(seconds: Double, effect: REAPEffect)]) -> [Double] {
        log.filter { $0.effect.keepalivePair != nil }.map(\.seconds)
    }

    @Test(
        "After one incoming packet Keepalives go out every interval until Keepalive Timeout",
        .requirement("5534-4.1-13", "5534-6.1-09", "5534-6.3-01", "5534-4.1-16", "5534-7-05"))
    func afterOnePacket() {
        var rig = Rig()
        _ = rig.payloadIn(100)
        let log = rig.run(until: 1000)
        #expect(keepalives(log) == [105, 110, 115])
        #expect(REAPTimer.allCases.allSatisfy { rig.machine.deadline(of: $0) == nil })
    }

    @Test("A steady one-way stream in does not put Keepalives off", .requirement("5534-4.1-11", "5534-6.1-01"))
    func steadyStreamIn() {
        var rig = Rig()
        var times: [Double] = []
        for tick in 0..<600 {
            let now = Double(tick) / 10
            times += keepalives(rig.run(until: now))
            _ = rig.payloadIn(now)
        }
        // The timer of the first 15 s ends with its Keepalive at 15 s; the next packet in starts it again.
        let expected = [5.0, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55]
        #expect(times.count == expected.count)
        #expect(zip(times, expected).allSatisfy { abs($0 - $1) < 0.5 })
    }

    @Test("Traffic both ways makes no REAP message", .requirement("5534-4.1-04", "5534-4.1-14", "5534-A-02"))
    func bothWays() {
        var rig = Rig()
        for tick in 0..<100 {
            let now = Double(tick) * 4
            let log = rig.run(until: now)
            #expect(log.allSatisfy { $0.effect.probe == nil && $0.effect.keepalivePair == nil })
            _ = rig.payloadIn(now)
            _ = rig.payloadOut(now + 3)
        }
    }

    @Test("An idle context sends nothing and arms nothing", .requirement("5534-4.1-03", "5534-A-01", "5534-3.5-02"))
    func idle() {
        var rig = Rig()
        #expect(rig.run(until: 100_000).isEmpty)
        _ = rig.payloadIn(100_000)
        _ = rig.payloadOut(100_001)
        _ = rig.payloadIn(100_002)
        _ = rig.run(until: 100_017)
        #expect(rig.run(until: 200_000).isEmpty)
    }

    @Test("An outgoing packet stops Keepalives", .requirement("5534-6.2-01", "5534-4.1-09"))
    func outgoingStops() {
        var rig = Rig()
        _ = rig.payloadIn(0)
        #expect(keepalives(rig.run(until: 6)) == [5])
        _ = rig.payloadOut(6)
        #expect(keepalives(rig.run(until: 20.9)) == [])
    }

    @Test("Keepalives take the current pair", .requirement("5534-6.1-10"))
    func currentPair() {
        var rig = Rig(current: pair(a2, b1))
        _ = rig.payloadIn(0)
        #expect(rig.run(until: 5).compactMap(\.effect.keepalivePair) == [pair(a2, b1)])
    }

    @Test(
        "Keepalives keep to the peer's announced Send Timeout", .requirement("5534-7-04", "5534-5.3-05", "5534-5.3-06"))
    func announcedTimeout() {
        var rig = Rig()
        var configuration = REAPConfiguration.exact
        configuration.peerSendTimeout = .seconds(30)
        _ = rig.handle(.configured(configuration), 0)
        _ = rig.payloadIn(0)
        #expect(keepalives(rig.run(until: 100)) == [10, 20, 30])
        configuration.peerSendTimeout = .seconds(3)
        _ = rig.handle(.configured(configuration), 100)
        _ = rig.payloadIn(100)
        #expect(keepalives(rig.run(until: 200)) == [101, 102, 103])
    }

    @Test("A shorter announced timeout holds for a timer that runs")
    func announcedWhileRunning() {
        var rig = Rig()
        _ = rig.payloadIn(0)
        var configuration = REAPConfiguration.exact
        configuration.peerSendTimeout = .seconds(3)
        _ = rig.handle(.configured(configuration), 0.5)
        #expect(keepalives(rig.run(until: 100)) == [1, 2, 3])
    }

    @Test(
        "Keepalive Interval stays between a third and a half", .requirement("5534-4.1-16", "5534-7-05"),
        arguments: 0..<20)
    func intervalWithJitter(seed: UInt64) {
        var rig = Rig(REAPConfiguration(), seed: seed)
        _ = rig.payloadIn(0)
        let times = keepalives(rig.run(until: 100))
        #expect((5...7.5).contains(times[0]))
        #expect((5...7.5).contains(times[1] - times[0]))
        #expect(times.last == 15)
    }

    @Test("A peer that announces no time at all does not make Keepalives endless")
    func zeroTimeout() {
        var rig = Rig(REAPConfiguration(peerSendTimeout: .zero, jitterPermille: 0))
        _ = rig.payloadIn(0)
        #expect(keepalives(rig.run(until: 1)).count == 3)
    }
}
