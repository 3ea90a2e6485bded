import REAP
import Shim6Core
import Shim6Wire

// The daemon's part: events in, effects carried out.
extension World {
    func report(_ event: Event, to host: SimulatedHost) {
        guard host.daemon != nil else { return }
        if host.stalledUntil > now {
            host.backlog.append(event)
        } else {
            process(event, host)
        }
    }

    func timerDue(_ timer: Timer, _ deadline: Instant, _ host: SimulatedHost) {
        guard host.armed[timer] == deadline else { return }
        if host.stalledUntil > now {
            host.lateTimers.append((timer, deadline))
            return
        }
        // The clock may have leapt since it was armed; what was scheduled before then comes too late to matter.
        guard clock(of: host) >= deadline else { return }
        host.armed[timer] = nil
        process(.timer(timer), host)
        // A timer that fires twice does no harm.
        if random.chance(0.01), host.armed[timer] == nil { process(.timer(timer), host) }
    }

    /// Lets the daemon handle an event, performs the effects in order, and looks whether everything is as it must be.
    func process(_ event: Event, _ host: SimulatedHost) {
        guard failure == nil, let daemon = host.daemon else { return }
        note("\(host.name) < \(describe(event))")
        visit(event, host)
        let effects = daemon.handle(event, at: clock(of: host))
        tally.digest.absorb(now.nanoseconds)
        tally.digest.absorb(UInt64(effects.count * hosts.count + host.number))
        var tags: Set<ContextTag> = []
        for effect in effects {
            perform(effect, host)
            if let tag = effect.tag { tags.insert(tag) }
        }
        if let tag = event.tag { tags.insert(tag) }
        checkHost(host, tags, everything: event.concernsAll)
    }

    func scheduleTimer(_ timer: Timer, _ deadline: Instant, _ host: SimulatedHost) {
        let time = max(now, deadline + (.zero - host.clockLead))
        schedule(.timer(timer, deadline, host: host.number, run: host.run), at: time)
    }

    /// Whether a sabotage keeps a message from being sent.
    private func isSabotaged(_ octets: [UInt8], from source: IPv6Address, _ host: SimulatedHost) -> Bool {
        let view = try? MessageView(octets)
        return switch host.sabotage {
        case .recoveryLost: view?.type == .r1bis
        case .otherPairsUnasked: view?.type == .i1 && view?.option(.ulidPair) != nil
        case .newPrefixesUnused: host.link(of: source).map(host.renumberedLinks.contains) ?? false
        default: false
        }
    }

    private func perform(_ effect: Effect, _ host: SimulatedHost) {
        switch effect {
        case .send(let octets, let source, let destination):
            visitSent(octets, source, destination, host)
            guard !isSabotaged(octets, from: source, host) else { return }
            transmit(Packet(source: source, destination: destination, body: .control(octets)), from: host)
        case .arm(let timer, let time):
            if host.sabotage == .timersLost, random.chance(0.01) { return }
            host.armed[timer] = time
            scheduleTimer(timer, time, host)
        case .cancel(let timer):
            host.armed[timer] = nil
        case .install(let entry):
            if host.sabotage == .switchesLost, host.dataPath.entries[entry.localTag]?.peerTag != nil { return }
            host.dataPath.install(entry)
        case .remove(let entry):
            host.dataPath.remove(entry)
        case .forget(let ulids):
            host.dataPath.forget(ulids)
        case .resume:
            break
        case .watchIdle(let tag, let ulids, let seconds):
            host.idleWatches[tag] = SimulatedHost.IdleWatch(ulids: ulids, seconds: seconds, touched: now)
            schedule(
                .idleCheck(tag, host: host.number, run: host.run), at: now + .seconds(seconds))
        case .unwatchIdle(let tag, _):
            host.idleWatches[tag] = nil
        case .askUse(let tag, _):
            answer(tag, host)
        case .publish(let notice):
            note("\(host.name)   \(describe(notice))")
            take(notice, host)
        }
    }

    /// Keeps the shadow of a context, and checks what only the moment of a change shows.
    private func take(_ notice: Notice, _ host: SimulatedHost) {
        guard let tag = notice.tag else { return }
        switch notice.kind {
        case .state(let from, let to, _):
            guard let to, let ulids = notice.ulids else {
                host.shadows[tag] = nil
                return
            }
            if host.shadows[tag]?.state != from {
                fail("a context of \(host.name) was not in \(String(describing: from))")
            }
            var shadow = host.shadows[tag] ?? SimulatedHost.Shadow(ulids: ulids, state: to)
            shadow.state = to
            // In I2BIS-SENT reachability goes on.
            if from != .i2bisSent, to != .i2bisSent { shadow.reachability = .operational }
            host.shadows[tag] = shadow
            interfere(with: to, of: ulids, host)
        case .reachability(let from, let to, let reason, _, _):
            if host.shadows[tag]?.reachability != from { fail("reachability on \(host.name) was not \(from)") }
            if reason == .sendTimerExpired { coverage.visit(from, .sendTimer) }
            host.shadows[tag]?.reachability = to
            if from == .operational { host.shadows[tag]?.leftOperational = now }
        case .keepaliveSent:
            guard let slot = host.daemon?.snapshot(of: tag)?.slot else { return }
            let isLast = host.stamps[slot].keepStart == nil
            coverage.visit(.operational, isLast ? .keepaliveTimer : .keepaliveInterval)
        case .switched(_, let pair, _):
            checkSwitch(to: pair, tag, host)
        case .peerLocators, .locatorsAnnounced, .locatorsAcknowledged, .probeSent, .probeReceived, .firstPayload,
            .confused, .switchRefused, .damped:
            break
        }
    }

    // MARK: - Coverage

    private func visit(_ event: Event, _ host: SimulatedHost) {
        switch event {
        case .packet(let octets, let source, let destination): visit(octets, source, destination, host)
        case .parameterProblem(_, let source, let destination):
            coverage.visit(state(ULIDPair(local: source, peer: destination), host), .parameterProblem)
        case .timer(.context(let tag)): coverage.visit(host.shadows[tag]?.state, .timer)
        case .timer(.reap(let tag, .probe)):
            if let shadow = host.shadows[tag] { coverage.visit(shadow.reachability, .probeTimer) }
        case .timer, .activity, .unknownTag, .use, .fork, .hint, .sendTimeout, .switchTo, .ranking: break
        case .trigger(let ulids): coverage.visit(state(ulids, host), .trigger)
        case .establish(let ulids): coverage.visit(state(ulids, host), .establish)
        case .idle(let tag): coverage.visit(host.shadows[tag]?.state, .idle)
        case .remove(let tag): coverage.visit(host.shadows[tag]?.state, .remove)
        case .localLocators: visitAll(.localLocators, host)
        case .shutdown: visitAll(.shutdown, host)
        }
    }

    private func visitAll(_ occasion: Coverage.Occasion, _ host: SimulatedHost) {
        if host.shadows.isEmpty { coverage.visit(nil, occasion) }
        for shadow in host.shadows.values {
            coverage.visit(shadow.state, occasion)
            if shadow.state == .established, occasion == .localLocators {
                coverage.visit(shadow.reachability, .locatorsChanged)
            }
        }
    }

    private func visit(_ octets: [UInt8], _ source: IPv6Address, _ destination: IPv6Address, _ host: SimulatedHost) {
        guard let view = try? MessageView(octets), let occasion = Coverage.Occasion(view.type) else { return }
        let shadow: SimulatedHost.Shadow?
        switch view.type {
        case .r1bis:
            let context = host.daemon?.contexts.first { $0.peerTag == view.packetTag }
            shadow = context.flatMap { host.shadows[$0.localTag] }
        case .updateRequest, .updateAcknowledgement, .keepalive, .probe, .error:
            shadow = view.contextTag.flatMap { host.shadows[$0] }
        case .i1, .r1, .i2, .r2, .i2bis:
            let option = view.option(.ulidPair).flatMap { try? ULIDPairOption($0) }
            shadow = host.shadow(of: ULIDPair(local: option?.receiver ?? destination, peer: option?.sender ?? source))
        }
        coverage.visit(shadow?.state, occasion)
        guard let shadow, shadow.state == .established else { return }
        switch view.type {
        case .keepalive: coverage.visit(shadow.reachability, .keepaliveReceived)
        case .probe:
            guard case .probe(let probe)? = try? ControlMessage(view) else { return }
            coverage.visit(shadow.reachability, Coverage.Happening(probe.state))
        default: coverage.visit(shadow.reachability, .otherMessageReceived)
        }
    }

    private func visitSent(
        _ octets: [UInt8], _ source: IPv6Address, _ destination: IPv6Address, _ host: SimulatedHost
    ) {
        guard let view = try? MessageView(octets) else {
            fail("\(host.name) sent octets that are no message")
            return
        }
        let shadow: SimulatedHost.Shadow?
        switch view.type {
        case .i1, .i2, .r2, .i2bis:
            shadow = host.shadow(of: ULIDPair(local: source, peer: destination))
        case .updateRequest, .updateAcknowledgement:
            let context = host.daemon?.contexts.first { $0.peerTag == view.contextTag }
            shadow = context.flatMap { host.shadows[$0.localTag] }
        case .r1, .keepalive, .probe, .r1bis, .error: return
        }
        if let shadow, shadow.state == .established { coverage.visit(shadow.reachability, .otherMessageSent) }
    }

    private func state(_ ulids: ULIDPair, _ host: SimulatedHost) -> ContextState? { host.shadow(of: ulids)?.state }
}

extension Coverage.Occasion {
    fileprivate init?(_ type: MessageType) {
        switch type {
        case .i1: self = .i1
        case .r1: self = .r1
        case .i2: self = .i2
        case .r2: self = .r2
        case .r1bis: self = .r1bis
        case .i2bis: self = .i2bis
        case .updateRequest: self = .updateRequest
        case .updateAcknowledgement: self = .updateAcknowledgement
        case .keepalive: self = .keepalive
        case .probe: self = .probe
        case .error: return nil
        }
    }
}

extension Coverage.Happening {
    fileprivate init(_ state: ProbeState) {
        switch state {
        case .exploring: self = .probeExploring
        case .inboundOk: self = .probeInboundOk
        case .operational: self = .probeOperational
        }
    }
}

extension Event {
    /// The context that it is about, as far as it names one.
    fileprivate var tag: ContextTag? {
        switch self {
        case .timer(let timer): timer.tag
        case .activity(let tag, _), .idle(let tag), .use(let tag, _), .fork(let tag, _), .remove(let tag),
            .hint(let tag, _), .switchTo(let tag, _):
            tag
        case .packet(let octets, _, _): (try? MessageView(octets))?.contextTag
        case .parameterProblem, .trigger, .unknownTag, .localLocators, .establish, .shutdown, .sendTimeout, .ranking:
            nil
        }
    }

    /// Whether it is about all contexts of the host.
    fileprivate var concernsAll: Bool {
        switch self {
        case .localLocators, .shutdown, .sendTimeout, .ranking: true
        case .packet, .parameterProblem, .timer, .trigger, .activity, .unknownTag, .idle, .use, .establish, .fork,
            .remove, .hint, .switchTo:
            false
        }
    }
}

extension Effect {
    /// The context that it is about.
    fileprivate var tag: ContextTag? {
        switch self {
        case .arm(let timer, _), .cancel(let timer): timer.tag
        case .install(let entry), .remove(let entry): entry.localTag
        case .watchIdle(let tag, _, _), .unwatchIdle(let tag, _), .askUse(let tag, _): tag
        case .publish(let notice): notice.tag
        case .resume(let tag, _): tag
        case .send, .forget: nil
        }
    }
}
