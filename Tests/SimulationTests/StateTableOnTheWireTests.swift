import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// RFC 5534, sections 6.4 to 6.8: what a whole host answers to each message in each state.
@Suite struct StateTableOnTheWireTests {
    /// What host 1 gets from a made-up host 0, after it was brought into a state.
    private enum State: Equatable { case operational, exploring, inboundOk }

    /// A Probe or Keepalive with the tag of host 1, as if from host 0 on its links 0.
    private static func message(_ make: @escaping (ContextTag, ScriptedRun.Message) -> ControlMessage)
        -> Scenario.Action
    {
        .forge { sent in
            guard let i2 = sent.messages.sent(.i2).last, let tag = sent.messages.sent(.r2).last?.r2?.responderTag else {
                return nil
            }
            return i2.replaced(by: make(tag, i2))
        }
    }

    private static func probe(_ state: ProbeState) -> Scenario.Action {
        message { tag, i2 in
            let report = ProbeReport(source: i2.source, destination: i2.destination, nonce: 0x6e6f_6e63)
            return .probe(Probe(receiverTag: tag, state: state, sent: [report]))
        }
    }

    /// Host 1 alone, with a context, in a state from second 30 on; then `action` in second 30.1. Host 0 is silent since
    /// second 10.
    private static func run(
        _ state: State, _ actions: [(seconds: Double, action: Scenario.Action)], until end: Double = 31
    ) -> ScriptedRun {
        var script: [(seconds: Double, action: Scenario.Action)] = [(10, .stop(host: 0, byCrash: true))]
        switch state {
        case .operational: break
        case .exploring: script += [(14, .mode(flow: 0, .fromHost1)), (17, .mode(flow: 0, .silent))]
        case .inboundOk: script += [(29.9, probe(.exploring))]
        }
        return ScriptedRun(quiet: .exact, until: end, script + actions)
    }

    /// What host 1 sends within a tenth of a second from second 30.1 on, apart from what it repeats anyway.
    private static func answer(_ run: ScriptedRun) -> [ProbeState] {
        run.reachability(since: 30.1, from: 1).filter { $0.seconds < 30.1001 }.compactMap { $0.probe?.state }
    }

    @Test(
        "Probe(Exploring) is answered with InboundOk, whatever the state",
        .requirement("5534-6-01", "5534-6.7-01", "5534-6.7-02", "5534-6.7-03"), arguments: 0..<3)
    private func exploring(_ index: Int) {
        let states = [State.operational, .exploring, .inboundOk]
        let run = Self.run(states[index], [(30.1, Self.probe(.exploring))])
        #expect(Self.answer(run) == [.inboundOk])
        #expect(run.context(1)?.reachability == .inboundOk)
    }

    @Test(
        "Probe(InboundOk) is answered with Operational, whatever the state",
        .requirement("5534-6-01", "5534-6.8-01", "5534-6.8-02", "5534-6.8-03"), arguments: 0..<3)
    private func inboundOk(_ index: Int) {
        let states = [State.operational, .exploring, .inboundOk]
        let run = Self.run(states[index], [(30.1, Self.probe(.inboundOk))])
        #expect(Self.answer(run) == [.operational])
        #expect(run.context(1)?.reachability == .operational)
    }

    @Test("A Keepalive in Exploring is answered with Probe(InboundOk)", .requirement("5534-6.6-02"))
    func keepalive() {
        let run = Self.run(.exploring, [(30.1, Self.message { tag, _ in .keepalive(Keepalive(receiverTag: tag)) })])
        #expect(Self.answer(run) == [.inboundOk])
        #expect(run.context(1)?.reachability == .inboundOk)
    }

    enum Fault: CaseIterable { case none, otherTag, otherChecksum, unknownOption, criticalOption }

    @Test(
        "A Keepalive counts only with its tag, its checksum and without an option that has to be understood",
        .requirement("5534-5.1-13", "5534-8-05", "5534-5.1-14"), arguments: Fault.allCases)
    func brokenKeepalive(_ fault: Fault) {
        let run = Self.run(
            .exploring,
            [
                (
                    30.1,
                    .forge { sent in
                        guard let i2 = sent.messages.sent(.i2).last,
                            let tag = sent.messages.sent(.r2).last?.r2?.responderTag
                        else { return nil }
                        let other = ContextTag(truncating: tag.rawValue ^ 1)
                        let keepalive = Keepalive(receiverTag: fault == .otherTag ? other : tag)
                        var forged = i2.replaced(by: .keepalive(keepalive))
                        switch fault {
                        case .none, .otherTag: break
                        case .otherChecksum: forged?.octets[4] ^= 1
                        case .unknownOption: forged?.addOption(0x8002)
                        case .criticalOption: forged?.addOption(0x8003)
                        }
                        return forged
                    }
                )
            ])
        let isTaken = fault == .none || fault == .unknownOption
        #expect(Self.answer(run) == (isTaken ? [.inboundOk] : []))
        #expect(run.context(1)?.reachability == (isTaken ? .inboundOk : .exploring))
    }

    @Test(
        "In InboundOk Probes are repeated until Send Timeout; then the host explores", .requirement("5534-6.4-02"))
    func inboundOkGivesUp() throws {
        let run = Self.run(.inboundOk, [], until: 60)
        let probes = run.reachability(since: 29, from: 1)
        let first = try #require(probes.first)
        let exploring = try #require(probes.first { $0.probe?.state == .exploring })
        #expect(first.probe?.state == .inboundOk)
        #expect(abs(exploring.seconds - first.seconds - 15) < 0.001)
        #expect(probes.filter { $0.seconds < exploring.seconds }.allSatisfy { $0.probe?.state == .inboundOk })
        #expect(run.context(1)?.reachability == .exploring)
    }

    @Test(
        "No Probe is repeated once the host is Operational again", .requirement("5534-6.5-03"),
        arguments: [true, false])
    func operationalIsQuiet(byExploring: Bool) {
        let run = Self.run(byExploring ? .exploring : .inboundOk, [(30.1, Self.probe(.operational))], until: 200)
        #expect(run.reachability(since: 29, from: 1).contains { $0.seconds < 30.1 && $0.probe != nil })
        #expect(run.reachability(since: 30.1001, from: 1).allSatisfy { $0.isKeepalive })
    }

    @Test(
        "Whoever finds the failure tries one candidate pair after another, with reports of what it received",
        .requirement("5534-4.2-01", "5534-6.1-07", "5534-4.3-06"))
    func candidates() {
        // One Probe gets through to host 1 while it explores, on a pair on which nothing goes back.
        let run = ScriptedRun(
            .exact, until: 60,
            .cut(at: 10, link(1, 0) + link(1, 1))
                + [(5, .mode(flow: 0, .requests))])
        let probes = run.reachability(since: 10, from: 0)
        #expect(probes.count > 6)
        #expect(zip(probes, probes.dropFirst()).allSatisfy { $1.seconds - $0.seconds > 0.4 })
        let own = run.world.addresses(of: 0)
        let known = Set(run.context(0)?.peerLocators.map(\.address) ?? [])
        #expect(probes.allSatisfy { own.contains($0.source) && known.contains($0.destination) })
        #expect(Set(probes.prefix(4).map(\.addresses)).count == 4)
    }
}

extension ForgedMessage {
    /// Adds an option of 8 octets, whose first word is given, and makes the checksum right for it.
    fileprivate mutating func addOption(_ word: UInt16) {
        octets += [UInt8(word >> 8), UInt8(word & 0xff), 0, 4, 0, 0, 0, 0]
        octets[1] += 1
        let checksum = UInt32(octets[4]) << 8 | UInt32(octets[5])
        let right = (checksum + 2 * 0xffff - UInt32(word) - 4 - 1) % 0xffff
        octets[4] = UInt8(right >> 8)
        octets[5] = UInt8(right & 0xff)
    }
}
