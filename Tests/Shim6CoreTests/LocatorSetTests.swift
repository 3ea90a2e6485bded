import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Changes of the local locators")
struct LocatorSetTests {
    private func peerLocators(of node: Node) -> [IPv6Address] {
        node.context?.peerLocators.map(\.address) ?? []
    }

    private func request(_ packet: Node.Packet?) throws -> UpdateRequest {
        guard case .updateRequest(let request) = packet?.message else { throw Pair.Missing.message }
        return request
    }

    @Test(
        "A new locator is a source before the acknowledgement only where all others have brought nothing",
        .requirement("5533-7.2-05", "5533-5.11-07"))
    func notASourceYet() {
        var configuration = HostConfiguration()
        // The messages of toy hosts are short: their triple is soon used up.
        configuration.maximumAmplification = 1000
        let pair = Pair(configuration: configuration)
        pair.establish()
        pair.isCut = { _ in true }
        pair.announce([.a3, .a2, .a1], by: .a)
        pair.run(for: .seconds(120), every: .seconds(1)) { pair.payload(from: .a) }
        let sources = pair.sent(.probe, by: .a).map(\.packet.source)
        #expect(sources.count > 6 && sources.prefix(4).allSatisfy { $0 != .a3 } && sources.contains(.a3))
        #expect(pair.sent(.updateRequest, by: .a).first?.packet.source != .a3)
        #expect(pair.a.context?.outgoing?.source != .a3)
        pair.isCut = { [.a1, .a2].contains($0.source) && $0.destination == .b1 }
        pair.run(for: .seconds(240), every: .seconds(1)) { pair.payload(from: .a) }
        #expect(pair.a.context?.updatePending == false)
        pair.isCut = { $0.source != .a3 && $0.destination != .a3 }
        pair.run(for: .seconds(240), every: .seconds(1)) { pair.payload(from: .a) }
        #expect(pair.a.context?.outgoing?.source == .a3)
    }

    @Test(
        "Withdrawing the locator in use starts an exploration; the ULID stays the ULID",
        .requirement("5533-1.5-03", "5533-4-08", "5533-1.3-03"))
    func currentWithdrawn() throws {
        let pair = Pair()
        pair.establish()
        pair.payload(from: .a)
        pair.run(for: .milliseconds(100))
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
        var configuration = HostConfiguration()
        // Payload moves before the Update Request would be repeated anyway.
        configuration.reap.sendTimeout = .seconds(1)
        let pair = Pair(configuration: configuration)
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

    @Test("An Update Request that gets no answer on the current pair is repeated on others")
    func repeatedOnOtherPairs() {
        var configuration = HostConfiguration()
        // Long enough to leave the pair alone.
        configuration.reap.sendTimeout = .seconds(1_000_000)
        let pair = Pair(configuration: configuration)
        pair.establish()
        pair.isCut = { $0.destination == .b1 || $0.source == .b1 }
        pair.announce([.a1, .a2, .a3], by: .a)
        pair.run(for: .seconds(60))
        #expect(pair.sent(.updateRequest).first?.packet.pair == LocatorPair(source: .a1, destination: .b1))
        #expect(pair.a.context?.updatePending == false)
        #expect(peerLocators(of: pair.b) == [.a1, .a2, .a3])
    }

    @Test("A context that the peer renews goes on with the locators that R2 tells")
    func renewedWithOtherLocators() throws {
        let pair = Pair()
        pair.establish()
        pair.payload(from: .a)
        pair.announce([.a2], by: .a)
        pair.run(for: .seconds(1))
        pair.post(.remove(try #require(pair.b.context?.localTag)), to: .b)
        pair.fate = { $0.type == .r1bis ? .drop : .deliver }
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
