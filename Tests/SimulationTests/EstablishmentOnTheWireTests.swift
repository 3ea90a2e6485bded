import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// RFC 5533, sections 5.4 to 5.7 and 7.7 to 7.16, seen on the network between two whole hosts.
@Suite struct EstablishmentOnTheWireTests {
    /// A normal exchange: the run, and its four messages.
    private static func exchange() throws -> (run: ScriptedRun, i1: I1, r1: R1, i2: I2, r2: R2) {
        // Keepalives begin five seconds after the R2.
        let run = ScriptedRun(quiet: .exact, until: 5)
        try #require(run.messages.map(\.content.type) == [.i1, .r1, .i2, .r2])
        return (
            run, try #require(run.messages[0].i1), try #require(run.messages[1].r1), try #require(run.messages[2].i2),
            try #require(run.messages[3].r2)
        )
    }

    @Test(
        "I1, R1, I2, R2 give both hosts a context with each other's locators",
        .requirement("5533-4.5-01", "5533-7-02", "5533-7.3-01", "5533-4-04", "5533-5.7-05", "5533-5.6-06"))
    func fourMessages() throws {
        let (run, i1, _, i2, r2) = try Self.exchange()
        #expect(run.messages.map(\.host) == [0, 1, 0, 1])
        let ends = try [0, 1].map { try #require(run.context($0)) }
        #expect(ends.allSatisfy { $0.state == .established && $0.peerLocators.count == 2 })
        for (end, other) in [(ends[0], ends[1]), (ends[1], ends[0])] {
            #expect(end.peerTag == other.localTag)
            #expect(end.peerLocators.map(\.address) == other.localLocators.map(\.address))
        }
        #expect(i1.initiatorTag == ends[0].localTag && i2.initiatorTag == ends[0].localTag)
        #expect(r2.responderTag == ends[1].localTag)
    }

    @Test(
        "The responder has no context before the I2, the initiator only its own half before the R2",
        .requirement("5533-4.4-01", "5533-7-01", "5533-5.5-08", "5533-7.10-01", "5535-11.4-01"))
    func stateless() {
        // A packet takes 10 ms: the R1 has left, the I2 has not come.
        let run = ScriptedRun(quiet: .exact, until: 1.025)
        #expect(run.messages.map(\.content.type) == [.i1, .r1, .i2])
        #expect(run.context(0)?.state == .i2Sent && run.context(0)?.peerTag == nil)
        #expect(run.world.contexts(of: 1).isEmpty)
        #expect(run.world.hasNoTimers(1))
    }

    @Test(
        "A flood of I1s with invented sources is answered, and leaves nothing behind",
        .requirement("5533-16-04", "5533-4.4-01"))
    func flood() throws {
        let run = ScriptedRun(
            .exact, until: 5,
            [(0, .mode(flow: 0, .silent)), (0, .establish(host: 0, flow: 0))]
                + (0..<500).map { index in
                    (
                        1,
                        .forge { sent in
                            let i1 = I1(initiatorTag: ContextTag(truncating: UInt64(index)), initiatorNonce: 1)
                            return sent.messages.sent(.i1).first.flatMap { first in
                                (try? ControlMessage.i1(i1).encoded()).map {
                                    ForgedMessage(
                                        octets: $0,
                                        source: IPv6Address(high: 0x2001_0db8_0066_0000, low: UInt64(index)),
                                        destination: first.destination)
                                }
                            }
                        }
                    )
                })
        #expect(run.sent(.r1, from: 1).count == 501)
        #expect(run.world.contexts(of: 1).count == 1)
    }

    @Test(
        "I1 and R1 stand between the ULIDs, and R1 returns the nonce with a validator",
        .requirement("5533-7.7-03", "5533-5.5-05", "5533-5.5-07", "5533-7.10-03", "5533-7.10-01"))
    func firstTwo() throws {
        let (run, i1, r1, _, _) = try Self.exchange()
        let ulids = try #require(run.context(0)?.ulids)
        #expect(i1.ulidPair == nil && i1.forkedInstance == nil)
        #expect(run.messages[0].addresses == [ulids.local, ulids.peer])
        #expect(run.messages[1].addresses == [ulids.peer, ulids.local])
        #expect(r1.initiatorNonce == i1.initiatorNonce)
        #expect(!r1.responderValidator.isEmpty)
    }

    @Test(
        "I2 returns nonce and validator of the R1, between the ULIDs",
        .requirement("5533-5.6-08", "5533-5.6-09", "5533-5.6-10", "5533-7.11-08", "5533-7.11-09", "5533-5.5-06"))
    func i2Returns() throws {
        let (run, _, r1, i2, _) = try Self.exchange()
        #expect(i2.responderNonce == r1.responderNonce)
        #expect(i2.responderValidator == r1.responderValidator)
        #expect(!i2.responderValidator.isEmpty)
        #expect(i2.ulidPair == nil)
        #expect(run.messages[2].addresses == run.messages[0].addresses)
    }

    @Test(
        "I2 carries the initiator's list with parameters and signature",
        .requirement("5533-5.6-13", "5533-5.6-14", "5533-5.6-16", "5533-5.6-17", "5533-7.11-14", "5533-7.11-15"))
    func i2Proves() throws {
        let (run, _, _, i2, _) = try Self.exchange()
        let list = try #require(i2.options.locatorList)
        #expect(list.locators.map(\.locator) == run.context(0)?.localLocators.map(\.address))
        #expect(list.locators.count == 2)
        #expect(list.locators.allSatisfy { $0.method == VerificationMethod.cga.rawValue })
        #expect(i2.options.cgaParameters?.isEmpty == false)
        #expect(i2.options.cgaSignature?.isEmpty == false)
    }

    @Test(
        "R2 carries the responder's list with parameters and signature",
        .requirement("5533-5.7-07", "5533-5.7-08", "5533-5.7-10", "5533-5.7-11", "5533-7.14-04", "5533-7.14-05"))
    func r2Proves() throws {
        let (run, _, _, _, r2) = try Self.exchange()
        let list = try #require(r2.options.locatorList)
        #expect(list.locators.map(\.locator) == run.context(1)?.localLocators.map(\.address))
        #expect(list.locators.count == 2)
        #expect(list.locators.allSatisfy { $0.method == VerificationMethod.cga.rawValue })
        #expect(r2.options.cgaParameters?.isEmpty == false)
        #expect(r2.options.cgaSignature?.isEmpty == false)
    }

    @Test(
        "Both lists name all locators of their host, by which a peer sees what belongs together",
        .requirement("5533-7.6-02", "5533-5.15.2-06", "5533-7.11-16"))
    func wholeLists() throws {
        let (run, _, _, i2, r2) = try Self.exchange()
        for (host, options) in [(0, i2.options), (1, r2.options)] {
            let named = Set(options.locatorList?.locators.map(\.locator) ?? [])
            #expect(named == run.world.addresses(of: host))
            #expect(named.count == 2)
            #expect(options.cgaSignature != nil)
        }
    }

    @Test(
        "R2 answers the I2 with its nonce and the responder's own tag, back the way it came",
        .requirement("5533-7.14-02", "5533-7.14-03", "5533-5.7-06", "5533-5.6-07"))
    func r2Answers() throws {
        let (run, _, _, i2, r2) = try Self.exchange()
        #expect(r2.initiatorNonce == i2.initiatorNonce)
        #expect(r2.responderTag == run.context(1)?.localTag)
        #expect(run.messages[3].addresses == [run.messages[2].destination, run.messages[2].source])
    }

    @Test(
        "Crossing I1s are answered with R2 by both",
        .requirement("5533-7.4-01", "5533-4.5-01", "5533-7.10-04"))
    func crossing() throws {
        let run = ScriptedRun(
            .exact, until: 5,
            [(0, .mode(flow: 0, .silent)), (1, .establish(host: 0, flow: 0)), (1, .establish(host: 1, flow: 0))])
        #expect(run.messages.map(\.content.type) == [.i1, .i1, .r2, .r2])
        for host in 0...1 {
            let i1 = try #require(run.sent(.i1, from: 1 - host).first?.i1)
            let r2 = try #require(run.sent(.r2, from: host).first?.r2)
            #expect(r2.initiatorNonce == i1.initiatorNonce)
            #expect(r2.options.locatorList?.locators.count == 2)
            #expect(run.context(host)?.state == .established)
            #expect(run.context(host)?.peerTag == run.context(1 - host)?.localTag)
        }
    }

    @Test("An I2 that crosses an I1 makes both established", .requirement("5533-7.4-02"))
    func crossingI2() {
        // Host 1 begins when host 0 has its R1: the I2 finds it in I1-SENT, and its I1 finds host 0 in I2-SENT.
        let run = ScriptedRun(quiet: .exact, until: 10, [(1.025, .establish(host: 1, flow: 0))])
        #expect(run.messages.map(\.description).prefix(4) == ["0: 0>0 i1", "1: 0>0 r1", "0: 0>0 i2", "1: 0>0 i1"])
        #expect(run.sent(.r2, from: 0).count == 1 && run.sent(.r2, from: 1).count == 1)
        #expect([0, 1].allSatisfy { run.context($0)?.state == .established })
    }

    @Test("An I1 of a peer that lost its R2 is answered with another R2", .requirement("5533-7.4-04", "5533-7.14-06"))
    func lostR2() throws {
        // Both I1s cross; the R2 for host 1 is lost on its way.
        let run = ScriptedRun(
            .exact, until: 20,
            [
                (0, .mode(flow: 0, .silent)), (1, .establish(host: 0, flow: 0)), (1, .establish(host: 1, flow: 0)),
                (1.005, .cutPath(Network.Path(fromHost: 0, fromLink: 0, toLink: 0))),
                (2.5, .healPath(Network.Path(fromHost: 0, fromLink: 0, toLink: 0))),
            ])
        #expect(run.sent(.i1, from: 1).count == 2)
        let answers = run.sent(.r2, from: 0)
        #expect(answers.count == 2)
        // None goes out by itself: each follows an I1.
        for (answer, question) in zip(answers, run.sent(.i1, from: 1)) {
            #expect(abs(answer.seconds - question.seconds - 0.01) < 0.001)
            #expect(answer.r2?.initiatorNonce == question.i1?.initiatorNonce)
        }
        #expect([0, 1].allSatisfy { run.context($0)?.state == .established })
    }
}
