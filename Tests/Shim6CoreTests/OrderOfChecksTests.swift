import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

/// What is looked at before what, and that nothing changes before all has been (RFC 5533, sections 7.9 to 7.16).
@Suite("Order of checks")
struct OrderOfChecksTests {
    @Test("An I2 is checked before the context that it names is looked at", .requirement("5533-7.13-09"))
    func i2First() throws {
        let pair = Pair()
        pair.establish()
        let before = pair.b.context
        var i2 = pair.i2(try pair.challenge(tag: ContextTag(truncating: 99), from: .stranger), tag: .ofA)
        i2.responderValidator[2] ^= 1
        try pair.forge(.i2(i2), from: .a1, to: .b1)
        #expect(pair.b.drops(.badValidator) == 1)
        #expect(pair.b.context?.peerTag == before?.peerTag)
        #expect(pair.b.context?.peerLocators == before?.peerLocators)
        #expect(pair.b.verifier.looks == 1)
    }

    @Test("In I1-SENT a list is verified before it is taken", .requirement("5533-7.13-14"))
    func listInI1Sent() throws {
        let pair = Pair()
        let r1 = try pair.challenge(tag: .ofA)
        pair.fate = { _ in .drop }
        pair.trigger(.b)
        var i2 = pair.i2(r1, tag: .ofA)
        i2.options.cgaSignature?[1] ^= 1
        try pair.forge(.i2(i2), from: .a1, to: .b1)
        #expect(pair.b.state == .i1Sent)
        #expect(pair.b.context?.peerLocators.isEmpty == true && pair.b.context?.peerTag == nil)
        #expect(pair.sent(.r2, by: .b).isEmpty)
        try pair.forge(.i2(pair.i2(r1, tag: .ofA)), from: .a1, to: .b1)
        #expect(pair.b.state == .established)
        #expect(pair.b.context?.peerLocators.map(\.address) == [.a1, .a2])
    }

    @Test("In I1-SENT an R1 counts only between the ULIDs", .requirement("5533-7.11-03"))
    func r1FromElsewhere() throws {
        let pair = Pair()
        pair.fate = { _ in .drop }
        pair.trigger()
        guard case .i1(let i1) = pair.last(.i1)?.message else { throw Pair.Missing.message }
        let r1 = R1(initiatorNonce: i1.initiatorNonce, responderNonce: 1, responderValidator: [1, 2, 3, 4])
        for (source, destination) in [(IPv6Address.b2, IPv6Address.a1), (.stranger, .a1), (.b1, .a2)] {
            try pair.forge(.r1(r1), from: source, to: destination, side: .a)
            #expect(pair.a.state == .i1Sent)
        }
        try pair.forge(.r1(r1), from: .b1, to: .a1, side: .a)
        #expect(pair.a.state == .i2Sent)
    }

    @Test(
        "Any generation is as new as any other, as long as it is another",
        .requirement("5533-5.15.2-08", "5533-D.6-01"), arguments: [0, 6, 8, .max] as [UInt32])
    func generations(generation: UInt32) throws {
        let pair = Pair()
        try pair.forge(.i2(pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)), from: .a1, to: .b1)
        #expect(pair.b.context?.peerGeneration == 7)
        let tag = try #require(pair.b.context?.localTag)
        let request = UpdateRequest(
            receiverTag: tag, requestNonce: 1, options: .ofA([.a1, .a3], generation: generation))
        try pair.forge(.updateRequest(request), from: .a1, to: .b1)
        #expect(pair.b.context?.peerGeneration == generation)
        #expect(pair.b.context?.peerLocators.map(\.address) == [.a1, .a3])
    }

    @Test("All sessions between two addresses have one context", .requirement("5533-D.1-01"))
    func oneContext() {
        let pair = Pair()
        pair.establish()
        let count = pair.sent(.i1).count
        pair.trigger()
        pair.trigger(.b)
        pair.run(for: .seconds(10))
        #expect(pair.sent(.i1).count == count)
        #expect(pair.a.host.contexts.count == 1 && pair.b.host.contexts.count == 1)
    }
}
