import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Normal establishment")
struct NormalEstablishmentTests {
    @Test(
        "I1, R1, I2, R2 establish a context on both sides",
        .requirement("5533-7-01", "5533-7.3-01", "5533-4.5-01", "5533-4.4-01", "5533-7.7-01"))
    func fourMessages() throws {
        let pair = Pair()
        pair.trigger()
        #expect(pair.a.state == .i1Sent)
        pair.run(for: .milliseconds(25))
        #expect(pair.a.state == .i2Sent)
        #expect(pair.b.host.contexts.isEmpty)
        pair.run(for: .milliseconds(10))
        #expect(pair.b.state == .established)
        pair.run(for: .milliseconds(10))
        #expect(pair.a.state == .established)
        #expect(pair.log.compactMap(\.type) == [.i1, .r1, .i2, .r2])
    }

    @Test(
        "Both ends know each other's tags and verified locators",
        .requirement(
            "5533-7-02", "5533-4.1-02", "5533-4-04", "5533-7.13-10", "5533-7.16-04", "5533-6.2-05"))
    func bothKnowAll() throws {
        let pair = Pair()
        pair.establish()
        let a = try #require(pair.a.context)
        let b = try #require(pair.b.context)
        #expect(a.peerTag == b.localTag)
        #expect(b.peerTag == a.localTag)
        #expect(a.localTag != b.localTag)
        #expect(a.peerLocators == [.b1, .b2].map { VerifiedLocator(address: $0, method: .cga) })
        #expect(b.peerLocators == [.a1, .a2].map { VerifiedLocator(address: $0, method: .cga) })
        #expect(a.peerGeneration == b.localGeneration)
        #expect(b.peerGeneration == a.localGeneration)
        #expect(a.localGeneration != nil)
    }

    /// The four messages of a normal exchange, and the pair that sent them.
    private func messages() throws -> (Pair, I1, R1, I2, R2) {
        let pair = Pair()
        pair.establish()
        guard case .i1(let i1) = pair.last(.i1)?.message, case .r1(let r1) = pair.last(.r1)?.message,
            case .i2(let i2) = pair.last(.i2)?.message, case .r2(let r2) = pair.last(.r2)?.message
        else { throw Pair.Missing.message }
        return (pair, i1, r1, i2, r2)
    }

    @Test(
        "I1 and R1 carry tag and nonces, and the ULIDs as addresses",
        .requirement("5533-7.7-03", "5533-7.10-03", "5533-5.4-07", "5533-5.5-05", "5533-5.5-07", "5533-7.7-02"))
    func firstTwo() throws {
        let (pair, i1, r1, _, _) = try messages()
        #expect(i1.initiatorTag == pair.a.context?.localTag)
        #expect(i1.ulidPair == nil && i1.forkedInstance == nil)
        #expect(r1.initiatorNonce == i1.initiatorNonce)
        #expect(!r1.responderValidator.isEmpty)
        #expect(pair.last(.i1)?.pair == .a1b1)
        #expect(pair.last(.r1)?.pair == .b1a1)
    }

    @Test(
        "I2 repeats tag and nonces and returns the validator, over the pair of the I1",
        .requirement(
            "5533-7.11-08", "5533-7.11-09", "5533-7.11-13", "5533-5.6-06", "5533-5.6-08", "5533-5.6-10"))
    func i2Names() throws {
        let (pair, i1, r1, i2, _) = try messages()
        #expect(i2.initiatorTag == i1.initiatorTag)
        #expect(i2.initiatorNonce == i1.initiatorNonce)
        #expect(i2.responderNonce == r1.responderNonce)
        #expect(i2.responderValidator == r1.responderValidator)
        #expect(i2.ulidPair == nil && i2.forkedInstance == nil)
        #expect(pair.last(.i2)?.pair == pair.last(.i1)?.pair)
    }

    @Test(
        "I2 and R2 carry list, parameters and signature",
        .requirement(
            "5533-7.11-15", "5533-7.11-16", "5533-7.14-04", "5533-7.14-05", "5533-5.7-10", "5533-7.6-02"))
    func proofs() throws {
        let (_, _, _, i2, r2) = try messages()
        #expect(i2.options.locatorList?.locators.map(\.locator) == [.a1, .a2])
        #expect(i2.options.cgaParameters == ToyProof.parameters(of: .a1))
        #expect(i2.options.cgaSignature != nil)
        #expect(i2.options.keepaliveTimeout == nil)
        #expect(r2.options.locatorList?.locators.map(\.locator) == [.b1, .b2])
        #expect(r2.options.cgaParameters == ToyProof.parameters(of: .b1))
        #expect(r2.options.cgaSignature != nil)
    }

    @Test(
        "R2 carries the responder's tag and the nonce of the I2, back over its pair",
        .requirement("5533-7.14-02", "5533-7.14-03", "5533-5.7-05", "5533-5.7-06"))
    func r2Names() throws {
        let (pair, _, _, i2, r2) = try messages()
        #expect(r2.responderTag == pair.b.context?.localTag)
        #expect(r2.initiatorNonce == i2.initiatorNonce)
        #expect(pair.last(.r2)?.pair == .b1a1)
    }

    @Test("An R1 without a usable validator is dropped and I1 goes on", .requirement("5533-7.11-17"))
    func noValidator() throws {
        let pair = Pair()
        pair.fate = { _ in .drop }
        pair.trigger()
        guard case .i1(let i1) = pair.last(.i1)?.message else { throw Pair.Missing.message }
        var octets = try ControlMessage.r1(
            R1(initiatorNonce: i1.initiatorNonce, responderNonce: 1, responderValidator: [1, 2, 3, 4])
        ).encoded()
        octets.removeLast(8)
        octets[1] = 1
        octets.repairChecksum()
        pair.deliver(Node.Packet(octets: octets, source: .b1, destination: .a1), to: .a)
        #expect(pair.a.drops(.parse(.missingResponderValidator)) == 1)
        #expect(pair.a.state == .i1Sent)
        pair.run(for: .seconds(7))
        #expect(pair.sent(.i1).count == 2)
    }

    @Test("Having answered an I1 does not keep a host from beginning itself", .requirement("5533-7.4-03"))
    func beginsAfterR1() throws {
        let pair = Pair()
        _ = try pair.challenge(tag: .ofA)
        pair.trigger(.b)
        #expect(pair.b.state == .i1Sent)
        #expect(pair.sent(.i1, by: .b).count == 1)
    }

    @Test(
        "Payload stays as it is after establishment: the locator pair is the ULID pair",
        .requirement("5533-1.3-01", "5533-11-05", "5533-1.6-03"))
    func notRehomed() throws {
        let pair = Pair()
        pair.establish()
        let entry = try #require(pair.a.entries.values.first)
        let context = try #require(pair.a.context)
        #expect(!entry.isRehomed)
        #expect(entry.outgoing == .a1b1)
        #expect(entry.inbound == .deliver)
        #expect(entry.peerTag == context.peerTag)
        #expect(context.outgoing == .a1b1)
        #expect(context.reachability == .operational)
    }

    @Test(
        "The data path's entry follows the state",
        .requirement("5533-11-03", "5533-12.2-04", "5533-12.2-03", "5533-B-16"))
    func entries() throws {
        let pair = Pair()
        pair.trigger()
        #expect(pair.a.entries.values.first?.inbound == .discard)
        #expect(pair.a.entries.values.first?.peerTag == nil)
        pair.run(for: .milliseconds(25))
        #expect(pair.a.entries.values.first?.inbound == .deliverAndNotify)
        #expect(pair.a.entries.values.first?.peerTag == nil)
        pair.run(for: .seconds(1))
        #expect(pair.a.entries.values.first?.inbound == .deliver)
        #expect(pair.a.entries.values.first?.peerTag == pair.b.context?.localTag)
    }

    @Test(
        "R1 and R2 count only with the locators of the exchange",
        .requirement("5533-7.11-02", "5533-7.16-02", "5533-12.4-03"))
    func otherLocators() throws {
        let pair = Pair()
        pair.fate = { $0.type == .i2 ? .drop : .delay(.milliseconds(50)) }
        pair.trigger()
        guard case .i1(let i1) = pair.last(.i1)?.message else { throw Pair.Missing.message }
        let r1 = R1(initiatorNonce: i1.initiatorNonce, responderNonce: 1, responderValidator: [1])
        try pair.forge(.r1(r1), from: .b2, to: .a1, side: .a)
        try pair.forge(.r1(r1), from: .b1, to: .a2, side: .a)
        #expect(pair.a.state == .i1Sent)
        pair.run(for: .seconds(1))
        #expect(pair.a.state == .i2Sent)
        let r2 = R2(responderTag: .ofA, initiatorNonce: i1.initiatorNonce)
        try pair.forge(.r2(r2), from: .b2, to: .a1, side: .a)
        try pair.forge(.r2(r2), from: .b1, to: .a2, side: .a)
        #expect(pair.a.state == .i2Sent)
        #expect(pair.a.drops(.unmatchedNonce) == 4)
    }

    @Test("A trigger for a pair that has a context does nothing", .requirement("5533-2.1-02"))
    func secondTrigger() {
        let pair = Pair()
        pair.trigger()
        pair.trigger()
        pair.run(for: .seconds(1))
        pair.trigger()
        pair.trigger(.b)
        #expect(pair.sent(.i1).count == 1)
        #expect(pair.a.host.contexts.count == 1)
        #expect(pair.b.host.contexts.count == 1)
    }

    @Test(
        "A host without proof for its ULID takes part with the ULID alone",
        .requirement("5533-3-03", "5533-7.11-14", "3972-7.1-02"))
    func withoutProof() throws {
        let pair = Pair(identityA: ToyIdentity(ulids: []))
        pair.establish()
        let b = try #require(pair.b.context)
        #expect(b.state == .established)
        #expect(b.peerLocators == [VerifiedLocator(address: .a1, method: nil)])
        #expect(b.peerGeneration == nil)
        guard case .i2(let i2) = pair.last(.i2)?.message else {
            Issue.record("no I2")
            return
        }
        #expect(i2.options == LocatorOptions())
        #expect(pair.a.context?.peerLocators.count == 2)
    }

    @Test(
        "Two ULID pairs of the same hosts are two contexts",
        .requirement("5533-7.1-01", "5533-4.1-03", "5533-1.6-04", "5533-12.4-01"))
    func twoContexts() {
        let pair = Pair()
        pair.establish()
        pair.trigger(.a, ULIDPair(local: .a2, peer: .b1))
        pair.run(for: .seconds(1))
        #expect(pair.a.host.contexts.map(\.state) == [.established, .established])
        #expect(Set(pair.b.host.contexts.map(\.localTag)).count == 2)
        #expect(Set(pair.a.entries.values.map(\.slot)).count == 2)
    }

    @Test(
        "Tags use all of their 47 bits and do not repeat",
        .requirement("5533-7.1-02", "5533-7.1-03", "5533-9-06"))
    func tags() {
        let node = Node("A", [.a1], seed: 7)
        node.announce([.a1], at: .seconds(1))
        var tags: [UInt64] = []
        for index in 0..<200 {
            let peer = IPv6Address(high: 0x2001_0db8_00b1_0000, low: UInt64(index + 1))
            node.handle(.trigger(ULIDPair(local: .a1, peer: peer)), at: .seconds(1))
        }
        tags = node.host.contexts.map(\.localTag.rawValue)
        #expect(Set(tags).count == 200)
        #expect(tags.reduce(0, |) == 1 << 47 - 1)
        #expect(tags.reduce(UInt64.max, &) == 0)
    }

    @Test(
        "A pair that cannot have a context is refused and the trigger told",
        arguments: [
            ULIDPair(local: .a1, peer: .a1), ULIDPair(local: .a3, peer: .b1),
            ULIDPair(local: .a1, peer: IPv6Address(high: 0xff02_0000_0000_0000, low: 1)),
            ULIDPair(local: .a1, peer: IPv6Address(high: 0xfe80_0000_0000_0000, low: 1)),
            ULIDPair(local: .a1, peer: IPv6Address(high: 0, low: 0)),
            ULIDPair(local: .a1, peer: IPv6Address(high: 0, low: 1)),
        ])
    func refused(_ ulids: ULIDPair) {
        let pair = Pair()
        pair.trigger(.a, ulids)
        #expect(pair.log.isEmpty)
        #expect(pair.a.host.contexts.isEmpty)
        #expect(pair.a.forgotten == [ulids])
        #expect(pair.a.host.counters.triggersRefused == 1)
        #expect(pair.a.host.refusal(of: ulids) != nil)
    }
}
