import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// Somebody who has seen the tags of a context sends one message a second in the peer's name to host 0. He knows no nonce.
@Suite struct ForgeriesTests {
    enum Forgery: CaseIterable {
        case r1bis, keepalive, acknowledgement, error, probe, request

        /// `tag` is that of the receiver, `other` that of the sender.
        func content(_ tag: ContextTag, other: ContextTag, _ pair: LocatorPair, number: UInt32) -> ControlMessage? {
            switch self {
            case .r1bis:
                return .r1bis(R1bis(packetTag: other, responderNonce: number, responderValidator: [1, 2, 3, 4]))
            case .keepalive: return .keepalive(Keepalive(receiverTag: tag))
            case .acknowledgement:
                return .updateAcknowledgement(UpdateAcknowledgement(receiverTag: tag, requestNonce: number))
            case .error:
                let quoted = ControlMessage.updateRequest(UpdateRequest(receiverTag: other, requestNonce: number))
                return (try? quoted.encoded()).map {
                    .error(
                        ErrorMessage(
                            code: .unknownMessageType, offset: 0, message: $0, source: pair.destination,
                            destination: pair.source))
                }
            case .probe:
                let own = ProbeReport(source: pair.source, destination: pair.destination, nonce: number)
                let report = ProbeReport(source: pair.destination, destination: pair.source, nonce: number)
                let payload = PayloadReport(
                    source: pair.destination, destination: pair.source, ageMilliseconds: 1)
                return .probe(
                    Probe(
                        receiverTag: tag, state: .operational, sent: [own], received: [report], payload: payload))
            case .request: return .updateRequest(UpdateRequest(receiverTag: tag, requestNonce: number))
            }
        }

        /// After how many Send Timeouts payload is back at the latest, besides two seconds.
        var timeouts: Double {
            switch self {
            case .r1bis, .acknowledgement, .error: 1
            // The peer has to be asked first.
            case .keepalive, .probe, .request: 7
            }
        }
    }

    private static let sendTimeout = 3.0

    private static var configuration: HostConfiguration {
        var configuration = HostConfiguration.exact
        configuration.reap.sendTimeout = .seconds(3)
        return configuration
    }

    /// One forgery a second from `start` on.
    private static func actions(
        _ forgery: Forgery, from start: Int, until end: Int, half: Double = 0
    ) -> [(seconds: Double, action: Scenario.Action)] {
        (start..<end).map { second in
            (
                Double(second) + half,
                .forge { sent in
                    guard let i1 = sent.messages.sent(.i1, from: 0).first, let tag = i1.i1?.initiatorTag,
                        let other = sent.messages.sent(.r2, from: 1).last?.r2?.responderTag,
                        let octets = try? forgery.content(
                            tag, other: other, LocatorPair(source: i1.destination, destination: i1.source),
                            number: UInt32(second))?.encoded()
                    else { return nil }
                    return ForgedMessage(octets: octets, source: i1.destination, destination: i1.source)
                }
            )
        }
    }

    /// Host 0 sends a packet a second, and host 1 does or not.
    private static func run(
        _ mode: Scenario.Mode, until end: Double, _ actions: [(seconds: Double, action: Scenario.Action)],
        sabotage: Sabotage = .none
    ) -> ScriptedRun {
        let script = actions + [(8, .mode(flow: 0, mode))]
        return ScriptedRun(
            configuration, sabotage: sabotage, until: end, script.sorted { $0.seconds < $1.seconds })
    }

    @Test(
        "They keep no payload from another pair when its own has failed",
        .requirement("5533-7.18-07", "5534-8-05"), arguments: Forgery.allCases,
        [Scenario.Mode.bothWays, .fromHost0])
    func failure(forgery: Forgery, mode: Scenario.Mode) {
        let back = 20 + forgery.timeouts * Self.sendTimeout + 3
        let run = Self.run(
            mode, until: back + 10,
            .cut(at: 20, link(0, 0)) + Self.actions(forgery, from: 15, until: Int(back) + 10))
        let payload = run.payload(since: back).filter { $0.host == 0 }
        #expect(payload.count > 5)
        #expect(payload.allSatisfy { !$0.isLost }, "\(run.world.status)")
    }

    @Test("They move nothing off a pair that works, and end nothing", arguments: Forgery.allCases, [0.0, 20])
    func noFailure(forgery: Forgery, idle: Double) {
        let silence: [(seconds: Double, action: Scenario.Action)] =
            idle > 0 ? [(12, .mode(flow: 0, .silent)), (12 + idle, .mode(flow: 0, .bothWays))] : []
        let run = Self.run(
            .bothWays, until: 120, silence + Self.actions(forgery, from: 15, until: 50, half: 0.3))
        #expect(run.payload(since: 15).allSatisfy { !$0.isLost && $0.links == [0, 0] })
        #expect(run.context(0)?.state == .established && run.context(1)?.state == .established)
        #expect(run.context(0)?.peerTag == run.context(1)?.localTag)
    }

    @Test(
        "An R1bis is not believed while packets with the tag come in, unless it is repeated for Send Timeout",
        .requirement("5533-7.18-07"))
    func doubted() {
        let run = Self.run(
            .bothWays, until: 40,
            .cut(at: 10, link(0, 0)) + Self.actions(.r1bis, from: 25, until: 28))
        #expect(run.sent(.i2bis).isEmpty)
        #expect(run.world.counters(of: 0)?.drops(.doubtfulR1bis) == 3)
    }

    @Test("It is noticed if REAP rests while a context is recovered")
    func sabotaged() {
        let isLost = [Sabotage.none, .reachabilityRests].map { sabotage in
            Self.run(
                .bothWays, until: 60, .cut(at: 20, link(0, 0)) + Self.actions(.r1bis, from: 15, until: 60),
                sabotage: sabotage
            ).payload(since: 30).contains { $0.host == 0 && $0.isLost }
        }
        #expect(isLost == [false, true])
    }
}
