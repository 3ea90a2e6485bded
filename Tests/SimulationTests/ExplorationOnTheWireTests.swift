import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// RFC 5534, sections 4.2, 4.3, 5.2 and 6, seen on the network between two whole hosts.
@Suite struct ExplorationOnTheWireTests {
    /// Host 0 sends requests, and from second 10 on its link 0 is dead.
    private static func silentCut(until end: Double = 60) -> ScriptedRun {
        ScriptedRun(until: end, .cut(at: 10, link(0, 0)) + [(5, .mode(flow: 0, .requests))])
    }

    @Test(
        "A silent cut: Probe, answer, confirmation, and payload on the new pair",
        .requirement("5534-A-04", "5534-4.1-15", "5534-6.4-01", "5534-4.2-02", "5534-4.2-03", "5534-6.9-04"))
    func silentCut() throws {
        let run = Self.silentCut()
        // Host 1 answered last, so its Send Timer expires first.
        #expect(
            run.reachability(since: 10).map(\.description) == [
                "1: 1>1 exploring", "0: 1>1 inboundOk", "1: 1>1 operational",
            ])
        let lastAnswer = try #require(run.payload(since: 0).last { $0.host == 1 && $0.seconds < 10.1 }?.seconds)
        let first = try #require(run.reachability(since: 10).first?.seconds)
        #expect(abs(first - lastAnswer - 15) < 0.001)
    }

    @Test(
        "Payload stays on the old pair until the peer has confirmed another, then both directions move",
        .requirement("5534-6.9-06", "5534-6.8-04", "5534-6.9-05", "5534-8-02", "5534-8-03", "5534-3.5-01"))
    func payloadMoves() throws {
        let run = Self.silentCut()
        let probes = run.reachability(since: 10)
        let found = try #require(probes.last?.seconds)
        let before = run.payload(since: 10.1).filter { $0.seconds < found }
        #expect(before.count > 5)
        #expect(before.allSatisfy { !$0.hasTag && $0.links == [0, 0] && $0.isLost })
        let after = run.payload(since: found + 0.05)
        #expect(after.count > 30)
        #expect(after.allSatisfy { $0.hasTag && $0.links == [1, 1] && !$0.isLost })
    }

    @Test(
        "Probes describe themselves first, and report what was received unchanged",
        .requirement("5534-5.2-14", "5534-5.2-18", "5534-5.2-19", "5534-5.2-25", "5534-6.1-06"))
    func reports() throws {
        let messages = Self.silentCut().reachability(since: 10)
        let probes = try messages.map { try #require($0.probe) }
        #expect(probes.count == 3)
        for (message, probe) in zip(messages, probes) {
            #expect(probe.sent.first?.source == message.source)
            #expect(probe.sent.first?.destination == message.destination)
        }
        #expect(probes.map(\.state) == [.exploring, .inboundOk, .operational])
        #expect(probes[0].received.isEmpty)
        #expect(probes[1].received == [probes[0].sent[0]])
        #expect(probes[2].received == [probes[1].sent[0]])
    }

    @Test(
        "When nothing answers, the pairs are tried in turn, ever more slowly, down to one Probe a minute",
        .requirement("5534-4.3-05", "5534-4.3-06", "5534-4.3-07", "5534-4.3-08", "5534-4.3-11", "5534-9-01"))
    func schedule() {
        let run = ScriptedRun(until: 600, .cut(at: 10, link(0, 0) + link(0, 1)))
        for host in 0...1 {
            let sent = run.reachability(since: 10, from: host)
            let start = sent.first?.seconds ?? 0
            let nominal = [0, 0.5, 1, 1.5, 2.5, 4.5, 8.5, 16.5, 32.5, 64.5, 124.5, 184.5, 244.5, 304.5, 364.5, 424.5]
            let times = sent.map { $0.seconds - start }
            #expect(times.count >= nominal.count)
            #expect(zip(times, nominal).allSatisfy { abs($0 - $1) < 0.001 })
            let pairs = sent.map { [$0.path?.fromLink, $0.path?.toLink] }
            let round: [[Int?]] = [[1, 1], [0, 1], [1, 0], [0, 0]]
            // The peer's locator 1 has not answered yet: its turns are for the other one after three Probes in a minute.
            #expect(pairs.prefix(8) == (round + [[1, 1], [1, 0], [0, 0], [1, 0]])[...])
            #expect(Set(pairs) == Set(round))
            #expect(zip(times, pairs).count { $0 < 60 && $1[1] == 1 } == 3)
            #expect(sent.allSatisfy { $0.probe?.state == .exploring && $0.isLost })
        }
    }

    @Test(
        "Payload that arrives while exploring is answered at once with Probe(InboundOk), and the pair is kept",
        .requirement("5534-6.1-02", "5534-6.2-02", "5534-6.8-05"))
    func payloadWhileExploring() throws {
        let dead = link(0, 0) + link(0, 1)
        let run = ScriptedRun(until: 60, .cut(at: 10, dead) + .heal(at: 28.8, dead))
        let arrival = try #require(run.payload(since: 28.8).first { !$0.isLost })
        let answer = try #require(run.reachability(since: 28.8).first)
        #expect(abs(answer.seconds - arrival.seconds - 0.01) < 0.002)
        #expect(answer.host == 1 - arrival.host)
        #expect(answer.probe?.state == .inboundOk)
        #expect(answer.probe?.received == [])
        #expect(run.payload(since: 31).allSatisfy { !$0.isLost })
    }

    @Test(
        "Each direction finds the only pair that is left to it",
        .requirement("5534-A-05", "5534-3.3-02", "5534-6.5-01", "5534-6.5-02"))
    func oneWayFailures() {
        let left = [
            Network.Path(fromHost: 0, fromLink: 0, toLink: 1), Network.Path(fromHost: 1, fromLink: 0, toLink: 1),
        ]
        let cuts = (0..<8).map { Network.Path(fromHost: $0 >> 2, fromLink: $0 >> 1 & 1, toLink: $0 & 1) }
            .filter { !left.contains($0) }
        let run = ScriptedRun(until: 120, cuts.map { (10, .cutPath($0)) })
        let late = run.payload(since: 60)
        #expect(late.count > 80)
        #expect(late.allSatisfy { $0.links == [0, 1] && $0.hasTag && !$0.isLost })
        #expect(run.context(0)?.reachability == .operational && run.context(1)?.reachability == .operational)
        #expect(run.reachability(since: 60).isEmpty)
    }

    @Test(
        "A locator that is lost is withdrawn by Update Request, and the exploration starts at once",
        .requirement("5534-3.1-07", "5534-4.1-02", "5534-4.1-01"), arguments: 0...1)
    func locatorLost(host: Int) throws {
        let run = ScriptedRun(until: 60, [(10, .removeLocator(host: host, link: 0))])
        let update = try #require(run.messages.first { $0.content.type == .updateRequest })
        #expect(update.host == host && update.seconds == 10)
        guard case .updateRequest(let request) = update.content else { return }
        #expect(request.options.locatorList?.locators.count == 1)
        let probe = try #require(run.reachability(since: 10).first)
        #expect(probe.seconds == 10 && probe.probe?.state == .exploring && probe.path?.fromLink == 1)
        #expect(run.payload(since: 11).allSatisfy { !$0.isLost && $0.hasTag })
        let lost = run.context(1 - host)?.peerLocators.map(\.address)
        #expect(lost?.count == 1)
        #expect(run.context(1 - host)?.outgoing?.destination == lost?.first)
    }
}
