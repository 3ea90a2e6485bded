import REAP
import Requirements
import Shim6Wire
import Testing

/// The fast profile: silence after dense traffic, checked on the pair in use before any other is tried.
@Suite struct QuickDetectionTests {
    static let fast = REAPConfiguration(
        sendTimeout: .milliseconds(250), peerSendTimeout: .milliseconds(250), isFinelyAgreed: true,
        quick: QuickDetection(), roundTrip: .milliseconds(2), jitterPermille: 0)

    /// Packets both ways every `spacing` seconds from 0 on; the last packet in comes at `end`.
    private func talk(_ rig: inout Rig, every spacing: Double, until end: Double) {
        var now = 0.0
        while now <= end {
            _ = rig.run(until: now)
            _ = rig.payloadOut(now)
            _ = rig.payloadIn(now)
            now += spacing
        }
    }

    /// Packets out into the silence, and the Probes that come of it.
    private func silence(
        _ rig: inout Rig, every spacing: Double, from start: Double, for length: Double
    ) -> [(seconds: Double, pair: LocatorPair?)] {
        var log: [(seconds: Double, effect: REAPEffect)] = []
        var now = start
        while now < start + length {
            _ = rig.payloadOut(now)
            log += rig.run(until: now + spacing)
            now += spacing
        }
        return log.filter { $0.effect.probe != nil }.map { ($0.seconds, $0.effect.probePair) }
    }

    @Test("Silence after dense traffic is checked three times on the pair in use, then others are tried")
    func silenceIsChecked() throws {
        var rig = Rig(Self.fast)
        talk(&rig, every: 0.004, until: 1)
        let probes = silence(&rig, every: 0.004, from: 1.004, for: 0.1)
        let first = try #require(probes.first).seconds
        #expect((1.034...1.07).contains(first))
        #expect(probes.prefix(5).map(\.pair) == [pair(a1, b1), pair(a1, b1), pair(a1, b1), pair(a2, b2), pair(a1, b2)])
        let gaps = zip(probes.dropFirst(), probes).prefix(4).map { $0.0.seconds - $0.1.seconds }
        // Three round-trip times are less than the least gap; after the fourth Probe it doubles.
        #expect(zip(gaps, [0.01, 0.01, 0.01, 0.02]).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    @Test("The gaps between the first Probes follow the round-trip time, up to Initial Probe Timeout")
    func gapsFollowRoundTrip() {
        #expect(Self.fast.probeGap(after: 1, roundTrip: .milliseconds(20)) == .milliseconds(60))
        #expect(Self.fast.probeGap(after: 1, roundTrip: .seconds(2)) == .milliseconds(500))
        #expect(Self.fast.probeGap(after: 1, roundTrip: nil) == .milliseconds(500))
        #expect(REAPConfiguration().probeGap(after: 1, roundTrip: .milliseconds(1)) == .milliseconds(500))
    }

    /// Two contexts of the same hosts for 50 s: packets every 5 ms, and one a second.
    @Test(
        "Lost packets and stopped daemons look like failures, and move nothing",
        arguments: [42, 53, 90] as [UInt64])
    func lossAndStops(seed: UInt64) {
        let paths: [TwoHosts.Host: SharedPaths] = [.a: SharedPaths(), .b: SharedPaths()]
        var dense = TwoHosts(configuration: Self.fast, paths: paths, seed: seed)
        var sparse = TwoHosts(
            aSends: pair(a2, b2), bSends: pair(b2, a2), configuration: Self.fast, paths: paths, seed: seed + 1000)
        func pass(_ seconds: Double, stopped: Set<TwoHosts.Host>) {
            (dense.stopped, sparse.stopped) = (stopped, stopped)
            // Nobody has a processor while both are stopped.
            let talks = stopped.count < 2
            for _ in 0..<Int(seconds * 100) {
                let next = dense.seconds + 0.01
                dense.run(until: next, payloadFrom: talks ? [.a, .b] : [], every: 0.005)
                switch Int((next * 100).rounded()) % 100 {
                case 50 where talks: sparse.payload(from: .a)
                case 51 where talks: sparse.payload(from: .b)
                default: break
                }
                sparse.run(until: next)
            }
        }
        pass(2, stopped: [])
        (dense.lossPermille, sparse.lossPermille) = (20, 20)
        for stopped in [[.a], [.a, .b], [.b], [.a, .b]] + [[.a], [.a, .b], [.b], [.a, .b]] + [[.a], [.b]]
            as [Set<TwoHosts.Host>]
        {
            pass(2, stopped: [])
            pass(3, stopped: stopped)
        }
        #expect(dense.current(.a) == pair(a1, b1) && dense.current(.b) == pair(b1, a1))
        #expect(sparse.current(.a) == pair(a2, b2) && sparse.current(.b) == pair(b2, a2))
    }

    @Test("One packet that is not answered is no silence")
    func oneUnansweredPacket() {
        var rig = Rig(Self.fast)
        talk(&rig, every: 0.004, until: 1)
        _ = rig.payloadOut(1.004)
        #expect(rig.run(until: 1.2).allSatisfy { $0.effect.probe == nil })
    }

    @Test("An answer on the pair in use ends it without a switch, and the next silence must be twice as long")
    func falseAlarm() throws {
        var rig = Rig(Self.fast)
        talk(&rig, every: 0.004, until: 1)
        func firstProbe(after start: Double) throws -> Double {
            var now = start
            while rig.machine.state == .operational, now < start + 0.5 {
                _ = rig.payloadOut(now)
                let probes = rig.run(until: now + 0.004).compactMap { $0.effect.probe == nil ? nil : $0 }
                if let probe = probes.first?.effect.probe, let own = probe.sent.first {
                    _ = rig.probe(
                        .inboundOk, on: pair(b1, a1), nonce: UInt32(now * 1000), reporting: [own], now + 0.004)
                    return probes[0].seconds - start
                }
                now += 0.004
            }
            throw NoProbe()
        }
        let first = try firstProbe(after: 1.004)
        #expect(rig.machine.state == .operational && rig.machine.current == pair(a1, b1))
        _ = rig.payloadIn(1.1)
        let second = try firstProbe(after: 1.104)
        #expect(first < 0.04 && second > 0.055 && second < 0.12)
    }

    @Test("Sparse return traffic, or a peer that says no milliseconds, gets a Send Timeout of a second")
    func leastSendTimeout() throws {
        var sparse = Rig(Self.fast)
        talk(&sparse, every: 0.2, until: 4)
        #expect((4.99...5.21).contains(try #require(silence(&sparse, every: 0.2, from: 4.2, for: 2).first).seconds))
        var configuration = Self.fast
        configuration.isFinelyAgreed = false
        var alone = Rig(configuration)
        talk(&alone, every: 0.004, until: 1)
        #expect((2.0...2.01).contains(try #require(silence(&alone, every: 0.004, from: 1.004, for: 2).first).seconds))
    }

    @Test(
        "A hint starts an exploration whose first Probe takes the pair in use", .requirement("5534-8-02", "5534-3.3-05")
    )
    func hint() {
        var rig = Rig(Self.fast)
        talk(&rig, every: 0.004, until: 1)
        #expect(rig.handle(.hint(.unreachable), 1.003).allSatisfy { $0.probe == nil })
        _ = rig.payloadOut(1.004)
        let effects = rig.handle(.hint(.unreachable), 1.005)
        #expect(effects.compactMap(\.probePair) == [pair(a1, b1)])
        #expect(rig.machine.state == .exploring && rig.machine.current == pair(a1, b1))
        // Another one changes nothing.
        #expect(rig.handle(.hint(.unreachable), 1.006).allSatisfy { $0.probe == nil })
    }

    @Test(
        "Forged errors without end cost a Probe now and then, ever less often, and move nothing",
        .requirement("5534-8-01", "5534-3.3-05"))
    func forgedErrors() throws {
        var rig = Rig(Self.fast)
        talk(&rig, every: 0.004, until: 1)
        var probes: [Double] = []
        for step in 0..<2500 {
            let now = 1.004 + Double(step) * 0.004
            _ = rig.payloadOut(now)
            for probe in rig.handle(.hint(.unreachable), now + 0.001).compactMap(\.probe) {
                probes.append(now)
                _ = rig.probe(
                    .inboundOk, on: pair(b1, a1), nonce: UInt32(step), reporting: [try #require(probe.sent.first)],
                    now + 0.002)
            }
            _ = rig.payloadIn(now + 0.003)
            _ = rig.run(until: now + 0.0035)
        }
        #expect((2...8).contains(probes.count), "\(probes)")
        #expect(zip(probes, probes.dropFirst()).allSatisfy { $1 - $0 > 0.25 })
        #expect(rig.machine.state == .operational && rig.machine.current == pair(a1, b1))
    }

    @Test("A retransmission soon after the last packet in is no hint")
    func retransmission() {
        var rig = Rig(Self.fast)
        talk(&rig, every: 0.004, until: 1)
        _ = rig.payloadOut(1.004)
        #expect(rig.handle(.hint(.retransmission), 1.008).allSatisfy { $0.probe == nil })
        #expect(!rig.handle(.hint(.retransmission), 1.024).compactMap(\.probe).isEmpty)
    }

    @Test("Without the fast profile hints mean nothing", .requirement("5534-8-01"), arguments: REAPHint.allCases)
    func noHints(hint: REAPHint) {
        var rig = Rig()
        _ = rig.payloadOut(0)
        #expect(rig.handle(.hint(hint), 1).allSatisfy { $0.probe == nil })
        #expect(rig.machine.state == .operational)
    }

    private struct NoProbe: Error {}
}
