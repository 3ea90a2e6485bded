import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// RFC 5533, sections 1.6, 4, 9 and 11: what traffic makes of contexts, and contexts of traffic, between whole hosts.
@Suite struct LivesOfContextsTests {
    @Test(
        "Nothing is sent before a session has carried enough; then whichever host counted it begins",
        .requirement("5533-4-01", "5533-4-02", "5533-11-02", "5533-13-01"), arguments: 0...1)
    func begins(host: Int) throws {
        let run = ScriptedRun(.exact, until: 30, [(0, .mode(flow: 0, host == 0 ? .fromHost0 : .fromHost1))])
        let first = try #require(run.messages.first)
        #expect(first.content.type == .i1 && first.host == host)
        // The simulated data path asks for a context with the third packet.
        #expect(run.payload(since: 0).filter { $0.seconds <= first.seconds }.count == 3)
        #expect(run.context(0)?.state == .established)
    }

    @Test(
        "Payload to a host that does not answer stays as it is",
        .requirement("5533-4-03", "5533-15.3-02", "5533-11-01", "5533-11-03", "5534-4.2-05", "5534-8-06"))
    func unanswered() {
        let run = ScriptedRun(.exact, until: 300, [(0.1, .stop(host: 1, byCrash: true))])
        #expect(run.sent(.i1).count >= 5)
        #expect(run.messages.allSatisfy { $0.content.type == .i1 })
        let payload = run.payload(since: 0)
        #expect(payload.count > 500)
        #expect(payload.allSatisfy { !$0.hasTag && !$0.isLost && $0.links == [0, 0] })
    }

    @Test(
        "Each failure moves the payload, and back on the ULID pair it has no header",
        .requirement("5533-4-07", "5533-4-05", "5533-4-06", "5533-5.2-04", "5533-11.1-07", "5533-11-06"))
    func twoFailures() {
        let run = ScriptedRun(
            .exact, until: 150,
            .cut(at: 10, link(0, 0)) + .heal(at: 60, link(0, 0)) + .cut(at: 61, link(0, 1)))
        let between = run.payload(since: 40).filter { $0.seconds < 60 }
        #expect(between.count > 30)
        #expect(between.allSatisfy { $0.hasTag && !$0.isLost && $0.links?.contains(0) == false })
        let late = run.payload(since: 110)
        #expect(late.count > 60)
        #expect(late.allSatisfy { !$0.isLost && $0.hasTag == ($0.links != [0, 0]) })
        #expect(late.contains { $0.links == [0, 0] })
        #expect(run.payload(since: 0).allSatisfy { $0.hasTag == ($0.links != [0, 0]) })
    }

    @Test(
        "A quiet context is kept for ten minutes, and then goes without a word",
        .requirement("5533-9-04", "5533-9-03"))
    func quiet() {
        func run(until end: Double) -> ScriptedRun {
            ScriptedRun(.exact, until: end, [(10, .mode(flow: 0, .silent))])
        }
        #expect([0, 1].allSatisfy { run(until: 560).context($0)?.state == .established })
        let later = run(until: 640)
        #expect(later.world.contexts(of: 0).isEmpty && later.world.contexts(of: 1).isEmpty)
        #expect(later.messages.allSatisfy { $0.seconds < 40 })
    }

    @Test(
        "Plain packets in one direction keep the context at both ends",
        .requirement("5533-9-05", "5533-9-03", "5533-6.1-06", "5533-5.12-02"), arguments: 0...1)
    func oneWay(from host: Int) {
        let run = ScriptedRun(.exact, until: 1500, [(10, .mode(flow: 0, host == 0 ? .fromHost0 : .fromHost1))])
        #expect(run.payload(since: 0).allSatisfy { !$0.hasTag })
        for end in 0...1 {
            #expect(run.context(end)?.state == .established)
            #expect((run.context(end)?.establishedAt?.nanoseconds ?? .max) < 12_000_000_000)
        }
        // Keepalives come from the end that only receives, and there is nothing else but the question whether they do.
        #expect(run.reachability(since: 0).allSatisfy { $0.isKeepalive || $0.isQuestion })
        let sent = run.reachability(since: 0).filter { !$0.isQuestion }
        #expect(sent.count > 250)
        #expect(sent.allSatisfy { $0.isKeepalive && $0.host == 1 - host })
    }

    @Test(
        "Payload on another pair carries the header, and makes no control message as long as it goes both ways",
        .requirement("5533-B.1-03", "5533-4.1-04"))
    func taggedBothWays() {
        let run = ScriptedRun(.exact, until: 300, .cut(at: 10, link(0, 0)))
        #expect(run.payload(since: 60).count > 200)
        #expect(run.payload(since: 60).allSatisfy { $0.hasTag && !$0.isLost })
        #expect(run.messages.allSatisfy { $0.seconds < 60 })
    }

    @Test(
        "The timers of failure detection do not follow the round-trip time", .requirement("5534-7-09"),
        arguments: [0.001, 0.4])
    func slowNetwork(delay: Double) throws {
        let run = ScriptedRun(
            delay: delay, until: 200, .cut(at: 30, link(0, 0) + link(0, 1)) + [(5, .mode(flow: 0, .fromHost0))])
        let lastIn = try #require(
            run.messages.last { $0.host == 1 && $0.isKeepalive && !$0.isLost && $0.seconds < 30 }?.seconds)
        let firstOut = try #require(run.payload(since: 0).first { $0.seconds > lastIn + delay }?.seconds)
        let probes = run.reachability(since: 30, from: 0).filter { $0.probe != nil }.map(\.seconds)
        let first = try #require(probes.first)
        #expect(abs(first - firstOut - 15) < 0.01)
        let gaps = zip(probes, probes.dropFirst()).map { $1 - $0 }.prefix(5)
        #expect(zip(gaps, [0.5, 0.5, 0.5, 1, 2]).allSatisfy { abs($0 - $1) < 0.001 })
    }
}
