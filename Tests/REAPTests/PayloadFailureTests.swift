import REAP
import Shim6Wire
import Testing

/// Paths that pass the messages of Shim6 and drop payload: what arrives of payload outweighs what Probes say.
@Suite struct PayloadFailureTests {
    enum Profile: CaseIterable, Sendable {
        case rfc, fast

        var configuration: REAPConfiguration { self == .rfc ? .exact : QuickDetectionTests.fast }
    }

    /// Who sends, and in which directions the pair in use drops it.
    enum Traffic: CaseIterable, Sendable {
        case bothWays, requests

        func begin(_ hosts: inout TwoHosts, every interval: Double, until end: Double) {
            if self == .requests { hosts.answering = [.b] }
            hosts.run(until: end, payloadFrom: self == .requests ? [.a] : [.a, .b], every: interval)
        }
    }

    static let first = pair(a1, b1)
    static let everyPair: Set<LocatorPair> = Set(
        [a1, a2].flatMap { a in [b1, b2].flatMap { b in [pair(a, b), pair(b, a)] } })

    /// When payload of each host last went out on a pair that drops it, after it began to drop at 60 s.
    private func end(
        of profile: Profile, _ traffic: Traffic, cut: Set<LocatorPair>, every interval: Double, until end: Double
    ) -> (lost: Double, hosts: TwoHosts) {
        var hosts = TwoHosts(configuration: profile.configuration)
        traffic.begin(&hosts, every: interval, until: 60)
        hosts.payloadCut = cut
        traffic.begin(&hosts, every: interval, until: end)
        let last = hosts.log.last { $0.isPayload && $0.isLost && $0.seconds > 60 }
        return ((last?.seconds ?? 60) - 60, hosts)
    }

    @Test(
        "Payload leaves a pair that drops it though Probes pass, in whichever direction it is dropped",
        arguments: Profile.allCases, Traffic.allCases)
    func moves(profile: Profile, traffic: Traffic) {
        for cut in [[Self.first, Self.first.reversed], [Self.first], [Self.first.reversed]] as [Set<LocatorPair>] {
            let (lost, hosts) = end(of: profile, traffic, cut: cut, every: 0.05, until: 120)
            #expect(lost < (profile == .fast ? 6 : 16), "\(cut)")
            #expect(hosts.switches.filter { $0.host == .a }.count <= 1)
            #expect(hosts.switches.filter { $0.host == .b }.count <= 1)
            #expect(hosts.state(.a) == .operational && hosts.state(.b) == .operational)
        }
    }

    @Test(
        "However seldom packets go out, the first that is lost moves payload within the RFC's Send Timeout",
        arguments: [0.05, 0.5, 2, 5, 7, 11, 14, 40])
    func neverSlower(interval: Double) throws {
        let cut: Set<LocatorPair> = [Self.first, Self.first.reversed]
        for profile in Profile.allCases {
            let (_, hosts) = end(of: profile, .requests, cut: cut, every: interval, until: 200)
            #expect(try #require(hosts.switches.first { $0.host == .a }).seconds < 75.6, "\(profile)")
        }
    }

    @Test(
        "Where every pair drops payload it moves once in ten seconds at most, and ever less often",
        arguments: Profile.allCases, Traffic.allCases)
    func failsEverywhere(profile: Profile, traffic: Traffic) {
        var configuration = profile.configuration
        if profile == .rfc { configuration.sendTimeout = .seconds(1) }
        configuration.failbackHold = .seconds(2)
        var hosts = TwoHosts(configuration: configuration)
        traffic.begin(&hosts, every: 0.5, until: 60)
        hosts.payloadCut = Self.everyPair
        traffic.begin(&hosts, every: 0.5, until: 660)
        for host in TwoHosts.Host.allCases {
            let times = hosts.switches.filter { $0.host == host }.map(\.seconds)
            #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 > 9.9 }, "\(host) \(hosts.switches)")
            #expect((1...20).contains(times.count), "\(host) \(times)")
        }
        // It recovers all the same.
        hosts.payloadCut = []
        traffic.begin(&hosts, every: 0.5, until: 670)
        #expect(hosts.log.filter { $0.isPayload && $0.seconds > 660 }.allSatisfy { !$0.isLost })
    }

    @Test(
        "A silent peer that answers nothing, lost packets, and stopped daemons make no payload move",
        arguments: [1, 2, 3] as [UInt64], [0.1, 1, 4])
    func silentPeer(seed: UInt64, interval: Double) {
        var hosts = TwoHosts(configuration: QuickDetectionTests.fast, seed: seed)
        hosts.run(until: 5, payloadFrom: [.a, .b])
        hosts.lossPermille = 50
        for round in 0..<60 {
            hosts.stopped = round % 3 == 0 ? [.b] : []
            hosts.run(until: 5 + Double(round) * 10 + 2, payloadFrom: [.a], every: interval)
            hosts.stopped = []
            hosts.run(until: 5 + Double(round) * 10 + 10, payloadFrom: [.a], every: interval)
        }
        #expect(hosts.switches.isEmpty)
    }

    @Test("Errors that anybody can forge do not count, though the peer answers nothing")
    func forgedErrors() {
        var hosts = TwoHosts(configuration: QuickDetectionTests.fast)
        hosts.run(until: 5, payloadFrom: [.a, .b])
        for step in 0..<2000 {
            hosts.run(until: 5 + Double(step) * 0.02, payloadFrom: [.a])
            hosts.handle(.hint(.unreachable), at: .a)
        }
        #expect(hosts.switches.isEmpty)
    }

    @Test("What one context finds out of payload helps others, but not one whose payload comes in")
    func sharedFinding() throws {
        let paths: [TwoHosts.Host: SharedPaths] = [.a: SharedPaths(), .b: SharedPaths()]
        var hosts = (1...3).map {
            TwoHosts(configuration: QuickDetectionTests.fast, paths: paths, seed: UInt64($0))
        }
        func run(_ index: Int, until end: Double) {
            hosts[index].answering = [.b]
            hosts[index].run(until: end, payloadFrom: [.a], every: 0.05)
        }
        for index in 0..<3 { run(index, until: 60) }
        hosts[0].payloadCut = [Self.first, Self.first.reversed]
        run(0, until: 63)
        let found = try #require(hosts[0].switches.first { $0.host == .a }).seconds
        func firstProbe(_ index: Int) -> LocatorPair? {
            hosts[index].payloadCut = [Self.first, Self.first.reversed]
            let known = hosts[index].control().count
            run(index, until: found + 2)
            return hosts[index].control()[known...].first { $0.sender == .a && $0.message != .keepalive }?.pair
        }
        // Of the second nothing has come in since, of the third something has.
        hosts[1].run(until: found + 1)
        run(2, until: found + 1)
        #expect(firstProbe(1) == pair(a2, b2))
        #expect(firstProbe(2) == Self.first)
    }

    @Test("A pair that drops payload again after a return is returned to after ten seconds, then twenty, and so on")
    func bars() {
        var configuration = QuickDetectionTests.fast
        configuration.failbackHold = .milliseconds(500)
        var hosts = TwoHosts(configuration: configuration)
        hosts.answering = [.b]
        hosts.run(until: 60, payloadFrom: [.a], every: 0.05)
        hosts.payloadCut = [Self.first]
        hosts.run(until: 460, payloadFrom: [.a], every: 0.05)
        let moves = hosts.switches.filter { $0.host == .a }
        var waits: [Double] = []
        for (left, returned) in zip(moves, moves.dropFirst()) where returned.pair == Self.first {
            waits.append(returned.seconds - left.seconds)
        }
        #expect(waits.count >= 4)
        for (wait, least) in zip(waits, [10, 20, 40, 80, 160]) { #expect(wait > Double(least) - 0.6) }
    }
}
