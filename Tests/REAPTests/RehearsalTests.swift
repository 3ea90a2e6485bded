import REAP
import Shim6Wire
import Testing

/// Which pairs are tried before they are needed, when, and what that says of a session.
@Suite struct RehearsalTests {
    static let interval = 240.0

    /// Probes of a rehearsal up to `end`, each answered by `answer`.
    private func run(
        _ rehearsal: inout Rehearsal, until end: Double, budget: inout ProbeBudget, seed: UInt64 = 1,
        answer: (inout Rehearsal, LocatorPair, Double) -> Void = { _, _, _ in }
    ) -> [(seconds: Double, pair: LocatorPair)] {
        var random = RandomSource(SeededGenerator(seed: seed))
        var probes: [(seconds: Double, pair: LocatorPair)] = []
        while let deadline = rehearsal.deadline, deadline < at(end) {
            guard let pair = rehearsal.next(budget: &budget, random: &random, at: deadline) else { continue }
            probes.append((deadline.seconds, pair))
            answer(&rehearsal, pair, deadline.seconds)
        }
        return probes
    }

    private func rehearsal(
        _ local: [IPv6Address], _ peer: [IPv6Address], interval: Double = interval, at start: Double = 0
    ) -> Rehearsal {
        var rehearsal = Rehearsal(interval: .seconds(interval))
        var random = RandomSource(SeededGenerator(seed: 7))
        rehearsal.update(local: local, peer: peer, random: &random, at: at(start))
        return rehearsal
    }

    @Test("After establishment every pair is tried within a second, and once an interval from then on")
    func schedule() {
        var rehearsal = rehearsal([a1, a2], [b1, b2])
        var budget = ProbeBudget(perSecond: 100)
        let probes = run(&rehearsal, until: 10 * Self.interval, budget: &budget)
        let first = probes.prefix(4)
        #expect(Set(first.map(\.pair)).count == 4 && first.allSatisfy { $0.seconds <= 1 })
        for pair in Set(probes.map(\.pair)) {
            let times = probes.filter { $0.pair == pair }.map(\.seconds)
            let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
            #expect(gaps.count >= 9)
            #expect(gaps.allSatisfy { $0 > Self.interval * 0.89 && $0 <= Self.interval })
            // They are not in step.
            #expect(Set(gaps).count > 5)
        }
    }

    @Test("A change of a list has all pairs tried again soon, and forgets those that are gone")
    func changedList() {
        var rehearsal = rehearsal([a1, a2], [b1])
        var budget = ProbeBudget(perSecond: 100)
        _ = run(&rehearsal, until: 100, budget: &budget) { rehearsal, pair, now in
            rehearsal.confirmed(pair, roundTrip: .milliseconds(20), at: at(now))
        }
        var random = RandomSource(SeededGenerator(seed: 3))
        rehearsal.update(local: [a2], peer: [b1, b2], random: &random, at: at(100))
        #expect(Set(rehearsal.evidence.keys) == [pair(a2, b1), pair(a2, b2)])
        #expect(rehearsal.evidence[pair(a2, b1)]?.roundTrip == .milliseconds(20))
        let probes = run(&rehearsal, until: 101.1, budget: &budget)
        #expect(Set(probes.map(\.pair)) == [pair(a2, b1), pair(a2, b2)])
    }

    @Test("At most sixteen pairs are tried, and each locator is in one of them", arguments: [3, 8, 16])
    func manyLocators(count: Int) {
        let local = (0..<count).map { IPv6Address(high: a1.high + UInt64($0), low: 1) }
        let peer = (0..<16).map { IPv6Address(high: b1.high + UInt64($0), low: 1) }
        var rehearsal = rehearsal(local, peer)
        var budget = ProbeBudget(perSecond: 100)
        let probes = run(&rehearsal, until: Self.interval * 0.89, budget: &budget)
        #expect(probes.count == 16)
        #expect(Set(probes.map(\.pair.source)) == Set(local))
        #expect(Set(probes.map(\.pair.destination)) == Set(peer))
    }

    @Test("Without an interval, or without locators, nothing is tried")
    func off() {
        #expect(rehearsal([a1, a2], [b1], interval: 0).deadline == nil)
        #expect(rehearsal([], [b1]).deadline == nil)
        #expect(rehearsal([a1], [a1]).deadline == nil)
    }

    @Test("While anybody else needs the budget, rehearsals wait")
    func lowestPriority() {
        let paths = SharedPaths(probesPerSecond: 4)
        var rigs = (0..<4).map { Rig(seed: UInt64($0 + 1)) }
        for index in rigs.indices {
            rigs[index].paths = paths
            _ = rigs[index].payloadOut(9)
            _ = rigs[index].handle(.locatorsChanged(local: [a2], peer: [b1, b2]), 10)
        }
        var rehearsal = rehearsal([a1, a2], [b1, b2], at: 9)
        let probes = run(&rehearsal, until: 60, budget: &paths.budget)
        #expect(probes.count == 4 && probes.allSatisfy { $0.seconds > 10.5 })
    }

    // MARK: - What is proven

    private func proven(
        _ pairs: [LocatorPair], at time: Double = 100, payload: PathEvidence.Payload? = nil
    ) -> [LocatorPair: PathEvidence] {
        var evidence = PathEvidence()
        evidence.outgoing.control = at(time)
        evidence.incoming.control = at(time)
        evidence.outgoing.payload = payload ?? .passed(at(time))
        evidence.incoming.payload = payload ?? .passed(at(time))
        return Dictionary(uniqueKeysWithValues: pairs.map { ($0, evidence) })
    }

    private func protection(
        own: [[IPv6Address]] = [[a1], [a2]], peer: [[IPv6Address]] = [[b1], [b2]],
        _ evidence: [LocatorPair: PathEvidence]
    ) -> Protection {
        Protection(own: own, peer: peer, evidence: evidence, since: at(50))
    }

    @Test("With a proven pair for the loss of each uplink a session is protected")
    func protected() {
        #expect(protection(proven([pair(a1, b1), pair(a2, b2)])).degree == .yes)
        #expect(protection(proven([pair(a1, b1), pair(a2, b2)])).reason == nil)
        // A peer with one uplink cannot do without it.
        #expect(protection(peer: [[b1]], proven([pair(a1, b1), pair(a2, b1)])).degree == .yes)
        #expect(protection(own: [[a1], [a2]], peer: [[b1, b2]], proven([pair(a1, b1), pair(a2, b2)])).degree == .yes)
    }

    @Test("What is missing is told, the worst first")
    func missing() {
        let one = protection(proven([pair(a1, b1), pair(a2, b1)]))
        #expect(one.degree == .partly)
        #expect(one.gaps == [Protection.Gap(locator: b1, isOwn: false, shortcoming: .noAnswer)])
        #expect(one.reason == "without the peer's uplink of \(b1) no probe got through both ways")
        #expect(protection(own: [[a1]], proven([pair(a1, b1), pair(a1, b2)])).gaps.map(\.shortcoming) == [.noOther])
        #expect(protection([:]).degree == .no)
        #expect(protection(own: [], peer: [], [:]).degree != .yes)
    }

    @Test("Old Probes, one direction alone, and lost payload prove nothing")
    func unproven() {
        let pairs = [pair(a1, b1), pair(a2, b2)]
        #expect(protection(proven(pairs, at: 49)).degree == .no)
        #expect(protection(proven(pairs, at: 49)).gaps.allSatisfy { $0.shortcoming == .old })
        var oneWay = proven(pairs)
        oneWay[pair(a2, b2)]?.incoming.control = nil
        #expect(protection(oneWay).degree == .partly)
        #expect(protection(oneWay).gaps.map(\.locator) == [a1, b1])
        var lost = proven(pairs)
        lost[pair(a2, b2)]?.outgoing.payload = .lost(at(100))
        #expect(protection(lost).gaps.map(\.shortcoming) == [.payloadLost, .payloadLost])
    }

    @Test("Where payload could not be tested a session is protected in part")
    func untested() {
        let untested = protection(proven([pair(a1, b1), pair(a2, b2)], payload: .untested))
        #expect(untested.degree == .partly)
        #expect(untested.gaps.count == 4 && untested.gaps.allSatisfy { $0.shortcoming == .payloadUntested })
    }

    @Test("Rehearsals that are answered protect, and no longer than one and a half intervals")
    func evidence() {
        var rehearsal = rehearsal([a1, a2], [b1, b2])
        var budget = ProbeBudget(perSecond: 100)
        _ = run(&rehearsal, until: 10, budget: &budget) { rehearsal, pair, now in
            rehearsal.confirmed(pair, roundTrip: .milliseconds(20), at: at(now))
            rehearsal.arrived(onReverseOf: pair, at: at(now))
            rehearsal.payload(.passed(at(now)), on: pair)
            rehearsal.payload(.passed(at(now)), onReverseOf: pair)
        }
        func degree(_ seconds: Double) -> Protection.Degree {
            let since = rehearsal.oldest(at: at(seconds))
            return Protection(own: [[a1], [a2]], peer: [[b1], [b2]], evidence: rehearsal.evidence, since: since).degree
        }
        #expect(degree(10) == .yes && degree(350) == .yes)
        #expect(degree(362) == .no)
    }
}
