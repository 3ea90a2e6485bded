import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Responder")
struct ResponderTests {
    @Test(
        "An I1 leaves nothing behind, however many come",
        .requirement(
            "5533-7.9-04", "5533-7.10-01", "5533-7.10-02", "5533-5.5-08", "5533-16-04", "5533-B-02"))
    func stateless() throws {
        let pair = Pair()
        for index in 0..<500 {
            let r1 = try pair.challenge(tag: ContextTag(truncating: UInt64(index)), nonce: UInt32(index))
            #expect(r1.initiatorNonce == UInt32(index))
        }
        #expect(pair.b.host.contexts.isEmpty)
        #expect(pair.b.effects.count == 1)
        #expect(pair.b.nextDeadline == nil)
        #expect(pair.last(.r1)?.pair == .b1a1)
    }

    @Test(
        "A correct I2 without an exchange to remember makes the context",
        .requirement("5533-7.13-10", "5533-B-04"))
    func genuine() throws {
        let pair = Pair()
        let r1 = try pair.challenge(tag: .ofA)
        try pair.forge(.i2(pair.i2(r1, tag: .ofA)), from: .a1, to: .b1)
        #expect(pair.b.state == .established)
        #expect(pair.b.context?.peerTag == .ofA)
        #expect(pair.b.verifier.looks == 1)
        guard case .r2(let r2) = pair.last(.r2, by: .b)?.message else {
            Issue.record("no R2")
            return
        }
        #expect(r2.initiatorNonce == r1.initiatorNonce)
        #expect(r2.responderTag == pair.b.context?.localTag)
        #expect(pair.last(.r2)?.pair == .b1a1)
    }

    enum Change: CaseIterable {
        case validator, shortValidator, longValidator, emptyValidator, tag, source, destination,
            peerULID, localULID
    }

    @Test(
        "An I2 that differs from its I1 costs no cryptography and makes no context",
        .requirement("5533-7.10.1-02", "5533-7.10.1-03", "5533-7.13-06", "5533-5.15.1-04", "5533-16-05"),
        arguments: Change.allCases)
    func altered(_ change: Change) throws {
        let pair = Pair()
        let r1 = try pair.challenge(tag: .ofA)
        var i2 = pair.i2(r1, tag: .ofA)
        var (source, destination) = (IPv6Address.a1, IPv6Address.b1)
        switch change {
        case .validator: i2.responderValidator[15] ^= 1
        case .shortValidator: i2.responderValidator.removeLast()
        case .longValidator: i2.responderValidator.append(0)
        case .emptyValidator: i2.responderValidator = []
        case .tag: i2.initiatorTag = ContextTag(truncating: 1)
        case .source: (source, i2.ulidPair) = (.a2, ULIDPairOption(sender: .a1, receiver: .b1))
        case .destination:
            (destination, i2.ulidPair) = (.b2, ULIDPairOption(sender: .a1, receiver: .b1))
        case .peerULID: i2.ulidPair = ULIDPairOption(sender: .a2, receiver: .b1)
        case .localULID: i2.ulidPair = ULIDPairOption(sender: .a1, receiver: .b2)
        }
        try pair.forge(.i2(i2), from: source, to: destination)
        #expect(pair.b.drops(.badValidator) == 1)
        #expect(pair.b.verifier.looks == 0)
        #expect(pair.b.host.contexts.isEmpty)
        #expect(pair.sent(.r2).isEmpty)
    }

    @Test(
        "The Initiator Nonce of the I2 may differ from that of the I1", .requirement("5533-7.11-12"))
    func otherNonce() throws {
        let pair = Pair()
        var i2 = pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)
        i2.initiatorNonce &+= 1
        try pair.forge(.i2(i2), from: .a1, to: .b1)
        guard case .r2(let r2) = pair.last(.r2, by: .b)?.message else {
            Issue.record("no R2")
            return
        }
        #expect(r2.initiatorNonce == i2.initiatorNonce)
    }

    @Test(
        "A validator is good for VALIDATOR_MIN_LIFETIME and never for twice as long",
        .requirement(
            "5533-7.13-04", "5533-7.13-05", "5533-14-09", "5533-7.12-04", "5533-7.10.1-01", "5533-16.2-03"
        ),
        arguments: [0, 10, 29])
    func age(ofPeriod start: Int) throws {
        for (age, isGood) in [(0, true), (15, true), (30, true), (61, false), (600, false)] {
            let pair = Pair()
            // Begins the period of the nonce before the I1 in question.
            _ = try pair.challenge(tag: ContextTag(truncating: 1))
            pair.run(for: .seconds(start))
            let r1 = try pair.challenge(tag: .ofA)
            pair.run(for: .seconds(age))
            // Others' messages move the period on.
            _ = try pair.challenge(tag: ContextTag(truncating: 2))
            try pair.forge(.i2(pair.i2(r1, tag: .ofA)), from: .a1, to: .b1)
            #expect((pair.b.state == .established) == isGood, "age \(age)")
            #expect(pair.b.drops(.staleResponderNonce) == (isGood ? 0 : 1))
            #expect(pair.b.verifier.looks == (isGood ? 1 : 0))
        }
    }

    @Test("A Responder Nonce that was never given out is refused", .requirement("5533-7.13-04"))
    func inventedNonce() throws {
        let pair = Pair()
        var i2 = pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)
        i2.responderNonce &+= 1
        try pair.forge(.i2(i2), from: .a1, to: .b1)
        i2.responderNonce &-= 2
        try pair.forge(.i2(i2), from: .a1, to: .b1)
        #expect(pair.b.drops(.staleResponderNonce) == 2)
        let fresh = Pair(seed: 5)
        try fresh.forge(.i2(i2), from: .a1, to: .b1)
        #expect(fresh.b.drops(.staleResponderNonce) == 1)
    }

    @Test("Another host's validator is worth nothing here", .requirement("5533-5.15.1-03"))
    func othersValidator() throws {
        let (one, other) = (Pair(seed: 1), Pair(seed: 2))
        let theirs = try other.challenge(tag: .ofA)
        var i2 = one.i2(try one.challenge(tag: .ofA), tag: .ofA)
        i2.responderValidator = theirs.responderValidator
        try one.forge(.i2(i2), from: .a1, to: .b1)
        #expect(one.b.drops(.badValidator) == 1)
    }

    @Test("An I2 without Responder Validator is dropped", .requirement("5533-7.13-07"))
    func noValidator() throws {
        let pair = Pair()
        _ = try pair.challenge(tag: .ofA)
        var octets: [UInt8] = [59, 2, 3, 0, 0, 0] + [UInt8](repeating: 0, count: 18)
        octets.repairChecksum()
        pair.deliver(Node.Packet(octets: octets, source: .a1, destination: .b1), to: .b)
        #expect(pair.b.drops(.parse(.missingResponderValidator)) == 1)
    }

    @Test(
        "I1 for an established context: R2 for the peer's own tag, R1 for another",
        .requirement("5533-7.9-07", "5533-7.9-08", "5533-B-33", "5533-7.5-02", "5533-7.6-05"))
    func i1Established() throws {
        let pair = Pair()
        pair.establish()
        let tag = try #require(pair.a.context?.localTag)
        pair.clearLog()
        try pair.forge(.i1(I1(initiatorTag: tag, initiatorNonce: 5)), from: .a1, to: .b1)
        #expect(pair.log.compactMap(\.type) == [.r2])
        try pair.forge(.i1(I1(initiatorTag: .ofA, initiatorNonce: 6)), from: .a1, to: .b1)
        #expect(pair.log.compactMap(\.type) == [.r2, .r1])
        #expect(pair.b.context?.peerTag == tag)
        #expect(pair.b.state == .established)
    }

    @Test(
        "An I1 from a stranger's address for our ULIDs gets R1, in every state",
        .requirement("5533-7.9-05", "5533-7.9-06"),
        arguments: [ContextState.i1Sent, .i2Sent, .established])
    func i1FromElsewhere(_ state: ContextState) throws {
        let pair = Pair()
        pair.fate = { sent in
            switch state {
            case .i1Sent: .drop
            case .i2Sent: sent.type == .i2 ? .drop : .deliver
            default: .deliver
            }
        }
        pair.trigger(.b)
        pair.run(for: .milliseconds(100))
        #expect(pair.b.state == state)
        let tag = pair.b.context?.peerTag ?? .ofA
        _ = try pair.challenge(
            tag: tag, from: .stranger, ulids: ULIDPairOption(sender: .a1, receiver: .b1))
        #expect(pair.sent(.r2, by: .b).isEmpty)
        #expect(pair.last(.r1)?.destination == .stranger)
    }

    @Test(
        "A peer that lost its context comes back with a new tag into the same context of ours",
        .requirement("5533-7.5-03", "5533-7.13-16", "5533-B-34", "5533-7.13-19"))
    func peerRestarted() throws {
        let pair = Pair()
        pair.establish()
        let before = try #require(pair.b.context)
        let r1 = try pair.challenge(tag: .ofA)
        try pair.forge(.i2(pair.i2(r1, tag: .ofA, options: .ofA([.a1, .a3]))), from: .a1, to: .b1)
        let after = try #require(pair.b.context)
        #expect(after.localTag == before.localTag)
        #expect(after.state == .established)
        #expect(after.peerTag == .ofA)
        #expect(after.peerLocators.map(\.address) == [.a1, .a3])
        #expect(pair.b.entries[after.localTag]?.peerTag == .ofA)
        #expect(pair.sent(.r2, by: .b).count == 2)
    }

    @Test("A late copy of an I2 that was replaced since changes nothing, it is only answered")
    func repeatedI2() throws {
        let pair = Pair()
        let i2 = pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)
        try pair.forge(.i2(i2), from: .a1, to: .b1)
        let tag = try #require(pair.b.context?.localTag)
        let update = UpdateRequest(
            receiverTag: tag, requestNonce: 1, options: .ofA([.a1, .a3], generation: 8))
        try pair.forge(.updateRequest(update), from: .a1, to: .b1)
        try pair.forge(.i2(i2), from: .a1, to: .b1)
        #expect(pair.b.context?.peerLocators.map(\.address) == [.a1, .a3])
        #expect(pair.sent(.r2, by: .b).count == 2)
        #expect(pair.b.verifier.looks == 2)
    }

    @Test(
        "A valid I2 in I2-SENT is recorded and answered; the state stays until R2 comes",
        .requirement("5533-7.13-17", "5533-B-19", "5533-6.2-04"))
    func i2InI2Sent() throws {
        let pair = Pair()
        let r1 = try pair.challenge(tag: .ofA)
        pair.fate = { $0.type == .i2 && $0.by == .b ? .drop : .deliver }
        pair.trigger(.b)
        pair.run(for: .milliseconds(30))
        #expect(pair.b.state == .i2Sent)
        try pair.forge(.i2(pair.i2(r1, tag: .ofA)), from: .a1, to: .b1)
        #expect(pair.b.state == .i2Sent)
        #expect(pair.b.context?.peerTag == .ofA)
        #expect(pair.sent(.r2, by: .b).count == 1)
        #expect(pair.b.entries.values.first?.peerTag == nil)
    }

    @Test("A late copy of an I2 that a newer one has replaced brings nothing back", .requirement("5533-5.15.1-05"))
    func supersededI2() throws {
        let pair = Pair()
        let tags = [ContextTag.ofA, ContextTag(truncating: 0x77)]
        let i2 = try tags.map { tag in
            pair.i2(try pair.challenge(tag: tag, nonce: UInt32(truncatingIfNeeded: tag.rawValue)), tag: tag)
        }
        for message in i2 { try pair.forge(.i2(message), from: .a1, to: .b1) }
        #expect(pair.b.context?.peerTag == tags[1])
        try pair.forge(.i2(i2[0]), from: .a1, to: .b1)
        #expect(pair.b.drops(.supersededIntroduction) == 1)
        #expect(pair.b.context?.peerTag == tags[1])
        #expect(pair.sent(.r2).count == 2)
        try pair.forge(.i2(i2[1]), from: .a1, to: .b1)
        #expect(pair.sent(.r2).count == 3)
    }

    @Test("The responder's ULID has to be its own", .requirement("5533-5.15.6-05"))
    func foreignULID() throws {
        let pair = Pair()
        let i1 = I1(
            initiatorTag: .ofA, initiatorNonce: 1,
            ulidPair: ULIDPairOption(sender: .a1, receiver: .stranger))
        try pair.forge(.i1(i1), from: .a1, to: .b1)
        #expect(pair.b.drops(.ulidNotLocal) == 1)
        #expect(pair.log.isEmpty)
    }

    @Test(
        "A context can be made from a locator that is not the ULID if the list proves it",
        .requirement("5533-7.9-02", "5533-7.13-02", "5533-5.15.6-05"))
    func ulidPairOption() throws {
        let pair = Pair()
        let option = ULIDPairOption(sender: .a1, receiver: .b1)
        let r1 = try pair.challenge(tag: .ofA, from: .a2, ulids: option)
        var i2 = pair.i2(r1, tag: .ofA)
        i2.ulidPair = option
        try pair.forge(.i2(i2), from: .a2, to: .b1)
        #expect(pair.b.context?.ulids == .atB)
        #expect(pair.last(.r2)?.pair == LocatorPair(source: .b1, destination: .a2))
    }

    @Test(
        "An I2 from an address that its list does not prove is dropped",
        .requirement("5533-7.13-12", "5533-7.13-15"), arguments: [true, false])
    func unprovenSource(isEstablished: Bool) throws {
        let pair = Pair()
        if isEstablished { pair.establish() }
        let option = ULIDPairOption(sender: .a1, receiver: .b1)
        var i2 = pair.i2(try pair.challenge(tag: .ofA, from: .stranger, ulids: option), tag: .ofA)
        i2.ulidPair = option
        try pair.forge(.i2(i2), from: .stranger, to: .b1)
        #expect(pair.b.drops(.sourceNotALocator) == 1)
        #expect(pair.b.context?.peerTag == (isEstablished ? pair.a.context?.localTag : nil))
    }
}
