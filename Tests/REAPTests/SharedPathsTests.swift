import REAP
import Requirements
import Shim6Wire
import Testing

/// What one context learns helps the others, and all keep within one budget.
@Suite struct SharedPathsTests {
    /// A second context of the same host, which uses the same pair.
    private func twoContexts(_ configuration: REAPConfiguration = QuickDetectionTests.fast) -> (Rig, Rig) {
        let first = Rig(configuration, seed: 1)
        var second = Rig(configuration, seed: 2)
        second.paths = first.paths
        return (first, second)
    }

    private func fail(_ rig: inout Rig, at start: Double) -> [LocatorPair] {
        _ = rig.payloadOut(start)
        return rig.run(until: start + 15.1).compactMap(\.effect.probePair)
    }

    @Test("What worked for one context is the first that another tries, without asking the failed pair again")
    func sharedResult() throws {
        var (first, second) = twoContexts(.exact)
        // Nothing but (A1, B2) works.
        let sent = { (rig: inout Rig) in rig.run(until: 15.6).compactMap { $0.effect.probe?.sent.first } }
        _ = first.payloadOut(0)
        let probes = sent(&first)
        #expect(probes.map { pair($0.source, $0.destination) } == [pair(a2, b2), pair(a1, b2)])
        _ = first.probe(.inboundOk, on: pair(b2, a1), reporting: [probes[1]], 15.7)
        #expect(first.machine.current == pair(a1, b2))
        #expect(fail(&second, at: 1).first == pair(a1, b2))
    }

    @Test("It only orders: after half a minute nothing of it is left, and no pair is ever left out")
    func onlyOrders() {
        var (first, second) = twoContexts(.exact)
        _ = fail(&first, at: 0)
        let probe = first.handle(.timer(.probe), 15.5).compactMap(\.probe).first
        _ = first.probe(.inboundOk, on: pair(b2, a1), reporting: probe.map { [$0.sent[0]] } ?? [], 15.6)
        _ = second.payloadOut(31)
        let pairs = second.run(until: 31 + 15 + 2).compactMap(\.effect.probePair)
        #expect(pairs == [pair(a2, b2), pair(a1, b2), pair(a2, b1), pair(a1, b1)])
    }

    @Test("A ranking comes before everything but the failed pair")
    func ranking() {
        var rig = Rig()
        rig.paths.ranking = [pair(a2, b1): 0, pair(a1, b1): 1]
        _ = rig.payloadOut(0)
        let pairs = rig.run(until: 17).compactMap(\.effect.probePair)
        #expect(pairs == [pair(a2, b1), pair(a2, b2), pair(a1, b2), pair(a1, b1)])
    }

    @Test("A thousand contexts on one dead uplink keep within the budget, each gets its turn, those with traffic first")
    func budget() throws {
        let paths = SharedPaths(probesPerSecond: 500)
        var busy: [Double] = []
        var idle: [Double] = []
        for index in 0..<1000 {
            var rig = Rig(seed: UInt64(index + 1))
            rig.paths = paths
            // Every tenth has seen no packet for long.
            let isBusy = index % 10 != 0
            if isBusy { _ = rig.payloadOut(99) }
            let effects = rig.handle(.locatorsChanged(local: [a2], peer: [b1, b2]), 100)
            let deadline = try #require(rig.machine.deadline(of: .probe)).seconds
            let time = effects.contains { $0.probe != nil } ? 100 : deadline
            if time > 100 {
                let later = rig.handle(.timer(.probe), deadline)
                #expect(later.contains { $0.probe != nil } == isBusy)
            }
            if isBusy { busy.append(time) } else { idle.append(time) }
        }
        #expect(busy.allSatisfy { $0 < 102 })
        for (earlier, later) in zip(busy, busy.dropFirst(100)) { #expect(later - earlier > 0.14) }
        #expect(idle.filter { $0 > 100.5 }.count > 90)
    }
}
