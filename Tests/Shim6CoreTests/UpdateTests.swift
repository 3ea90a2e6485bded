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
        guard case .updateRequest(let request) = packet?.message else { throw Pair.Missing.r1 }
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

    @Test("An acknowledgement in I1-SENT has no effect", .requirement("5533-10.5-06"))
    func acknowledgementInI1Sent() throws {
        let pair = Pair()
        pair.fate = { _ in .drop }
        pair.trigger(.b)
        let tag = try #require(pair.b.context?.localTag)
        let acknowledgement = UpdateAcknowledgement(receiverTag: tag, requestNonce: 1)
        try pair.forge(.updateAcknowledgement(acknowledgement), from: .a1, to: .b1)
        #expect(pair.b.drops(.unexpectedInState) == 1)
        #expect(pair.b.state == .i1Sent)
        #expect(pair.log.count == 1)
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

    @Test("A new locator is no source before the acknowledgement", .requirement("5533-7.2-05", "5533-5.11-07"))
    func notASourceYet() {
        let pair = Pair()
        pair.establish()
        pair.isCut = { _ in true }
        pair.announce([.a3, .a2, .a1], by: .a)
        pair.run(for: .seconds(120), every: .seconds(1)) { pair.payload(from: .a) }
        #expect(pair.sent(.probe, by: .a).count > 8)
        #expect(pair.log.allSatisfy { $0.packet.source != .a3 })
        pair.isCut = { [.a1, .a2].contains($0.source) && $0.destination == .b1 }
        pair.run(for: .seconds(240), every: .seconds(1)) { pair.payload(from: .a) }
        #expect(pair.a.context?.updatePending == false)
        pair.isCut = { $0.source != .a3 && $0.destination != .a3 }
        pair.run(for: .seconds(240), every: .seconds(1)) { pair.payload(from: .a) }
        #expect(pair.a.context?.outgoing?.source == .a3)
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
        "Withdrawing the locator in use starts an exploration; the ULID stays the ULID",
        .requirement("5533-1.5-03", "5533-4-08", "5533-1.3-03"))
    func currentWithdrawn() throws {
        let pair = Pair()
        pair.establish()
        pair.isCut = { $0.source == .a1 || $0.destination == .a1 }
        pair.announce([.a2], by: .a)
        #expect(pair.a.context?.reachability == .exploring)
        pair.run(for: .seconds(10))
        let a = try #require(pair.a.context)
        #expect(a.state == .established)
        #expect(a.ulids == .atA)
        #expect(a.reachability == .operational)
        #expect(a.outgoing?.source == .a2)
        #expect(a.isRehomed)
        #expect(a.localLocators.map(\.address) == [.a2])
        #expect(peerLocators(of: pair.b) == [.a2])
        #expect(pair.b.context?.outgoing?.destination == .a2)
        #expect(pair.b.context?.ulids == .atB)
        guard
            case .locatorsAnnounced(_, let withdrawn) = pair.a.notices.compactMap({
                notice -> Notice.Kind? in
                if case .locatorsAnnounced = notice.kind { notice.kind } else { nil }
            }).first
        else {
            Issue.record("not announced")
            return
        }
        #expect(withdrawn == [.a1])
        #expect(pair.a.notices.contains { $0.kind == .locatorsAcknowledged })
    }

    @Test("An Update Request that is on its way follows payload to a new pair at once")
    func followsSwitch() throws {
        let pair = Pair()
        pair.establish()
        pair.isCut = { $0.source == .b1 || $0.destination == .b1 }
        pair.announce([.a1, .a2, .a3], by: .a)
        pair.run(for: .seconds(40), every: .milliseconds(100)) { pair.payload(from: .a) }
        #expect(pair.a.context?.outgoing?.destination == .b2)
        #expect(pair.a.context?.updatePending == false)
        let switched = pair.a.notices.first { if case .switched = $0.kind { true } else { false } }
        #expect(
            pair.sent(.updateRequest).contains { $0.at == switched?.at && $0.packet.destination == .b2 })
    }

    @Test("A host that loses every locator keeps its contexts and goes on when one comes back")
    func noLocators() {
        let pair = Pair()
        pair.establish()
        pair.announce([], by: .a)
        pair.run(for: .seconds(30), every: .milliseconds(500)) { pair.payload(from: .b) }
        #expect(pair.a.state == .established)
        pair.announce([.a2], by: .a)
        pair.run(for: .seconds(100), every: .milliseconds(500)) { pair.payload(from: .b) }
        #expect(pair.a.context?.reachability == .operational)
        #expect(pair.a.context?.updatePending == false)
        #expect(peerLocators(of: pair.b) == [.a2])
        #expect(pair.b.context?.outgoing?.destination == .a2)
    }

    @Test("A host that lost every locator that the peer knows tells it new ones from its ULID")
    func onlyTheULIDIsLeft() {
        let pair = Pair()
        pair.establish()
        pair.announce([.a2], by: .a)
        pair.run(for: .seconds(1))
        #expect(peerLocators(of: pair.b) == [.a2])
        pair.announce([.a1], by: .a)
        pair.run(for: .seconds(10))
        #expect(pair.a.context?.updatePending == false)
        #expect(peerLocators(of: pair.b) == [.a1])
    }

    @Test("A context that the peer renews goes on with the locators that R2 tells")
    func renewedWithOtherLocators() throws {
        let pair = Pair()
        pair.establish()
        pair.announce([.a2], by: .a)
        pair.run(for: .seconds(1))
        pair.post(.remove(try #require(pair.b.context?.localTag)), to: .b)
        pair.announce([.a1], by: .a)
        pair.run(for: .seconds(1))
        #expect(pair.a.context?.reachability == .exploring)
        pair.trigger(.b)
        pair.run(for: .seconds(70))
        #expect(pair.a.context?.reachability == .operational)
        #expect(pair.a.context?.outgoing?.source == .a1)
    }

    @Test("Locators that change during the exchange are announced right after it")
    func changedWhileNegotiating() {
        let pair = Pair()
        pair.trigger()
        pair.run(for: .milliseconds(25))
        #expect(pair.a.state == .i2Sent)
        pair.announce([.a1, .a3], by: .a)
        #expect(pair.sent(.updateRequest).isEmpty)
        pair.run(for: .seconds(1))
        #expect(pair.sent(.updateRequest).count == 1)
        #expect(peerLocators(of: pair.b) == [.a1, .a3])
    }

    @Test(
        "An Update Request has to come from and go to locators of the context",
        .requirement("5533-10.4-03", "5533-12.4-06", "5533-10.5-03"))
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
    }

    @Test(
        "Updates for contexts that are not there are counted",
        .requirement("5533-10.4-02", "5533-10.5-02"))
    func unknownTag() throws {
        let pair = Pair()
        try pair.forge(
            .updateRequest(UpdateRequest(receiverTag: .ofA, requestNonce: 1)), from: .a1, to: .b1)
        let acknowledgement = UpdateAcknowledgement(receiverTag: .ofA, requestNonce: 1)
        try pair.forge(.updateAcknowledgement(acknowledgement), from: .a1, to: .b1)
        #expect(pair.b.drops(.unknownTag) == 2)
    }

    @Test(
        "A large locator set is cut to what 1280 octets hold, the ULID included",
        .requirement("5533-5.1-04", "5533-5.1-05"))
    func largeSet() throws {
        var configuration = HostConfiguration()
        configuration.maximumLocators = 200
        let many = (1...150).map { IPv6Address(high: 0x2001_0db8_00a2_0000, low: UInt64($0)) } + [.a1]
        let pair = Pair(a: many, configuration: configuration)
        pair.establish()
        let i2 = try #require(pair.last(.i2))
        #expect(i2.octets.count <= 1240)
        #expect(i2.octets.count > 1240 - 72)
        #expect(peerLocators(of: pair.b).contains(.a1))
        #expect(peerLocators(of: pair.b).count > 50)
        pair.announce(many.reversed(), by: .a)
        pair.run(for: .seconds(1))
        #expect(pair.sent(.updateRequest).count == 1)
        #expect(pair.log.allSatisfy { $0.packet.octets.count <= 1240 })
    }

    @Test("A peer's endless validator pushes the list out of the I2; it follows by Update Request")
    func longValidator() throws {
        let pair = Pair()
        pair.fate = { $0.type == .r1 ? .drop : .deliver }
        pair.trigger()
        guard case .i1(let i1) = pair.last(.i1)?.message else { return }
        var r1 = R1(initiatorNonce: i1.initiatorNonce, responderNonce: 1, responderValidator: [])
        r1.responderValidator = [UInt8](repeating: 7, count: 1220)
        try pair.forge(.r1(r1), from: .b1, to: .a1, side: .a)
        #expect(pair.a.drops(.validatorTooLong) == 1)
        #expect(pair.a.state == .i1Sent)
        r1.responderValidator = [UInt8](repeating: 7, count: 1180)
        try pair.forge(.r1(r1), from: .b1, to: .a1, side: .a)
        #expect(pair.a.state == .i2Sent)
        guard case .i2(let i2) = pair.last(.i2)?.message else { return }
        #expect(i2.responderValidator == r1.responderValidator)
        #expect(i2.options.locatorList == nil)
        let r2 = R2(
            responderTag: .ofA, initiatorNonce: i1.initiatorNonce, options: .ofA([.b1], ulid: .b1))
        try pair.forge(.r2(r2), from: .b1, to: .a1, side: .a)
        let update = try request(pair.last(.updateRequest))
        #expect(update.options.cgaParameters == ToyProof.parameters(of: .a1))
        #expect(update.options.locatorList?.locators.count == 2)
    }
}
