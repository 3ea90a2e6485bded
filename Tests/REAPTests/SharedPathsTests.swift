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

    /// A context with a peer of its own, whose traffic stops without an answer at `silence`, and the Probes that it sends
    /// until the peer reports one, as it does on pairs where it `works`.
    private func probesAfterSilence(
        _ number: UInt64, _ paths: SharedPaths, at silence: Double, hint: REAPHint? = nil,
        where works: (LocatorPair) -> Bool
    ) -> [LocatorPair] {
        let peer = [b1, b2].map { IPv6Address(high: $0.high, low: number) }
        var rig = Rig(QuickDetectionTests.fast, current: pair(a1, peer[0]), peer: peer, seed: number)
        rig.paths = paths
        var probes: [LocatorPair] = []
        for step in -50..<50 {
            let now = silence + Double(step) * 0.004
            _ = rig.payloadOut(now)
            if step < 0 { _ = rig.payloadIn(now) }
            var effects = rig.run(until: now + 0.002).map(\.effect)
            if step == 1, let hint { effects += rig.handle(.hint(hint), now + 0.002) }
            for probe in effects.compactMap(\.probe) where probe.state == .exploring {
                guard let own = probe.sent.first else { continue }
                let used = pair(own.source, own.destination)
                probes.append(used)
                guard works(used) else { continue }
                _ = rig.probe(.inboundOk, on: used.reversed, reporting: [own], now + 0.003)
                return probes
            }
        }
        return probes
    }

    @Test("A locator that several peers' contexts had to leave is not asked again for each other peer")
    func sharedFate() {
        let paths = SharedPaths()
        func probes(_ number: UInt64, _ start: Double, a1Works: Bool = false) -> [LocatorPair] {
            probesAfterSilence(number, paths, at: start) { $0.source == a2 || a1Works }
        }
        #expect(probes(1, 0.3).map(\.source) == [a1, a1, a1, a2])
        #expect(probes(2, 0.6).map(\.source) == [a1, a1, a1, a2])
        // Three peers have been asked in vain, but only two contexts have found another way.
        #expect(probes(3, 0.9).map(\.source) == [a1, a2])
        #expect(probes(4, 1.2).map(\.source) == [a2])
        // A Probe that is reported clears it.
        #expect(probes(5, 1.5, a1Works: true).map(\.source) == [a2])
        _ = probesAfterSilence(6, paths, at: 1.8, hint: .unreachable) { _ in true }
        #expect(probes(7, 2.1).map(\.source) == [a1, a1, a1, a2])
    }

    @Test("It says nothing two seconds later")
    func sharedFateEnds() {
        let paths = SharedPaths()
        for number in 1...3 {
            _ = probesAfterSilence(UInt64(number), paths, at: Double(number) * 0.3) { $0.source == a2 }
        }
        let found = probesAfterSilence(4, paths, at: 3.5) { $0.source == a2 }
        #expect(found.map(\.source) == [a1, a1, a1, a2])
    }

    @Test("Whatever others have found, an error that anybody can forge has the pair in use asked first")
    func forgedAboutDeadLocator() {
        let paths = SharedPaths()
        for number in 1...3 {
            _ = probesAfterSilence(UInt64(number), paths, at: Double(number) * 0.3) { $0.source == a2 }
        }
        let found = probesAfterSilence(4, paths, at: 1.2, hint: .unreachable) { _ in true }
        #expect(found.map(\.source) == [a1])
    }

    @Test("As long as no context has found another way, each asks on the pair in use: the peer may be slow")
    func silentPeer() {
        var (first, second) = twoContexts()
        func probes(_ rig: inout Rig, until end: Double) -> [LocatorPair] {
            rig.run(until: end).compactMap(\.effect.probePair)
        }
        for step in 0...250 {
            let now = Double(step) * 0.004
            for index in 0...1 {
                func talk(_ rig: inout Rig) {
                    _ = rig.run(until: now)
                    _ = rig.payloadOut(now)
                    if index == 0 && now < 0.5 || index == 1 && now < 0.9 { _ = rig.payloadIn(now) }
                }
                if index == 0 { talk(&first) } else if now < 0.91 { talk(&second) }
            }
        }
        // The first has asked for long, and nobody answers.
        _ = second.payloadOut(0.912)
        #expect(probes(&second, until: 1).prefix(2) == [pair(a1, b1), pair(a2, b2)])
        #expect(first.machine.current == pair(a1, b1))
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
        var rigs: [Rig] = []
        var probes: [(seconds: Double, context: Int)] = []
        // Deadlines, the latest first.
        var agenda: [(deadline: Instant, context: Int)] = []
        func handle(_ event: REAPEvent, _ context: Int, _ seconds: Double) {
            let effects = rigs[context].handle(event, seconds)
            probes += effects.filter { $0.probe != nil }.map { _ in (seconds, context) }
            guard let deadline = rigs[context].machine.deadline(of: .probe) else { return }
            let place = agenda.firstIndex { $0.deadline <= deadline } ?? agenda.endIndex
            agenda.insert((deadline, context), at: place)
        }
        // Every tenth has seen no packet for long.
        func isBusy(_ context: Int) -> Bool { context % 10 != 0 }
        for context in 0..<1000 {
            rigs.append(Rig(seed: UInt64(context + 1)))
            rigs[context].paths = paths
            if isBusy(context) { _ = rigs[context].payloadOut(99) }
        }
        for context in 0..<1000 { handle(.locatorsChanged(local: [a2], peer: [b1, b2]), context, 100) }
        while let next = agenda.popLast(), next.deadline < at(120) {
            handle(.timer(.probe), next.context, next.deadline.seconds)
        }
        var first: [Int: Double] = [:]
        for probe in probes { first[probe.context] = first[probe.context] ?? probe.seconds }
        #expect(first.count == 1000)
        #expect(first.allSatisfy { !isBusy($0.key) || $0.value < 102 })
        #expect(first.count { !isBusy($0.key) && $0.value > 102 } > 90)
        // A second's worth, and what may be saved up.
        for (earlier, later) in zip(probes, probes.dropFirst(526)) { #expect(later.seconds - earlier.seconds > 1) }
        #expect(probes.count > 5000)
    }

    @Test("A peer that asks for answers without end hardly delays the Probes of other contexts")
    func flood() {
        var (first, second) = twoContexts(.exact)
        _ = second.payloadOut(0)
        // With traffic lately it does not stand back.
        _ = second.payloadOut(6)
        for number in 0..<4000 {
            _ = first.probe(.exploring, on: pair(b1, a1), nonce: UInt32(number), 14 + Double(number) / 4000)
        }
        #expect(!second.run(until: 15.2).compactMap(\.effect.probePair).isEmpty)
    }

    @Test(
        "In the profile fast a thousand contexts leave a dead uplink within two seconds, within the budget",
        arguments: [1, 32])
    func thousandContexts(locatorsOfUplink: UInt64) {
        let budget = 2000
        let paths: [TwoHosts.Host: SharedPaths] = [
            .a: SharedPaths(probesPerSecond: budget), .b: SharedPaths(probesPerSecond: budget),
        ]
        // Each pair of the locators of the uplinks a1 and b1 in turn.
        func locator(_ base: IPv6Address, _ number: UInt64) -> IPv6Address {
            IPv6Address(high: base.high, low: number % locatorsOfUplink + 1)
        }
        var dead: Set<LocatorPair> = []
        var contexts = (0..<UInt64(1000)).map { number in
            let (a, b) = (locator(a1, number), locator(b1, number / locatorsOfUplink))
            dead.formUnion([pair(a, b), pair(b, a), pair(a, b2), pair(b2, a)])
            return TwoHosts(
                a: [a, a2], b: [b, b2], aSends: pair(a, b), bSends: pair(b, a),
                configuration: QuickDetectionTests.fast, paths: paths, seed: 2 * number + 1)
        }
        func run(until end: Double) {
            for index in contexts.indices { contexts[index].run(until: end, payloadFrom: [.a, .b], every: 0.05) }
        }
        for slice in 1...10 { run(until: Double(slice) * 0.1) }
        for index in contexts.indices { contexts[index].cut = dead }
        // All together in small steps, since they share a budget.
        for slice in 1...400 { run(until: 1 + Double(slice) * 0.005) }
        let late = contexts.count { $0.current(.a) != pair(a2, b2) || $0.current(.b) != pair(b2, a2) }
        #expect(late == 0)
        for host in TwoHosts.Host.allCases {
            // Answers cannot wait, but count: so what begins may be less.
            let begun = contexts.flatMap { $0.control(since: 1) }.filter { entry in
                guard case .probe(let probe) = entry.message else { return false }
                return entry.sender == host && probe.state == .exploring
            }
            let times = begun.map(\.seconds).sorted()
            #expect(zip(times, times.dropFirst(budget + budget / 10)).allSatisfy { $1 - $0 > 1 })
        }
    }
}
