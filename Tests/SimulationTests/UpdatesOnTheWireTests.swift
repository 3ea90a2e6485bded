import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// RFC 5533, sections 5.10, 5.11 and 10, seen on the network between two whole hosts.
@Suite struct UpdatesOnTheWireTests {
    /// Link 1 of host 0 gets another address in second 10 and a further one in second 20.
    private static func renumbered() throws -> (run: ScriptedRun, requests: [ScriptedRun.Message]) {
        let run = ScriptedRun(
            quiet: .exact, until: 40, [(10, .renumber(host: 0, link: 1)), (20, .renumber(host: 0, link: 1))])
        let requests = run.sent(.updateRequest)
        try #require(requests.map(\.host) == [0, 0])
        return (run, requests)
    }

    @Test(
        "A changed set is announced by an Update Request with the list, its signature and a new generation",
        .requirement("5533-10.1-01", "5533-10.1-03", "5533-10.1-07", "5533-5.10-11", "5533-10-01"))
    func announced() throws {
        let (run, requests) = try Self.renumbered()
        let lists = try requests.map { try #require($0.updateRequest?.options.locatorList) }
        #expect(lists.allSatisfy { $0.locators.count == 2 })
        #expect(requests.allSatisfy { $0.updateRequest?.options.cgaSignature?.isEmpty == false })
        let first = run.sent(.i2).first?.i2?.options.locatorList
        #expect(Set([first?.generation] + lists.map(\.generation)).count == 3)
        #expect(Set(lists[1].locators.map(\.locator)) == run.world.addresses(of: 0))
        #expect(run.context(0)?.localGeneration == lists[1].generation)
        #expect(run.context(1)?.peerGeneration == lists[1].generation)
        #expect(run.context(1)?.peerLocators.map(\.address) == lists[1].locators.map(\.locator))
    }

    @Test(
        "The parameters, sent with the I2 already, are not sent again",
        .requirement("5533-10.1-06", "5533-5.10-10"))
    func parametersOnce() throws {
        let (run, requests) = try Self.renumbered()
        #expect(run.sent(.i2).first?.i2?.options.cgaParameters?.isEmpty == false)
        #expect(requests.allSatisfy { $0.updateRequest?.options.cgaParameters == nil })
        #expect(run.sent(.updateAcknowledgement).count == 2)
    }

    @Test(
        "Requests and acknowledgements carry the tag of their receiver and one nonce an update",
        .requirement(
            "5533-5.10-05", "5533-5.10-06", "5533-5.11-05", "5533-5.11-06", "5533-10.4-16", "5533-10.1-05"))
    func names() throws {
        let (run, requests) = try Self.renumbered()
        let answers = run.sent(.updateAcknowledgement)
        #expect(requests.allSatisfy { $0.updateRequest?.receiverTag == run.context(1)?.localTag })
        #expect(answers.allSatisfy { $0.updateAcknowledgement?.receiverTag == run.context(0)?.localTag })
        #expect(
            answers.map { $0.updateAcknowledgement?.requestNonce } == requests.map { $0.updateRequest?.requestNonce })
        #expect(Set(requests.map { $0.updateRequest?.requestNonce }).count == 2)
        #expect(answers.map(\.addresses) == requests.map { [$0.destination, $0.source] })
    }

    @Test(
        "A lost acknowledgement makes the same request come again, and it is acknowledged again",
        .requirement("5533-10.4-17", "5533-10.2-01", "5533-10.1-05"))
    func lostAcknowledgement() throws {
        let back = (0..<4).map { Network.Path(fromHost: 1, fromLink: $0 >> 1, toLink: $0 & 1) }
        let run = ScriptedRun(
            quiet: .exact, until: 40,
            [(10, .renumber(host: 0, link: 1))] + back.map { (10.005, .cutPath($0)) } + back.map { (11, .healPath($0)) }
        )
        let requests = run.sent(.updateRequest)
        let answers = run.sent(.updateAcknowledgement)
        #expect(requests.count == 2 && answers.count == 2)
        #expect(requests.first?.octets == requests.last?.octets)
        #expect(answers.map(\.isLost) == [true, false])
        #expect(run.context(0)?.updatePending == false)
    }

    @Test(
        "Newer information replaces the request on its way",
        .requirement("5533-10.3-01", "5533-10.3-02", "5533-10.1-03"))
    func superseded() throws {
        let run = ScriptedRun(
            quiet: .exact, until: 60,
            .cut(at: 9, link(1, 0) + link(1, 1))
                + [(10, .renumber(host: 0, link: 1)), (11, .renumber(host: 0, link: 1))]
                + .heal(at: 12, link(1, 0) + link(1, 1)))
        let requests = run.sent(.updateRequest).compactMap(\.updateRequest)
        #expect(requests.count >= 3)
        #expect(Set(requests.map(\.requestNonce)).count == 2)
        #expect(requests[0].requestNonce != requests[1].requestNonce)
        // The first one is never sent again.
        #expect(requests.dropFirst().allSatisfy { $0.requestNonce == requests[1].requestNonce })
        #expect(Set(requests.map { $0.options.locatorList?.generation }).count == 2)
        #expect(run.context(1)?.peerLocators.map(\.address) == run.context(0)?.localLocators.map(\.address))
    }

    @Test(
        "A new locator is a source only when the peer has acknowledged it, and a destination only after a Probe",
        .requirement("5533-7.2-05", "5533-5.11-07", "5533-7.2-04", "5533-4.4-02", "5533-16-03", "5535-11.1-01"))
    func newLocator() throws {
        // Host 0 moves from link 0 to a new address on link 1, while the way back is cut for a while.
        let back = (0..<4).map { Network.Path(fromHost: 1, fromLink: $0 >> 1, toLink: $0 & 1) }
        let run = ScriptedRun(
            .exact, until: 60,
            [(10, .renumber(host: 0, link: 1))] + back.map { (10.005, .cutPath($0)) } + back.map { (11, .healPath($0)) }
                + .cut(at: 30, link(0, 0)))
        let new = try #require(run.context(0)?.outgoing?.source)
        #expect(new != run.context(0)?.ulids.local)
        let acknowledged = try #require(run.sent(.updateAcknowledgement).first { !$0.isLost }?.seconds)
        let asSource = run.world.record.filter { $0.host == 0 && $0.source == new }
        #expect(!asSource.isEmpty)
        #expect(asSource.allSatisfy { $0.seconds > acknowledged })
        let probed = try #require(run.reachability(since: 0, from: 1).first { $0.destination == new }?.seconds)
        let reported = try #require(
            run.reachability(since: probed, from: 0).first { message in
                message.probe?.received.contains { $0.destination == new } == true
            }?.seconds)
        let payload = run.payload(since: 0).filter { $0.host == 1 && $0.destination == new }
        #expect(!payload.isEmpty)
        #expect(payload.allSatisfy { $0.seconds > reported })
    }

    @Test(
        "A changed Send Timeout is told by an Update Request, and the peer's Keepalives keep to it",
        .requirement("5534-5.3-06"))
    func sendTimeout() throws {
        let run = ScriptedRun(
            .exact, until: 100, [(6, .mode(flow: 0, .fromHost0)), (50, .sendTimeout(host: 0, .seconds(6)))])
        #expect(run.sent(.updateRequest, from: 0).map { $0.updateRequest?.options.keepaliveTimeout } == [6])
        let keepalives = run.reachability(since: 10, from: 1).filter(\.isKeepalive).map(\.seconds)
        let pairs = Array(zip(keepalives, keepalives.dropFirst()))
        let before = pairs.filter { $0.1 < 50 }.map { $0.1 - $0.0 }
        let after = pairs.filter { $0.0 > 60 }.map { $0.1 - $0.0 }
        #expect(before.count > 5 && after.count > 10)
        #expect((before.min() ?? 0) > (after.max() ?? .infinity))
    }

    @Test(
        "A locator that comes or goes leaves the context as it is",
        .requirement("5533-1.5-03", "5533-4-08"), arguments: 0...1)
    func unbroken(host: Int) throws {
        let run = ScriptedRun(
            .exact, until: 60,
            [(10, .removeLocator(host: host, link: 1)), (30, .restoreLocator(host: host, link: 1))])
        let sizes = run.sent(.updateRequest, from: host).map { $0.updateRequest?.options.locatorList?.locators.count }
        #expect(sizes == [1, 2])
        let late = run.messages.filter { $0.seconds > 9 }
        #expect(late.sent(.i1).isEmpty && late.sent(.i2).isEmpty)
        for end in 0...1 {
            let context = try #require(run.context(end))
            #expect(context.state == .established)
            #expect((context.establishedAt?.nanoseconds ?? .max) < 11_000_000_000)
        }
        #expect(run.payload(since: 10).allSatisfy { !$0.isLost && !$0.hasTag })
    }
}
