import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

/// I2BIS-SENT against every message, and R1bis against every state (RFC 5533, section 7.18 and appendix B).
@Suite("States of recovery")
struct RecoveryStatesTests {
    private static let validator: [UInt8] = [1, 2, 3]

    private func forgeR1bis(_ pair: Pair, tag: ContextTag = .ofA, from source: IPv6Address = .a1) throws {
        let r1bis = R1bis(packetTag: tag, responderNonce: 9, responderValidator: Self.validator)
        try pair.forge(.r1bis(r1bis), from: source, to: .b1)
    }

    @Test(
        "R1bis has no effect in I1-SENT, I2-SENT and I2BIS-SENT",
        .requirement("5533-7.18-04", "5533-7.18-05", "5533-7.18-06", "5533-B-15", "5533-B-23", "5533-B-31"),
        arguments: [ContextState.i1Sent, .i2Sent, .i2bisSent])
    func r1bisElsewhere(state: ContextState) throws {
        let pair = Pair()
        let bench = try Bench(state, pair)
        let before = pair.b.context
        try forgeR1bis(pair)
        #expect(pair.b.state == state)
        #expect(pair.b.context?.peerTag == before?.peerTag)
        #expect(bench.sentByB.isEmpty)
    }

    @Test(
        "In ESTABLISHED R1bis needs the right tag and a locator of the peer; then I2bis goes out",
        .requirement("5533-B-38", "5533-16.2-01"))
    func r1bisInEstablished() throws {
        let pair = Pair()
        let bench = try Bench(.established, pair)
        try forgeR1bis(pair, from: .stranger)
        try forgeR1bis(pair, tag: ContextTag(truncating: 5))
        #expect(pair.b.state == .established && bench.sentByB.isEmpty)
        try forgeR1bis(pair)
        #expect(pair.b.state == .i2bisSent && bench.sentByB == [.i2bis])
        #expect(pair.b.context?.peerTag == .ofA)
    }

    @Test("In I2BIS-SENT an I1 is answered with R2 and changes nothing", .requirement("5533-7.9-11", "5533-B-26"))
    func i1() throws {
        let pair = Pair()
        let bench = try Bench(.i2bisSent, pair)
        let tag = ContextTag(truncating: 0x77)
        try pair.forge(.i1(I1(initiatorTag: tag, initiatorNonce: 4)), from: .a1, to: .b1)
        #expect(bench.sentByB == [.r2])
        #expect(pair.b.state == .i2bisSent && pair.b.context?.peerTag == .ofA)
    }

    @Test("In I2BIS-SENT an R1 is discarded", .requirement("5533-7.11-06", "5533-B-29"))
    func r1() throws {
        let pair = Pair()
        let bench = try Bench(.i2bisSent, pair)
        let nonce = try #require(bench.nonce)
        let r1 = R1(initiatorNonce: nonce, responderNonce: 1, responderValidator: Self.validator)
        try pair.forge(.r1(r1), from: .a1, to: .b1)
        #expect(bench.sentByB.isEmpty)
        #expect(pair.b.state == .i2bisSent)
    }

    @Test(
        "In I2BIS-SENT a valid I2 gives tag and locators, and is answered with R2",
        .requirement("5533-7.13-18", "5533-B-27"))
    func i2() throws {
        let pair = Pair()
        // The challenge of a host that had no context yet holds for a minute.
        let tag = ContextTag(truncating: 0x77)
        let r1 = try pair.challenge(tag: tag)
        let bench = try Bench(.i2bisSent, pair)
        var bad = pair.i2(r1, tag: tag, options: .ofA([.a1, .a3]))
        bad.responderValidator[0] ^= 1
        try pair.forge(.i2(bad), from: .a1, to: .b1)
        #expect(bench.sentByB.isEmpty && pair.b.context?.peerTag == .ofA)
        try pair.forge(.i2(pair.i2(r1, tag: tag, options: .ofA([.a1, .a3]))), from: .a1, to: .b1)
        #expect(bench.sentByB == [.r2])
        #expect(pair.b.state == .i2bisSent && pair.b.context?.peerTag == tag)
        #expect(pair.b.context?.peerLocators.map(\.address) == [.a1, .a3])
    }

    @Test(
        "A valid I2bis is answered with R2 and leaves the state; another has no effect",
        .requirement("5533-B-20", "5533-B-28", "5533-B-35"),
        arguments: [ContextState.i2Sent, .i2bisSent, .established])
    func i2bis(state: ContextState) throws {
        let pair = Pair()
        let good = try pair.i2bis(tag: ContextTag(truncating: 0x77))
        let bench = try Bench(state, pair)
        let before = pair.b.context?.peerTag
        var bad = good
        bad.responderValidator?[0] ^= 1
        try pair.forge(.i2bis(bad), from: .a2, to: .b1)
        #expect(bench.sentByB.isEmpty && pair.b.state == state && pair.b.context?.peerTag == before)
        try pair.forge(.i2bis(good), from: .a2, to: .b1)
        #expect(bench.sentByB == [.r2] && pair.b.state == state)
        #expect(pair.b.context?.peerTag == ContextTag(truncating: 0x77))
    }

    @Test(
        "Without a context tagged payload and tagged messages get R1bis, and there is none after",
        .requirement("5533-B-07"))
    func idle() throws {
        let pair = Pair()
        pair.post(.unknownTag(.ofA, source: .a1, destination: .b1), to: .b)
        try pair.forge(.keepalive(Keepalive(receiverTag: .ofA)), from: .a1, to: .b1)
        try pair.forge(
            .updateAcknowledgement(UpdateAcknowledgement(receiverTag: .ofA, requestNonce: 1)), from: .a1, to: .b1)
        #expect(pair.log.map(\.type) == [.r1bis, .r1bis, .r1bis])
        #expect(pair.b.host.contexts.isEmpty)
    }

    @Test("The constants of I2bis", .requirement("5533-14-07", "5533-14-08"))
    func constants() {
        #expect(HostConfiguration().i2bisTimeout == .seconds(4))
        #expect(HostConfiguration().i2bisRetriesMax == 2)
    }
}
