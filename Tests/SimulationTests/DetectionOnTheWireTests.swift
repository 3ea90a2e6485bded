import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// RFC 5534, section 4.1, seen on the network between two whole hosts.
@Suite struct DetectionOnTheWireTests {
    @Test(
        "Without payload nothing is sent, and the pair is still trusted afterwards",
        .requirement("5534-4.1-03", "5534-A-01", "5534-3.5-02"))
    func idle() {
        let run = ScriptedRun(until: 500, [(10, .mode(flow: 0, .silent)), (400, .mode(flow: 0, .bothWays))])
        #expect(run.context(0)?.state == .established)
        #expect(run.messages.allSatisfy { $0.seconds < 28 })
        #expect(run.reachability(since: 0).allSatisfy { $0.isKeepalive })
        #expect(run.payload(since: 400).count > 150)
    }

    @Test(
        "Payload both ways makes no message, and stays plain on the ULID pair",
        .requirement("5534-4.1-04", "5534-4.1-14", "5534-A-02", "5534-3.4-01", "5533-12.1-01"))
    func bothWays() {
        let run = ScriptedRun(until: 300, [])
        #expect(run.context(0)?.state == .established && run.context(1)?.state == .established)
        #expect(run.reachability(since: 0).isEmpty)
        #expect(run.payload(since: 0).count > 500)
        #expect(run.payload(since: 0).allSatisfy { !$0.hasTag && $0.links == [0, 0] })
    }

    @Test(
        "Payload one way brings Keepalives every interval on the current pair, and no exploration",
        .requirement("5534-4.1-05", "5534-4.1-11", "5534-4.1-13", "5534-6.1-09", "5534-6.1-10", "5534-A-03"))
    func oneWay() {
        let run = ScriptedRun(until: 210, [(10, .mode(flow: 0, .fromHost0))])
        #expect(run.reachability(since: 0).filter(\.isQuestion).count <= 2 * 200 / 60)
        let sent = run.reachability(since: 0).filter { !$0.isQuestion }
        #expect(sent.allSatisfy { $0.isKeepalive && $0.host == 1 && $0.path?.fromLink == 0 && $0.path?.toLink == 0 })
        let gaps = zip(sent.dropFirst(), sent).map { $0.seconds - $1.seconds }
        #expect(gaps.count >= 36)
        // The timer begins again with the first packet after Keepalive Timeout.
        #expect(gaps.allSatisfy { $0 > 4.99 && $0 < 6.6 })
    }

    @Test("Keepalives and Probes carry the tag of their receiver", .requirement("5534-5.1-08", "5534-5.2-11"))
    func tags() throws {
        let run = ScriptedRun(
            until: 60, .cut(at: 30, link(0, 0)) + [(10, .mode(flow: 0, .fromHost0)), (25, .mode(flow: 0, .bothWays))])
        let tags = try [0, 1].map { try #require(run.context($0)?.localTag) }
        #expect(run.reachability(since: 0).contains { $0.isKeepalive })
        #expect(run.reachability(since: 0).contains { $0.probe != nil })
        for message in run.reachability(since: 0) {
            switch message.content {
            case .keepalive(let keepalive): #expect(keepalive.receiverTag == tags[1 - message.host])
            case .probe(let probe): #expect(probe.receiverTag == tags[1 - message.host])
            default: break
            }
        }
    }

    @Test("The last Keepalive goes out when Keepalive Timeout ends", .requirement("5534-6.3-01", "5534-4.1-13"))
    func lastKeepalive() throws {
        let run = ScriptedRun(until: 100, [(10, .mode(flow: 0, .fromHost0)), (30.0, .mode(flow: 0, .silent))])
        let lastIn = try #require(run.payload(since: 10).last { $0.host == 0 }?.seconds)
        let sent = run.reachability(since: 0).filter { !$0.isQuestion }
        #expect(sent.allSatisfy { $0.isKeepalive && $0.host == 1 })
        let last = try #require(sent.last?.seconds)
        #expect(last > lastIn && last <= lastIn + 15.02)
    }

    @Test(
        "A Send Timeout of its own is announced once, and the peer's Keepalives keep to it",
        .requirement("5534-5.3-02", "5534-5.3-03", "5534-5.3-04", "5534-4.1-18", "5534-7-04"))
    func announcedTimeout() {
        var configuration = HostConfiguration.exact
        configuration.reap.sendTimeout = .seconds(3)
        let run = ScriptedRun(
            configuration, peer: .exact, until: 60,
            [(10, .mode(flow: 0, .fromHost0)), (20, .removeLocator(host: 0, link: 1))])
        var announced: [UInt16?] = [nil, nil]
        for message in run.messages {
            switch message.content {
            case .i2(let i2): announced[message.host] = i2.options.keepaliveTimeout
            case .r2(let r2): announced[message.host] = r2.options.keepaliveTimeout
            case .updateRequest(let request): #expect(request.options.keepaliveTimeout == nil)
            default: break
            }
        }
        #expect(announced == [3, nil])
        #expect(run.messages.contains { $0.content.type == .updateRequest })
        let sent = run.reachability(since: 12).filter { !$0.isQuestion }
        let gaps = zip(sent.dropFirst(), sent).map { $0.seconds - $1.seconds }
        #expect(sent.count > 30)
        #expect(sent.allSatisfy { $0.isKeepalive && $0.host == 1 })
        #expect(gaps.allSatisfy { $0 < 2.6 })
    }
}
