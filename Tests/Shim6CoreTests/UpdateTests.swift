import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Updating the peer")
struct UpdateTests {
    private func peerLocators(of node: Node) -> [IPv6Address] {
        node.context?.peerLocators.map(\.address) ?? []
    }

    private func request(_ packet: Node.Packet?) throws -> UpdateRequest {
        guard case .updateRequest(let request) = packet?.message else { throw Pair.Missing.message }
        return request
    }

    @Test(
        "A new locator reaches the peer and becomes a source once it is acknowledged",
        .requirement(
            "5533-10.1-01", "5533-10.1-07", "5533-10.4-06", "5533-10.4-11", "5533-10.4-16", "5533-7.2-05")
    )
    func added() throws {
        let pair = Pair()
        pair.establish()
        let generation = pair.a.context?.localGeneration
        pair.announce([.a1, .a2, .a3], by: .a)
        #expect(pair.a.context?.updatePending == true)
        #expect(pair.a.context?.localLocators.map(\.address) == [.a1, .a2])
        pair.run(for: .seconds(1))
        #expect(pair.a.context?.updatePending == false)
        #expect(pair.a.context?.localLocators.map(\.address) == [.a1, .a2, .a3])
        #expect(peerLocators(of: pair.b) == [.a1, .a2, .a3])
        let update = try request(pair.last(.updateRequest))
        #expect(update.options.locatorList?.generation != generation)
        #expect(update.options.locatorList?.generation == pair.a.context?.localGeneration)
        #expect(pair.b.context?.peerGeneration == pair.a.context?.localGeneration)
        #expect(update.receiverTag == pair.b.context?.localTag)
        #expect(update.options.cgaSignature != nil)
        guard case .updateAcknowledgement(let answer) = pair.last(.updateAcknowledgement)?.message
        else {
            Issue.record("no acknowledgement")
            return
        }
        #expect(answer.requestNonce == update.requestNonce)
        #expect(answer.receiverTag == pair.a.context?.localTag)
    }

    @Test(
        "Each side records the generation of the latest list, sent or verified",
        .requirement("5533-6.1-04", "5533-6.1-05", "5533-5.10-07"))
    func generations() throws {
        let pair = Pair()
        pair.establish()
        for locators in [[IPv6Address.a1, .a3], [.a3], [.a1, .a2, .a3]] {
            pair.announce(locators, by: .a)
            pair.run(for: .seconds(1))
            let sent = try request(pair.last(.updateRequest)).options.locatorList?.generation
            #expect(pair.a.context?.localGeneration == sent)
            #expect(pair.b.context?.peerGeneration == sent)
            #expect(peerLocators(of: pair.b) == locators)
        }
    }

    @Test(
        "Request and acknowledgement carry the receiver's tag, the nonce and the signature",
        .requirement(
            "5533-5.10-05", "5533-5.10-06", "5533-5.10-11", "5533-5.11-05", "5533-5.11-06", "5533-10.5-05"))
    func contents() throws {
        let pair = Pair()
        pair.establish()
        pair.announce([.a1, .a3], by: .a)
        pair.run(for: .seconds(1))
        pair.announce([.a1, .a2], by: .a)
        pair.run(for: .seconds(1))
        let requests = try pair.sent(.updateRequest).map { try request($0.packet) }
        #expect(requests.map(\.receiverTag) == [pair.b.context?.localTag, pair.b.context?.localTag])
        #expect(requests.allSatisfy { $0.options.cgaSignature != nil })
        #expect(Set(requests.map(\.requestNonce)).count == 2)
        let answers = pair.sent(.updateAcknowledgement).compactMap { sent -> UpdateAcknowledgement? in
            if case .updateAcknowledgement(let answer) = sent.packet.message { answer } else { nil }
        }
        #expect(answers.map(\.requestNonce) == requests.map(\.requestNonce))
        #expect(answers.map(\.receiverTag) == [pair.a.context?.localTag, pair.a.context?.localTag])
        #expect(pair.a.context?.updatePending == false)
    }

    @Test("A peer that lost its context learns the newest list from the R2; no request is left over")
    func restartedWhilePending() throws {
        let pair = Pair()
        pair.establish()
        pair.fate = { $0.type == .updateRequest ? .drop : .deliver }
        pair.announce([.b1], by: .b)
        #expect(pair.b.context?.updatePending == true)
        pair.post(.remove(try #require(pair.a.context?.localTag)), to: .a)
        pair.trigger()
        pair.run(for: .seconds(1))
        #expect(peerLocators(of: pair.a) == [.b1])
        #expect(pair.b.context?.updatePending == false)
        #expect(pair.b.context?.localLocators.map(\.address) == [.b1])
        let count = pair.sent(.updateRequest).count
        pair.run(for: .seconds(100))
        #expect(pair.sent(.updateRequest).count == count)
    }

    @Test("An acknowledgement in I1-SENT only shows where the peer is", .requirement("5533-10.5-06"))
    func acknowledgementInI1Sent() throws {
        let pair = Pair()
        pair.fate = { _ in .drop }
        pair.trigger(.b)
        let tag = try #require(pair.b.context?.localTag)
        let acknowledgement = UpdateAcknowledgement(receiverTag: tag, requestNonce: 1)
        try pair.forge(.updateAcknowledgement(acknowledgement), from: .a1, to: .b1)
        #expect(pair.b.drops(.unexpectedInState) == 1)
        #expect(pair.b.state == .i1Sent)
        #expect(pair.log.map(\.type) == [.i1, .i1])
    }

    @Test("Nothing is sent when nothing changed")
    func unchanged() {
        let pair = Pair()
        pair.establish()
        pair.announce([.a1, .a2], by: .a)
        pair.announce([.b1, .b2], by: .b)
        #expect(pair.sent(.updateRequest).isEmpty)
    }

    @Test(
        "A lost Update Request is repeated with the same nonce, ever more slowly, without end",
        .requirement(
            "5533-10.2-01", "5533-10.2-02", "5533-10.2-03", "5533-10.2-04", "5533-10.1-05", "5533-14-11"),
        arguments: 1...10 as ClosedRange<UInt64>)
    func repeated(seed: UInt64) throws {
        var configuration = HostConfiguration()
        configuration.idleTimeout = .seconds(1_000_000)
        // Long enough to leave the pair alone.
        configuration.reap.sendTimeout = .seconds(1_000_000)
        let pair = Pair(configuration: configuration, seed: seed)
        pair.establish()
        pair.fate = { $0.type == .updateRequest ? .drop : .deliver }
        pair.announce([.a1, .a2, .a3], by: .a)
        pair.run(for: .seconds(2500))
        let sent = pair.sent(.updateRequest)
        #expect(sent.count > 12)
        #expect(Set(sent.map(\.packet.octets)).count == 1)
        for (index, (earlier, later)) in zip(sent, sent.dropFirst()).enumerated() {
            let nominal = min(Duration.seconds(4 << index), .seconds(120))
            #expect(later.at - earlier.at >= nominal / 2 && later.at - earlier.at <= nominal * 1.5)
        }
        pair.fate = { _ in .deliver }
        pair.run(for: .seconds(200))
        #expect(peerLocators(of: pair.b) == [.a1, .a2, .a3])
        #expect(pair.a.context?.updatePending == false)
        #expect(pair.a.timers.keys.allSatisfy { if case .context = $0 { false } else { true } })
    }

    @Test(
        "A lost acknowledgement makes the request come again, and it is acknowledged again",
        .requirement("5533-10.4-17", "5533-10.5-10"))
    func lostAcknowledgement() {
        let pair = Pair()
        pair.establish()
        var lost = 0
        pair.fate = { sent in
            guard sent.type == .updateAcknowledgement, lost < 2 else { return .deliver }
            lost += 1
            return .drop
        }
        pair.announce([.a1, .a2, .a3], by: .a)
        pair.run(for: .seconds(30))
        #expect(pair.sent(.updateAcknowledgement).count == 3)
        #expect(pair.a.context?.updatePending == false)
        #expect(pair.b.verifier.looks == 2)
    }

    @Test(
        "Newer information replaces the request on its way",
        .requirement("5533-10.3-01", "5533-10.3-02", "5533-10.3-04", "5533-10.5-09", "5533-10.1-03"))
    func superseded() throws {
        let pair = Pair()
        pair.establish()
        pair.announce([.a1, .a2, .a3], by: .a)
        let first = try request(pair.last(.updateRequest))
        pair.announce([.a1, .a3], by: .a)
        let second = try request(pair.last(.updateRequest))
        #expect(first.requestNonce != second.requestNonce)
        #expect(first.options.locatorList?.generation != second.options.locatorList?.generation)
        pair.run(for: .seconds(1))
        #expect(peerLocators(of: pair.b) == [.a1, .a3])
        #expect(pair.a.context?.updatePending == false)
        #expect(pair.a.drops(.unmatchedAcknowledgement) == 1)
        #expect(pair.sent(.updateRequest).count == 2)
    }

    @Test("The acknowledgement of a replaced request completes nothing", .requirement("5533-10.5-09", "5533-10.3-04"))
    func acknowledgementOfReplaced() {
        let pair = Pair()
        pair.establish()
        var count = 0
        pair.fate = { sent in
            guard sent.type == .updateRequest else { return .deliver }
            count += 1
            return count == 2 ? .drop : .deliver
        }
        pair.announce([.a1, .a2, .a3], by: .a)
        pair.announce([.a1, .a3], by: .a)
        pair.run(for: .seconds(1))
        #expect(pair.a.context?.updatePending == true)
        #expect(pair.a.context?.localLocators.map(\.address) == [.a1, .a2])
        pair.run(for: .seconds(10))
        #expect(pair.a.context?.updatePending == false)
        #expect(pair.a.context?.localLocators.map(\.address) == [.a1, .a3])
        #expect(peerLocators(of: pair.b) == [.a1, .a3])
    }

    @Test("A late copy of a replaced request does not bring the old list back")
    func lateCopy() throws {
        let pair = Pair()
        pair.establish()
        pair.announce([.a1, .a2, .a3], by: .a)
        pair.run(for: .seconds(1))
        let old = try #require(pair.last(.updateRequest))
        pair.announce([.a1, .a3], by: .a)
        pair.run(for: .seconds(1))
        pair.deliver(old, to: .b)
        #expect(peerLocators(of: pair.b) == [.a1, .a3])
        #expect(pair.b.drops(.supersededUpdate) == 1)
        #expect(pair.sent(.updateAcknowledgement).count == 2)
    }

    @Test(
        "An Update Request has to come from and go to locators of the context",
        .requirement("5533-10.4-03", "5533-12.4-06", "5533-10.5-03", "5533-10.4-04", "5533-10.5-04", "5533-12.4-07"))
    func locatorsOutside() throws {
        let pair = Pair()
        pair.establish()
        let tag = try #require(pair.b.context?.localTag)
        let update = UpdateRequest(receiverTag: tag, requestNonce: 1, options: .ofA([.a1, .a3]))
        try pair.forge(.updateRequest(update), from: .stranger, to: .b1)
        try pair.forge(.updateRequest(update), from: .a1, to: .a3)
        let acknowledgement = UpdateAcknowledgement(receiverTag: tag, requestNonce: 1)
        try pair.forge(.updateAcknowledgement(acknowledgement), from: .stranger, to: .b1)
        #expect(pair.b.drops(.locatorsOutsideSets) == 3)
        #expect(peerLocators(of: pair.b) == [.a1, .a2])
        #expect(pair.sent(.updateAcknowledgement).isEmpty)
        #expect(
            pair.sent(.r1bis, by: .b).map(\.packet.pair) == [
                LocatorPair(source: .b1, destination: .stranger), LocatorPair(source: .a3, destination: .a1),
                LocatorPair(source: .b1, destination: .stranger),
            ])
    }

    @Test(
        "Updates for contexts that are not there are answered with R1bis",
        .requirement("5533-10.4-02", "5533-10.5-02", "5533-7.17-02"))
    func unknownTag() throws {
        let pair = Pair()
        try pair.forge(
            .updateRequest(UpdateRequest(receiverTag: .ofA, requestNonce: 1)), from: .a1, to: .b1)
        let acknowledgement = UpdateAcknowledgement(receiverTag: .ofA, requestNonce: 1)
        try pair.forge(.updateAcknowledgement(acknowledgement), from: .a1, to: .b1)
        #expect(pair.b.drops(.unknownTag) == 2)
        #expect(pair.sent(.r1bis, by: .b).count == 2)
        #expect(pair.log.count == 2)
    }

    @Test("An Update Request in I2-SENT from a peer whose I2 came already is processed", .requirement("5533-10.4-08"))
    func inI2SentWithPeer() throws {
        let pair = Pair()
        let r1 = try pair.challenge(tag: .ofA)
        pair.fate = { $0.type == .i2 && $0.by == .b ? .drop : .deliver }
        pair.trigger(.b)
        pair.run(for: .milliseconds(30))
        try pair.forge(.i2(pair.i2(r1, tag: .ofA)), from: .a1, to: .b1)
        pair.run(for: .seconds(1))
        let tag = try #require(pair.b.context?.localTag)
        let update = UpdateRequest(receiverTag: tag, requestNonce: 3, options: .ofA([.a1, .a3], generation: 8))
        try pair.forge(.updateRequest(update), from: .a2, to: .b1)
        #expect(pair.b.state == .i2Sent)
        #expect(pair.sent(.i2, by: .b).count == 2)
        #expect(peerLocators(of: pair.b) == [.a1, .a3])
        guard case .updateAcknowledgement(let answer) = pair.last(.updateAcknowledgement)?.message else {
            Issue.record("no acknowledgement")
            return
        }
        #expect(answer == UpdateAcknowledgement(receiverTag: .ofA, requestNonce: 3))
        #expect(pair.last(.updateAcknowledgement)?.pair == LocatorPair(source: .b1, destination: .a2))
    }
}
