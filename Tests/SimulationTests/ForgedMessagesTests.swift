import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// What somebody off the path, or a peer that lies, gets from a whole host.
@Suite struct ForgedMessagesTests {
    /// A message of host 0's made again with changes, from and to where it went.
    private static func altered(
        _ type: MessageType, _ change: @escaping (ScriptedRun.Message) -> ControlMessage?
    ) -> Scenario.Action {
        .forge { sent in
            guard let message = sent.messages.sent(type, from: 0).last, let content = change(message) else {
                return nil
            }
            return message.replaced(by: content)
        }
    }

    private static func i2(_ change: @escaping (inout I2) -> Void) -> Scenario.Action {
        altered(.i2) { message in
            message.i2.map { i2 in
                var i2 = i2
                change(&i2)
                return .i2(i2)
            }
        }
    }

    /// Host 0 asks for a context; its I2 does not arrive, and in its place comes another.
    private static func run(_ forgery: Scenario.Action) -> ScriptedRun {
        let way = Network.Path(fromHost: 0, fromLink: 0, toLink: 0)
        return ScriptedRun(quiet: .exact, until: 1.5, [(1.015, .cutPath(way)), (1.1, forgery)])
    }

    @Test("An I2 in its octets is good wherever it comes from", .requirement("5533-5.6-10"))
    func genuine() {
        let run = Self.run(Self.i2 { _ in })
        #expect(run.world.contexts(of: 1).map(\.state) == [.established])
        #expect(run.sent(.r2).count == 1)
    }

    @Test(
        "An I2 with another validator, nonce or tag makes no context",
        .requirement("5533-16-05", "5533-4.4-01"), arguments: 0..<3)
    func alteredI2(_ index: Int) {
        let run = Self.run(
            Self.i2 { i2 in
                switch index {
                case 0: i2.responderValidator[3] ^= 1
                case 1: i2.responderNonce ^= 1
                default: i2.initiatorTag = ContextTag(truncating: i2.initiatorTag.rawValue ^ 1)
                }
            })
        #expect(run.sent(.i2).count == 1)
        #expect(run.world.contexts(of: 1).isEmpty)
        #expect(run.sent(.r2).isEmpty)
    }

    @Test(
        "An I2 whose list is not proven gets no R2",
        .requirement("5533-7.2-02", "5533-5.6-14", "5533-5.6-16", "5533-5.6-17"), arguments: 0..<4)
    func unproven(_ index: Int) {
        let run = Self.run(
            Self.i2 { i2 in
                switch index {
                case 0: i2.options.cgaParameters = nil
                case 1: i2.options.cgaSignature = nil
                case 2: i2.options.cgaSignature?[0] ^= 1
                default: i2.options.locatorList?.locators[1].locator = IPv6Address(high: 0x2001_0db8_0066_0000, low: 1)
                }
            })
        #expect(run.world.contexts(of: 1).isEmpty)
        #expect(run.sent(.r2).isEmpty)
    }

    @Test(
        "An Update Request without a proof is not acknowledged, and its locators are never used",
        .requirement("5533-7.2-02", "5533-7.2-03", "5533-10.4-10", "5533-10-01"))
    func unprovenUpdate() throws {
        let victim = IPv6Address(high: 0x2001_0db8_0066_0000, low: 1)
        let run = ScriptedRun(
            .exact, until: 80,
            .cut(at: 11, link(0, 0))
                + [
                    (
                        10,
                        .forge { sent in
                            guard let i2 = sent.messages.sent(.i2).last, let options = i2.i2?.options,
                                let answer = sent.messages.sent(.r2).last?.r2
                            else { return nil }
                            var forged = options
                            forged.locatorList?.generation &+= 1
                            forged.locatorList?.locators.append(.init(locator: victim, method: .cga))
                            let request = UpdateRequest(
                                receiverTag: answer.responderTag, requestNonce: 5, options: forged)
                            return i2.replaced(by: .updateRequest(request))
                        }
                    )
                ])
        #expect(run.sent(.updateAcknowledgement).isEmpty)
        #expect(run.world.record.allSatisfy { $0.destination != victim })
        #expect(run.payload(since: 60).contains { $0.hasTag })
    }

    @Test(
        "Control messages with a tag that is not the context's change nothing",
        .requirement("5533-16-06", "5534-8-05"), arguments: [MessageType.keepalive, .probe, .updateRequest])
    func wrongTag(type: MessageType) throws {
        let run = ScriptedRun(
            quiet: .exact, until: 20,
            [
                (
                    10,
                    .forge { sent in
                        guard let i2 = sent.messages.sent(.i2).last,
                            let tag = sent.messages.sent(.r2).last?.r2?.responderTag
                        else { return nil }
                        let wrong = ContextTag(truncating: tag.rawValue ^ 1)
                        let record = ProbeReport(source: i2.source, destination: i2.destination, nonce: 1)
                        let content: ControlMessage =
                            switch type {
                            case .keepalive: .keepalive(Keepalive(receiverTag: wrong))
                            case .probe: .probe(Probe(receiverTag: wrong, state: .exploring, sent: [record]))
                            default: .updateRequest(UpdateRequest(receiverTag: wrong, requestNonce: 1))
                            }
                        return i2.replaced(by: content)
                    }
                )
            ])
        #expect(run.context(1)?.state == .established)
        #expect(run.context(1)?.reachability == .operational)
        #expect(run.sent(.probe).isEmpty && run.sent(.updateAcknowledgement).isEmpty)
    }
}
