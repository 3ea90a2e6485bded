import Shim6Wire

extension REAPMachine {
    /// Does what the table says of an event in the present state.
    ///
    /// - Parameters:
    ///   - reason: why the state changes, if it does; nil for an event that changes it in no state.
    ///   - pair: that of the Probe which is the event.
    ///   - beginning: the exploration, if it is known already that one begins and how.
    mutating func perform(
        _ event: TableEvent, _ reason: REAPReason?, answering pair: LocatorPair? = nil,
        beginning: Exploration? = nil, _ moment: inout Moment
    ) {
        let before = state
        var row = tableRow(event, in: before)
        if before == .operational, event.isProvenByTag, row.goto == nil, !believesTag(&moment) {
            row.send = nil
            row.keepalive = nil
        }
        if let next = row.goto {
            // Commands that begin from scratch: 5534-6-03, 5534-6-04, 5534-6-05.
            moment.tell(send: row.send == .start ? .restart : row.send ?? .stop)
            moment.tell(keepalive: row.keepalive == .start ? .restart : row.keepalive ?? .stop)
            go(to: next, reason, beginning, &moment)
        } else {
            moment.tell(send: row.send, keepalive: row.keepalive)  // 5534-6-06
        }
        if row.sendsKeepalive {
            moment.effects.append(.sendKeepalive(current))  // 5534-6.1-10
            phase.operational?.lastKeepalive = moment.now
        }
        switch row.probe {
        case nil: break
        case .exploring?: sendNextProbe(&moment)
        case .inboundOk? where event == .retransmission: sendNextProbe(&moment)
        case .inboundOk?:
            // The peer waits for it: it takes its place in the budget whether there is one or not.
            moment.paths.budget.spend(at: moment.now)
            let target =
                if let pair {
                    answerPair(to: pair, isRepeated: before == .inboundOk, at: moment.now)
                } else {
                    nextPair()
                }
            if row.goto == nil {
                sendProbe(on: target, &moment)
            } else {
                phase.exploration?.probes = 0
                sendScheduledProbe(on: target, &moment)
            }
        case .operational?:
            moment.paths.budget.spend(at: moment.now)
            sendProbe(on: current, &moment)
        }
    }

    /// Prepares an exploration that leaves Operational: nothing of an earlier one counts.
    mutating func beginExploration(_ moment: inout Moment) -> Exploration {
        memory = ProbeMemory()
        if case .asked(let wanted) = phase.operational?.choice {
            moment.effects.append(.switchRefused(wanted.pair, .exploring))
        }
        phase = .operational(Operational())
        timers.drawJitter(configuration, random: &moment.random)
        return Exploration(
            since: moment.now, failed: current, local: local, untold: untold, peer: peer, paths: moment.paths)
    }

    /// GOTO.
    private mutating func go(
        to next: REAPState, _ reason: REAPReason?, _ beginning: Exploration?, _ moment: inout Moment
    ) {
        let before = state
        switch next {
        case .operational:
            endExploration(&moment)
        case .exploring:
            var exploration = beginning ?? phase.exploration ?? beginExploration(&moment)
            exploration.since = moment.now
            memory.forgetReceived()
            memory.doubtReports()
            phase = .exploring(exploration)
        case .inboundOk:
            phase = .inboundOk(beginning ?? phase.exploration ?? beginExploration(&moment))
        }
        if let reason, next != before { moment.effects.append(.changed(from: before, to: next, reason)) }
        // 5534-6.5-03
        if next == .operational, timers.clear(.probe) { moment.effects.append(.cancel(.probe)) }
    }

    private mutating func endExploration(_ moment: inout Moment) {
        if let exploration = phase.exploration, exploration.isOwnSuspicion {
            alarmEnded(exploration, moment)
        }
        phase = .operational(Operational())
        timers.drawJitter(configuration, random: &moment.random)
    }
}
