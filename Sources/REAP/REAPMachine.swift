import Shim6Wire

/// RFC 5534 for one context: is the peer reachable, and if not, over which pair of locators is it?
///
/// The state table of section 6 is spread over one function an event, each with one line a state. Three readings of
/// what the RFC leaves open:
/// * A Probe(Exploring) is answered on the reverse of the pair on which it came (appendix A shows it), unless the last
///   Probe already went there in vain; then on the next pair of the order.
/// * Evidence that packets arrive, in Exploring, starts the Probe schedule anew: a way back is now likely to be found.
///   Falling back from InboundOk to Exploring does not.
/// * A Probe that ends the exploration but reports none of our Probes leaves the pair as it is (section 6.8). If the
///   locators of that pair are gone it cannot end it: then it counts as a sign that packets arrive, like a Keepalive.
public struct REAPMachine: Sendable {
    public private(set) var state = REAPState.operational
    /// The pair that outgoing payload uses.
    public private(set) var current: LocatorPair
    /// CT(peer), which Probes carry.
    public var peerTag: ContextTag
    public internal(set) var configuration: REAPConfiguration
    /// The locators that may be used, best first.
    private var local: [IPv6Address]
    private var peer: [IPv6Address]
    /// Outside Operational only.
    private var exploration: Exploration?
    /// Of this exploration, or while Operational of the last one.
    private var memory = ProbeMemory()
    var timers = LazyTimers()

    /// A machine in Operational with no timer running. `local` and `peer` are best first.
    public init(
        current: LocatorPair, peerTag: ContextTag, local: [IPv6Address], peer: [IPv6Address],
        configuration: REAPConfiguration = REAPConfiguration(), random: inout some RandomNumberGenerator
    ) {
        self.current = current
        self.peerTag = peerTag
        self.local = local
        self.peer = peer
        self.configuration = configuration
        timers.drawJitter(configuration, random: &random)
    }

    /// Takes in one event and answers with what is to be done, in order. The first event is `.established`.
    public mutating func handle<Random: RandomNumberGenerator>(
        _ event: REAPEvent, stamps: some ActivityStamps, random: inout Random, at now: Instant
    ) -> [REAPEffect] {
        var moment = Moment(stamps: stamps, random: random, now: now)
        switch event {
        case .payloadReceived: payloadReceived(&moment)
        case .established: resume(&moment)
        case .suspected(let reason): suspected(reason, &moment)
        case .payloadSent: break  // What counts is in the stamps.
        case .otherMessageReceived: otherMessageReceived(&moment)
        case .otherMessageSent: otherMessageSent(&moment)
        case .keepaliveReceived: keepaliveReceived(&moment)
        case .probeReceived(let probe, let pair): probeReceived(probe, pair, &moment)
        case .timer(let timer): timerFired(timer, &moment)
        case .locatorsChanged(let local, let peer): locatorsChanged(local: local, peer: peer, &moment)
        case .configured(let configuration): self.configuration = configuration
        }
        arrangeTimers(&moment)
        // Payload that came in before the data path was asked to notify it.
        if state == .exploring, let lastIn = stamps.lastIn, let exploration, lastIn > exploration.since {
            payloadReceived(&moment)
            arrangeTimers(&moment)
        }
        random = moment.random
        return moment.effects
    }

    /// When `timer` is armed for; nil if it is not armed.
    public func deadline(of timer: REAPTimer) -> Instant? { timers[timer] }

    /// Cancels every timer: the context ends.
    public mutating func stop() -> [REAPEffect] {
        REAPTimer.allCases.compactMap { timers.clear($0) ? .cancel($0) : nil }
    }

    // MARK: - Events (RFC 5534, section 6)

    /// Goes on with an exploration that `stop` has interrupted.
    private mutating func resume<S, R>(_ moment: inout Moment<S, R>) {
        guard state != .operational, timers[.probe] == nil else { return }
        sendScheduledProbe(on: nextPair(), &moment)
    }

    private mutating func suspected<S, R>(_ reason: REAPReason, _ moment: inout Moment<S, R>) {
        guard state == .operational else { return }
        startExploration(&moment)
        explore(reason, &moment)
    }

    private mutating func payloadReceived<S, R>(_ moment: inout Moment<S, R>) {
        switch state {
        case .operational, .inboundOk: break  // What counts is in the stamps.
        case .exploring:
            // A notification from before the exploration proves nothing.
            guard let exploration, let lastIn = moment.stamps.lastIn, lastIn >= exploration.since else { return }
            packetsArrive(.payloadReceived, &moment)
        }
    }

    private mutating func otherMessageReceived<S, R>(_ moment: inout Moment<S, R>) {
        switch state {
        case .operational:
            moment.stamps.sendStart = nil
            moment.stamps.startKeepIfStopped(at: moment.now)
        case .exploring: packetsArrive(.otherMessageReceived, &moment)
        case .inboundOk: moment.stamps.sendStart = nil
        }
    }

    private func otherMessageSent<S, R>(_ moment: inout Moment<S, R>) {
        switch state {
        case .operational:
            moment.stamps.keepStart = nil
            moment.stamps.startSendIfStopped(at: moment.now)
        case .exploring: break
        case .inboundOk: moment.stamps.startSendIfStopped(at: moment.now)
        }
    }

    private mutating func keepaliveReceived<S, R>(_ moment: inout Moment<S, R>) {
        switch state {
        case .operational, .inboundOk: moment.stamps.sendStart = nil
        case .exploring: packetsArrive(.keepaliveReceived, &moment)
        }
    }

    private mutating func probeReceived<S, R>(_ probe: Probe, _ pair: LocatorPair, _ moment: inout Moment<S, R>) {
        // A Probe describes itself first, with the very addresses that carry it.
        guard let description = probe.sent.first, description.pair == pair else { return }
        let confirmed = memory.match(probe.received).filter(isUsable)
        let theirs = REAPState(probe.state)
        moment.effects.append(.tookProbe(pair, nonce: description.nonce, theirs, reports: confirmed.count))
        if state == .operational, theirs == .exploring || (confirmed.isEmpty && !isUsable(current)) {
            startExploration(&moment)
        }
        memory.remember(description)
        switch theirs {
        case .exploring: probeExploringReceived(pair, &moment)
        case .inboundOk:
            guard choosePair(from: confirmed, &moment) else {
                return packetsArrive(.probeInboundOkReceived, from: pair, &moment)
            }
            moment.stamps.sendStart = moment.now
            moment.stamps.keepStart = nil
            becomeOperational(.probeInboundOkReceived, &moment)
            sendProbe(on: current, &moment)
            memory.forgetReceived()
        case .operational:
            guard choosePair(from: confirmed, &moment) else {
                return packetsArrive(.probeOperationalReceived, from: pair, &moment)
            }
            moment.stamps.sendStart = nil
            if state != .operational { moment.stamps.keepStart = nil }
            moment.stamps.startKeepIfStopped(at: moment.now)
            becomeOperational(.probeOperationalReceived, &moment)
            memory.forgetReceived()
        }
    }

    private mutating func probeExploringReceived<S, R>(_ pair: LocatorPair, _ moment: inout Moment<S, R>) {
        moment.stamps.sendStart = moment.now
        switch state {
        case .operational, .exploring:
            packetsArrive(.probeExploringReceived, from: pair, &moment)
        case .inboundOk:
            sendProbe(on: answerPair(to: pair), &moment)
        }
    }

    private mutating func locatorsChanged<S, R>(
        local: [IPv6Address], peer: [IPv6Address], _ moment: inout Moment<S, R>
    ) {
        self.local = local
        self.peer = peer
        if state == .operational {
            guard !isUsable(current) else { return }
            startExploration(&moment)
            explore(local.contains(current.source) ? .peerLocatorGone : .localLocatorGone, &moment)
        } else if exploration?.update(local: local, peer: peer) == true {
            exploration?.probes = 0
            sendScheduledProbe(on: nextPair(), &moment)
        }
    }

    /// The Send Timer expired (section 6.4).
    mutating func sendTimerExpired<S, R>(_ moment: inout Moment<S, R>) {
        switch state {
        case .operational:
            startExploration(&moment)
            explore(.sendTimerExpired, &moment)
        case .exploring: break
        case .inboundOk: explore(.sendTimerExpired, &moment)
        }
    }

    /// A Probe is due again (section 6.5).
    mutating func retransmit<S, R>(_ moment: inout Moment<S, R>) {
        switch state {
        case .operational: return
        case .exploring: break
        case .inboundOk: moment.stamps.startSendIfStopped(at: moment.now)
        }
        sendScheduledProbe(on: nextPair(), &moment)
    }

    // MARK: - Transitions

    /// Prepares an exploration that leaves Operational: nothing of an earlier one counts.
    private mutating func startExploration<S, R>(_ moment: inout Moment<S, R>) {
        exploration = Exploration(since: moment.now, failed: current, local: local, peer: peer)
        memory = ProbeMemory()
        timers.drawJitter(configuration, random: &moment.random)
    }

    /// Goes to Exploring: no timer runs there but that of the Probes.
    private mutating func explore<S, R>(_ reason: REAPReason, _ moment: inout Moment<S, R>) {
        moment.stamps.sendStart = nil
        moment.stamps.keepStart = nil
        memory.forgetReceived()
        change(to: .exploring, reason, &moment)
        exploration?.since = moment.now
        sendScheduledProbe(on: nextPair(), &moment)
    }

    /// Goes to InboundOk, or stays there, and says so in a Probe: packets of the peer arrive. `pair` is that of the
    /// Probe that showed it.
    private mutating func packetsArrive<S, R>(
        _ reason: REAPReason, from pair: LocatorPair? = nil, _ moment: inout Moment<S, R>
    ) {
        let target = if let pair { answerPair(to: pair) } else { nextPair() }
        moment.stamps.sendStart = moment.now
        moment.stamps.keepStart = nil
        change(to: .inboundOk, reason, &moment)
        exploration?.probes = 0
        sendScheduledProbe(on: target, &moment)
    }

    private mutating func becomeOperational<S, R>(_ reason: REAPReason, _ moment: inout Moment<S, R>) {
        guard state != .operational else { return }
        exploration = nil
        timers.drawJitter(configuration, random: &moment.random)
        change(to: .operational, reason, &moment)
        if timers.clear(.probe) { moment.effects.append(.cancel(.probe)) }
    }

    private mutating func change<S, R>(to new: REAPState, _ reason: REAPReason, _ moment: inout Moment<S, R>) {
        guard new != state else { return }
        moment.effects.append(.changed(from: state, to: new, reason))
        state = new
    }

    // MARK: - Pairs and Probes

    private func isUsable(_ pair: LocatorPair) -> Bool {
        local.contains(pair.source) && peer.contains(pair.destination)
    }

    /// Moves outgoing payload to one of the pairs that the peer has confirmed: the current one if it is among them,
    /// else the best. False if none is confirmed and the current pair cannot be used.
    private mutating func choosePair<S, R>(from confirmed: [LocatorPair], _ moment: inout Moment<S, R>) -> Bool {
        if confirmed.contains(current) { return true }
        guard let chosen = exploration?.best(of: confirmed) ?? confirmed.last else { return isUsable(current) }
        moment.effects.append(.use(chosen, instead: current))
        current = chosen
        return true
    }

    private mutating func nextPair() -> LocatorPair? {
        exploration?.takeNext(after: memory.lastPair)
    }

    /// The pair for the answer to a Probe that came on `pair`.
    private mutating func answerPair(to pair: LocatorPair) -> LocatorPair? {
        let reverse = LocatorPair(source: pair.destination, destination: pair.source)
        let wasInVain = state == .inboundOk && memory.lastPair == reverse
        return isUsable(reverse) && !wasInVain ? reverse : nextPair()
    }

    private mutating func sendProbe<S, R>(on pair: LocatorPair?, _ moment: inout Moment<S, R>) {
        guard let pair else { return }
        let probe = memory.makeProbe(state, on: pair, peerTag: peerTag, random: &moment.random)
        moment.effects.append(.sendProbe(probe, pair))
    }

    private mutating func sendScheduledProbe<S, R>(on pair: LocatorPair?, _ moment: inout Moment<S, R>) {
        sendProbe(on: pair, &moment)
        let sent = (exploration?.probes ?? 0) + 1
        exploration?.probes = sent
        timers.set(.probe, at: moment.now + timers.shorten(configuration.probeGap(after: sent)), &moment.effects)
    }
}
