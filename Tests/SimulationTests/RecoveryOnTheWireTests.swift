import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// RFC 5533, sections 5.8, 5.9 and 7.17 to 7.20, seen on the network between two whole hosts.
@Suite struct RecoveryOnTheWireTests {
    /// Payload has moved to the links 1, and been silent for longer than Send Timeout, when host 1 loses its contexts in second
    /// 40; its tag before that; and the messages since.
    private static func recovery(
        _ actions: [(seconds: Double, action: Scenario.Action)] = [], until end: Double = 60
    ) throws -> (run: ScriptedRun, lost: ContextTag, sent: [ScriptedRun.Message]) {
        var configuration = HostConfiguration.exact
        configuration.reap.sendTimeout = .seconds(3)
        let run = ScriptedRun(
            configuration, until: end,
            .cut(at: 10, link(0, 0)) + [
                (20, .mode(flow: 0, .silent)), (40, .stop(host: 1, byCrash: true)), (40.1, .start(host: 1)),
                (40.1, .mode(flow: 0, .bothWays)),
            ] + actions)
        let r2 = try #require(run.sent(.r2).first { $0.host == 1 }?.r2)
        return (run, r2.responderTag, run.messages.filter { $0.seconds >= 40.1 })
    }

    private static func exchange() throws -> (run: ScriptedRun, lost: ContextTag, r1bis: R1bis, i2bis: I2bis, r2: R2) {
        let (run, lost, sent) = try recovery()
        return (
            run, lost, try #require(sent.sent(.r1bis).first?.r1bis), try #require(sent.sent(.i2bis).first?.i2bis),
            try #require(sent.sent(.r2).first?.r2)
        )
    }

    @Test(
        "Tagged payload without a context is answered with R1bis; I2bis and R2 bring the context back",
        .requirement("5533-4.5-02", "5533-7.5-01", "5533-7.17-01", "5533-12.2-02", "5533-5.8-08", "5533-16.2-02"))
    func taggedPayload() throws {
        let (run, lost, sent) = try Self.recovery()
        #expect(sent.prefix(3).map(\.content.type) == [.r1bis, .i2bis, .r2])
        #expect(sent.prefix(3).map(\.host) == [1, 0, 1])
        let first = try #require(sent.first)
        // The simulated data path takes a moment to report the packet.
        let payload = try #require(run.payload(since: 40).last { $0.seconds < first.seconds - 0.009 })
        #expect(payload.hasTag && first.addresses == [payload.destination, payload.source])
        for (end, other) in [(0, 1), (1, 0)] {
            #expect(run.context(end)?.state == .established)
            #expect(run.context(end)?.peerTag == run.context(other)?.localTag)
        }
        #expect(run.context(1)?.localTag != lost)
        #expect(run.payload(since: 45).allSatisfy { $0.hasTag && !$0.isLost })
    }

    @Test(
        "R1bis has the tag of the packet, a nonce and a validator; I2bis returns them",
        .requirement("5533-5.8-05", "5533-5.8-06", "5533-5.8-07", "5533-5.9-08", "5533-5.9-09", "5533-5.9-10"))
    func returned() throws {
        let (_, lost, r1bis, i2bis, _) = try Self.exchange()
        #expect(r1bis.packetTag == lost && i2bis.packetTag == lost)
        #expect(i2bis.responderNonce == r1bis.responderNonce)
        #expect(r1bis.responderValidator?.isEmpty == false)
        #expect(i2bis.responderValidator == r1bis.responderValidator)
    }

    @Test(
        "I2bis carries the tag and a nonce of its sender and the ULIDs, which are not its addresses",
        .requirement(
            "5533-5.9-06", "5533-5.9-07", "5533-5.9-11", "5533-7.18-09", "5533-5.15.6-04", "5533-7.18-08"))
    func i2bisNames() throws {
        let (run, _, _, i2bis, r2) = try Self.exchange()
        let context = try #require(run.context(0))
        #expect(i2bis.initiatorTag == context.localTag)
        #expect(r2.initiatorNonce == i2bis.initiatorNonce)
        #expect(i2bis.initiatorNonce != run.sent(.i2).first?.i2?.initiatorNonce)
        #expect(i2bis.ulidPair == ULIDPairOption(sender: context.ulids.local, receiver: context.ulids.peer))
        let (r1bis, answer) = (try #require(run.sent(.r1bis).first), try #require(run.sent(.i2bis).first))
        #expect(answer.addresses == [r1bis.destination, r1bis.source])
        #expect(answer.addresses != [context.ulids.local, context.ulids.peer])
    }

    @Test(
        "I2bis carries the list with parameters and signature",
        .requirement("5533-5.9-13", "5533-5.9-14", "5533-5.9-15", "5533-7.18-11", "5533-7.18-12", "5533-7.6-02"))
    func i2bisProves() throws {
        let (run, _, _, i2bis, _) = try Self.exchange()
        #expect(Set(i2bis.options.locatorList?.locators.map(\.locator) ?? []) == run.world.addresses(of: 0))
        #expect(i2bis.options.cgaParameters?.isEmpty == false)
        #expect(i2bis.options.cgaSignature?.isEmpty == false)
    }

    @Test(
        "I2bis is repeated twice at most; then the host goes back to I1",
        .requirement("5533-7.19-01", "5533-7.19-02", "5533-7.19-03", "5533-14-13", "5533-11-04"))
    func unanswered() throws {
        // The way to host 1 is cut once the R1bis is on its way.
        let way = (0..<4).map { Network.Path(fromHost: 0, fromLink: $0 >> 1, toLink: $0 & 1) }
        let first = try #require(try Self.recovery().sent.first).seconds
        let (run, _, sent) = try Self.recovery(way.map { (first + 0.005, .cutPath($0)) }, until: 75)
        let own = sent.filter { $0.host == 0 && $0.probe == nil && !$0.isKeepalive }
            .prefix { $0.content.type != .i1 }
        #expect(own.map(\.content.type) == [.i2bis, .i2bis, .i2bis])
        for (index, (earlier, later)) in zip(own, own.dropFirst()).enumerated() {
            let wait = later.seconds - earlier.seconds
            #expect((Double(2 << index)...Double(6 << index)).contains(wait) && abs(wait - Double(4 << index)) > 0.001)
        }
        // Meanwhile payload goes as before.
        let end = try #require(sent.sent(.i1, from: 0).first).seconds
        let payload = run.payload(since: first + 0.1).filter { $0.host == 0 && $0.seconds < end }
        #expect(payload.count > 5)
        #expect(payload.allSatisfy { $0.hasTag && $0.links == [1, 1] })
        #expect(Set(own.map(\.octets)).count == 1)
        #expect(!sent.sent(.i1, from: 0).isEmpty)
    }

    enum Occasion: CaseIterable { case probeOnAnotherPair, taggedPayload, updateRequest }

    @Test(
        "Recovery begins with a Probe, with tagged payload or with an Update Request",
        .requirement("5533-7.5-04", "5533-7.5-01"), arguments: Occasion.allCases)
    func occasions(_ occasion: Occasion) throws {
        let script: [(seconds: Double, action: Scenario.Action)]
        switch occasion {
        case .probeOnAnotherPair: script = .cut(at: 40.2, link(0, 0))
        case .taggedPayload: script = .cut(at: 10, link(0, 0))
        case .updateRequest: script = [(40.2, .removeLocator(host: 0, link: 1))]
        }
        let run = ScriptedRun(
            .exact, until: 100,
            [(38, .mode(flow: 0, .fromHost0)), (40, .stop(host: 1, byCrash: true)), (40.1, .start(host: 1))] + script)
        let first = try #require(run.sent(.r1bis).first)
        let before = try #require(run.world.record.last { $0.host == 0 && $0.seconds < first.seconds - 0.009 })
        switch occasion {
        case .probeOnAnotherPair: #expect([before].messages.first?.probe != nil)
        case .taggedPayload: #expect(before.hasTag)
        case .updateRequest: #expect([before].messages.first?.updateRequest != nil)
        }
        #expect(run.messages.first { $0.seconds > first.seconds + 0.005 && $0.host == 0 }?.content.type == .i2bis)
        #expect(run.context(1)?.state == .established)
        #expect(run.context(0)?.peerTag == run.context(1)?.localTag)
    }

    /// Host 1 gets a message with this tag, as if from host 0 on its links 0.
    private static func answers(
        to content: @escaping (_ tag: ContextTag, _ known: ContextTag) -> ControlMessage?,
        from source: IPv6Address? = nil
    ) -> (run: ScriptedRun, sent: [ScriptedRun.Message]) {
        let run = ScriptedRun(
            quiet: .exact, until: 4,
            [
                (
                    3,
                    .forge { sent in
                        guard let i2 = sent.messages.sent(.i2).last,
                            let known = sent.messages.sent(.r2).last?.r2?.responderTag,
                            let content = content(ContextTag(truncating: known.rawValue ^ 1), known)
                        else { return nil }
                        var forged = i2.replaced(by: content)
                        if let source { forged?.source = source }
                        return forged
                    }
                )
            ])
        return (run, run.messages.filter { $0.seconds >= 3 })
    }

    @Test(
        "Keepalive, Update Request and Update Acknowledgement with an unknown tag get an R1bis, and leave nothing",
        .requirement("5533-7.17-02", "5533-7.17-04", "5533-7.17-05", "5533-5.8-08"), arguments: 0..<3)
    func unknownTag(_ index: Int) throws {
        let (run, sent) = Self.answers { tag, _ in
            switch index {
            case 0: .keepalive(Keepalive(receiverTag: tag))
            case 1: .updateRequest(UpdateRequest(receiverTag: tag, requestNonce: 1))
            default: .updateAcknowledgement(UpdateAcknowledgement(receiverTag: tag, requestNonce: 1))
            }
        }
        #expect(sent.map(\.content.type) == [.r1bis])
        let (context, answer) = (try #require(run.context(1)), try #require(sent.first))
        #expect(answer.r1bis?.packetTag == ContextTag(truncating: context.localTag.rawValue ^ 1))
        #expect(answer.r1bis?.responderValidator?.isEmpty == false)
        #expect(answer.addresses == [context.ulids.local, context.ulids.peer])
        #expect(run.world.contexts(of: 1).count == 1 && context.state == .established)
    }

    @Test("I1 to I2bis with whatever tag get no R1bis", .requirement("5533-7.17-03"), arguments: 0..<4)
    func establishment(_ index: Int) {
        let (_, sent) = Self.answers { tag, _ in
            switch index {
            case 0: .r1bis(R1bis(packetTag: tag, responderNonce: 1, responderValidator: [1, 2, 3, 4]))
            case 1: .r2(R2(responderTag: tag, initiatorNonce: 1))
            case 2:
                .i2(I2(initiatorTag: tag, initiatorNonce: 1, responderNonce: 1, responderValidator: [1, 2, 3, 4]))
            default:
                .i2bis(
                    I2bis(
                        initiatorTag: tag, initiatorNonce: 1, responderNonce: 1, packetTag: tag,
                        responderValidator: [1, 2, 3, 4]))
            }
        }
        #expect(sent.isEmpty)
    }

    @Test(
        "A known tag from an address that is no locator of the peer gets an R1bis and has no effect",
        .requirement("5533-12.4-07", "5533-10.4-04", "5533-10.5-04"), arguments: 0..<3)
    func locatorsOutside(_ index: Int) throws {
        let stranger = IPv6Address(high: 0x2001_0db8_0066_0000, low: 1)
        let (run, sent) = Self.answers(
            to: { _, known in
                switch index {
                case 0: .keepalive(Keepalive(receiverTag: known))
                case 1: .updateRequest(UpdateRequest(receiverTag: known, requestNonce: 1))
                default: .updateAcknowledgement(UpdateAcknowledgement(receiverTag: known, requestNonce: 1))
                }
            }, from: stranger)
        #expect(sent.map(\.content.type) == [.r1bis])
        #expect(sent.first?.destination == stranger)
        #expect(sent.first?.r1bis?.packetTag == run.context(1)?.localTag)
        #expect(run.context(1)?.peerLocators.count == 2)
    }

    @Test(
        "A host that lost its context begins anew; the other keeps its own and takes the new tag",
        .requirement("5533-7.5-02", "5533-7.5-03"))
    func lossAtTheSender() throws {
        let run = ScriptedRun(
            quiet: .exact, until: 30,
            [(10, .stop(host: 0, byCrash: true)), (10.5, .start(host: 0)), (11, .establish(host: 0, flow: 0))])
        let sent = run.messages.filter { $0.seconds >= 11 }
        #expect(sent.prefix(4).map(\.content.type) == [.i1, .r1, .i2, .r2])
        let before = try #require(run.sent(.r2).first?.r2)
        let after = try #require(sent.sent(.r2).first?.r2)
        #expect(after.responderTag == before.responderTag)
        #expect(run.world.contexts(of: 1).count == 1)
        #expect((run.context(1)?.establishedAt?.nanoseconds ?? .max) < 3_000_000_000)
        #expect(run.context(1)?.peerTag == run.context(0)?.localTag)
        #expect(run.context(1)?.peerTag != run.sent(.i1).first?.i1?.initiatorTag)
    }
}
