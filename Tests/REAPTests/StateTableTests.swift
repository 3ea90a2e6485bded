import REAP
import Requirements
import Shim6Wire
import Testing

/// The state table of RFC 5534, section 6, typed from its prose, compared with the machine cell by cell.
@Suite struct StateTableTests {
    /// A state together with the timers that can run in it.
    enum Situation: CaseIterable {
        case operationalIdle, operationalSend, operationalKeepalive, exploring, inboundOkSend, inboundOkNoSend
    }

    enum Happening: CaseIterable {
        case payloadReceived, payloadSent, otherMessageReceived, otherMessageSent, keepaliveReceived
        case probeExploring, probeInboundOk, probeOperational
        case sendTimerExpires, keepaliveTimerExpires, keepaliveIntervalEnds, probeTimerFires
    }

    /// What a timer does: it is not running afterwards, runs on from its old start, or runs from now.
    enum TimerAfter { case stopped, runsOn, runsFromNow }

    enum Message: Equatable { case nothing, keepalive, probe(ProbeState) }

    struct Cell: Equatable, CustomStringConvertible {
        var state: REAPState
        var message: Message
        var send: TimerAfter
        var keepalive: TimerAfter
        /// Whether Probes are retransmitted from here on.
        var probing: Bool

        init(
            _ state: REAPState, _ message: Message = .nothing, send: TimerAfter = .stopped,
            keep: TimerAfter = .stopped
        ) {
            self.state = state
            self.message = message
            self.send = send
            keepalive = keep
            probing = state != .operational
        }

        var description: String { "\(state) \(message) send \(send) keepalive \(keepalive) probing \(probing)" }
    }

    /// Nil where the table says that the event cannot occur: then nothing may change.
    static func expected(_ situation: Situation, _ happening: Happening) -> Cell? {
        switch (happening, situation) {
        // 6.1 Incoming payload: STOP Send, START Keepalive | SEND Probe InboundOk, START Send, GOTO InboundOk | STOP Send
        case (.payloadReceived, .operationalIdle), (.otherMessageReceived, .operationalIdle),
            (.payloadReceived, .operationalSend), (.otherMessageReceived, .operationalSend):
            Cell(.operational, keep: .runsFromNow)
        case (.payloadReceived, .operationalKeepalive), (.otherMessageReceived, .operationalKeepalive):
            Cell(.operational, keep: .runsOn)
        case (.payloadReceived, .exploring), (.otherMessageReceived, .exploring):
            Cell(.inboundOk, .probe(.inboundOk), send: .runsFromNow)
        case (.payloadReceived, .inboundOkSend), (.otherMessageReceived, .inboundOkSend),
            (.payloadReceived, .inboundOkNoSend), (.otherMessageReceived, .inboundOkNoSend):
            Cell(.inboundOk)
        // 6.2 Outgoing payload: START Send, STOP Keepalive | - | START Send
        case (.payloadSent, .operationalIdle), (.otherMessageSent, .operationalIdle),
            (.payloadSent, .operationalKeepalive), (.otherMessageSent, .operationalKeepalive):
            Cell(.operational, send: .runsFromNow)
        case (.payloadSent, .operationalSend), (.otherMessageSent, .operationalSend):
            Cell(.operational, send: .runsOn)
        case (.payloadSent, .exploring), (.otherMessageSent, .exploring): Cell(.exploring)
        case (.payloadSent, .inboundOkSend), (.otherMessageSent, .inboundOkSend):
            Cell(.inboundOk, send: .runsOn)
        case (.payloadSent, .inboundOkNoSend), (.otherMessageSent, .inboundOkNoSend):
            Cell(.inboundOk, send: .runsFromNow)
        // 6.3 Keepalive Timer: SEND Keepalive | - | -
        case (.keepaliveTimerExpires, .operationalKeepalive): Cell(.operational, .keepalive)
        case (.keepaliveTimerExpires, _): nil
        // 6.1 Keepalive Interval
        case (.keepaliveIntervalEnds, .operationalKeepalive): Cell(.operational, .keepalive, keep: .runsOn)
        case (.keepaliveIntervalEnds, _): nil
        // 6.4 Send Timer: SEND Probe Exploring, GOTO Exploring | - | SEND Probe Exploring, GOTO Exploring
        case (.sendTimerExpires, .operationalSend), (.sendTimerExpires, .inboundOkSend):
            Cell(.exploring, .probe(.exploring))
        case (.sendTimerExpires, _): nil
        // 6.5 Retransmission: - | SEND Probe Exploring | SEND Probe InboundOk, START Send
        case (.probeTimerFires, .exploring): Cell(.exploring, .probe(.exploring))
        case (.probeTimerFires, .inboundOkSend): Cell(.inboundOk, .probe(.inboundOk), send: .runsOn)
        case (.probeTimerFires, .inboundOkNoSend): Cell(.inboundOk, .probe(.inboundOk), send: .runsFromNow)
        case (.probeTimerFires, _): nil
        // 6.6 Keepalive: STOP Send | SEND Probe InboundOk, START Send, GOTO InboundOk | STOP Send
        case (.keepaliveReceived, .operationalIdle), (.keepaliveReceived, .operationalSend): Cell(.operational)
        case (.keepaliveReceived, .operationalKeepalive): Cell(.operational, keep: .runsOn)
        case (.keepaliveReceived, .exploring): Cell(.inboundOk, .probe(.inboundOk), send: .runsFromNow)
        case (.keepaliveReceived, .inboundOkSend), (.keepaliveReceived, .inboundOkNoSend): Cell(.inboundOk)
        // 6.7 Probe Exploring: SEND Probe InboundOk, (RE)START Send, STOP Keepalive, GOTO InboundOk in every state
        case (.probeExploring, _): Cell(.inboundOk, .probe(.inboundOk), send: .runsFromNow)
        // 6.8 Probe InboundOk: SEND Probe Operational, RESTART Send, STOP Keepalive, GOTO Operational in every state
        case (.probeInboundOk, _): Cell(.operational, .probe(.operational), send: .runsFromNow)
        // 6.9 Probe Operational: STOP Send, START Keepalive, GOTO Operational in every state
        case (.probeOperational, .operationalKeepalive): Cell(.operational, keep: .runsOn)
        case (.probeOperational, _): Cell(.operational, keep: .runsFromNow)
        }
    }

    /// When the running timers of a situation were started, and when its event happens unless a timer decides.
    static let start = 100.0
    static let now = 101.0

    static func rig(in situation: Situation) -> Rig {
        var rig = Rig()
        switch situation {
        case .operationalIdle: break
        case .operationalSend: _ = rig.payloadOut(start)
        case .operationalKeepalive: _ = rig.payloadIn(start)
        case .exploring: _ = rig.explore(from: start - 15)
        case .inboundOkSend, .inboundOkNoSend:
            _ = rig.probe(.exploring, on: pair(b1, a1), nonce: 5, start)
            if situation == .inboundOkNoSend { _ = rig.payloadIn(start + 0.25) }
        }
        return rig
    }

    static func cell(_ situation: Situation, _ happening: Happening) -> Cell? {
        var rig = rig(in: situation)
        var time = now
        let effects: [REAPEffect]
        switch happening {
        case .payloadReceived: effects = rig.payloadIn(now)
        case .payloadSent: effects = rig.payloadOut(now)
        case .otherMessageReceived: effects = rig.handle(.otherMessageReceived, now)
        case .otherMessageSent: effects = rig.handle(.otherMessageSent, now)
        case .keepaliveReceived: effects = rig.handle(.keepaliveReceived, now)
        case .probeExploring: effects = rig.probe(.exploring, on: pair(b2, a2), now)
        case .probeInboundOk: effects = rig.probe(.inboundOk, on: pair(b2, a2), now)
        case .probeOperational: effects = rig.probe(.operational, on: pair(b2, a2), now)
        case .sendTimerExpires, .keepaliveTimerExpires, .keepaliveIntervalEnds, .probeTimerFires:
            switch happening {
            case .sendTimerExpires, .keepaliveTimerExpires: time = start + 15
            case .keepaliveIntervalEnds: time = start + 5
            default: time = start + 0.5
            }
            guard case .some(let timer) = timer(of: happening), rig.canExpire(timer) else { return nil }
            // What else is due before belongs to other cells.
            while let deadline = rig.machine.deadline(of: timer), deadline < at(time) {
                _ = rig.handle(.timer(timer), deadline.seconds)
            }
            effects = rig.handle(.timer(timer), time)
        }
        return rig.cell(effects, at: time)
    }

    static func timer(of happening: Happening) -> REAPTimer? {
        switch happening {
        case .sendTimerExpires: .send
        case .keepaliveTimerExpires, .keepaliveIntervalEnds: .keepalive
        case .probeTimerFires: .probe
        default: nil
        }
    }

    @Test(
        "Every event in every state does what section 6 says",
        .requirement("5534-6-06", "5534-6.1-01", "5534-6.1-03", "5534-6.2-01", "5534-6.2-03", "5534-6.1-08"),
        arguments: Situation.allCases, Happening.allCases)
    func table(situation: Situation, happening: Happening) {
        #expect(Self.cell(situation, happening) == Self.expected(situation, happening))
    }

    @Test(
        "Messages of REAP do what sections 6.6 to 6.9 say",
        .requirement("5534-6.6-01", "5534-6.6-03", "5534-6.9-01", "5534-6.9-02", "5534-6.9-03", "5534-4.1-10"),
        arguments: Situation.allCases,
        [Happening.keepaliveReceived, .probeExploring, .probeInboundOk, .probeOperational])
    func messages(situation: Situation, happening: Happening) {
        #expect(Self.cell(situation, happening) == Self.expected(situation, happening))
    }

    @Test(
        "Control messages other than those of REAP count as payload, both ways",
        .requirement("5534-4.1-06", "5534-6.1-08", "5534-6.2-04"), arguments: Situation.allCases)
    func otherMessages(situation: Situation) {
        #expect(Self.cell(situation, .otherMessageReceived) == Self.cell(situation, .payloadReceived))
        #expect(Self.cell(situation, .otherMessageSent) == Self.cell(situation, .payloadSent))
        #expect(Self.cell(situation, .otherMessageReceived) == Self.expected(situation, .otherMessageReceived))
        #expect(Self.cell(situation, .otherMessageSent) == Self.expected(situation, .otherMessageSent))
    }

    @Test(
        "What leads out of Exploring and InboundOk",
        .requirement("5534-6.4-02", "5534-6.6-02", "5534-6.7-02", "5534-6.7-03", "5534-6.8-03", "5534-6.8-02"),
        arguments: [Situation.exploring, .inboundOkSend, .inboundOkNoSend],
        [Happening.sendTimerExpires, .keepaliveReceived, .probeExploring, .probeInboundOk])
    func outOfTrouble(situation: Situation, happening: Happening) {
        #expect(Self.cell(situation, happening) == Self.expected(situation, happening))
    }

    @Test(
        "Timers that a state does not have do nothing when they fire",
        .requirement("5534-6-03", "5534-6-04", "5534-6-05", "5534-6.3-02", "5534-6.4-03", "5534-6.5-03"),
        arguments: Situation.allCases, REAPTimer.allCases)
    func strayTimers(situation: Situation, timer: REAPTimer) {
        var rig = Self.rig(in: situation)
        guard !rig.canExpire(timer) else { return }
        let state = rig.machine.state
        let effects = rig.handle(.timer(timer), Self.start + 100)
        #expect(rig.machine.state == state)
        #expect(effects.allSatisfy { $0.probe == nil && $0.keepalivePair == nil })
    }

    @Test("Entering Operational cancels the next Probe", .requirement("5534-6.5-03"))
    func probesAreCancelled() throws {
        var rig = Rig()
        let probe = try #require(rig.explore()?.probe?.sent.first)
        let effects = rig.probe(
            .inboundOk, on: pair(probe.destination, probe.source), reporting: [probe], 15.2)
        #expect(rig.machine.state == .operational)
        #expect(effects.contains(.cancel(.probe)))
        #expect(rig.machine.deadline(of: .probe) == nil)
    }

    @Test("A machine begins in Operational with no timer", .requirement("5534-6-02"))
    func beginning() {
        let rig = Rig()
        #expect(rig.machine.state == .operational)
        #expect(REAPTimer.allCases.allSatisfy { rig.machine.deadline(of: $0) == nil })
    }

    @Test("Ending a context cancels what is armed", arguments: Situation.allCases)
    func ending(situation: Situation) {
        var rig = Self.rig(in: situation)
        let armed = REAPTimer.allCases.filter { rig.machine.deadline(of: $0) != nil }
        #expect(rig.machine.stop() == armed.map { .cancel($0) })
        #expect(rig.machine.stop().isEmpty)
    }
}

extension Rig {
    /// Whether `timer` runs, in the words of the RFC.
    func canExpire(_ timer: REAPTimer) -> Bool {
        switch timer {
        case .send: machine.state != .exploring && stamps.sendStart != nil
        case .keepalive: machine.state == .operational && stamps.keepStart != nil
        case .probe: machine.state != .operational
        case .failback: false
        }
    }

    /// What became of the machine, seen from outside.
    func cell(_ effects: [REAPEffect], at seconds: Double) -> StateTableTests.Cell {
        let messages: [StateTableTests.Message] = effects.compactMap {
            if let probe = $0.probe { return .probe(probe.state) }
            return $0.keepalivePair == nil ? nil : .keepalive
        }
        var cell = StateTableTests.Cell(machine.state, messages.first ?? .nothing)
        if messages.count > 1 { Issue.record("more than one message: \(messages)") }
        cell.send = after(canExpire(.send) ? stamps.sendStart : nil, seconds)
        cell.keepalive = after(canExpire(.keepalive) ? stamps.keepStart : nil, seconds)
        cell.probing = machine.deadline(of: .probe) != nil
        // A timer that runs is armed no later than it expires; one that a state does not have is not armed.
        for timer in REAPTimer.allCases where canExpire(timer) && machine.deadline(of: timer) == nil {
            Issue.record("\(timer) runs but is not armed")
        }
        if machine.state == .exploring { #expect(machine.deadline(of: .send) == nil) }
        if machine.state != .operational { #expect(machine.deadline(of: .keepalive) == nil) }
        return cell
    }

    private func after(_ start: Instant?, _ seconds: Double) -> StateTableTests.TimerAfter {
        guard let start else { return .stopped }
        return start == at(seconds) ? .runsFromNow : .runsOn
    }
}
