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
///
/// The pair in use stays if the peer reports a Probe on it, or payload on it that is newer than the failure (see
/// `PayloadReport`): then only the other direction has failed, and only that one moves (example 5 of appendix A).
public struct REAPMachine: Sendable {
    public private(set) var state = REAPState.operational
    /// The pair that outgoing payload uses.
    public private(set) var current: LocatorPair
    /// CT(peer), which Probes carry.
    public var peerTag: ContextTag
    public internal(set) var configuration: REAPConfiguration {
        get { shared.value }
        set { shared = SharedConfiguration(newValue) }
    }
    private var shared: SharedConfiguration
    /// The locators that may be used, best first.
    private var local: [IPv6Address]
    private var peer: [IPv6Address]
    /// Outside Operational only.
    @Rare private var exploration: Exploration? = nil
    /// Of this exploration, or while Operational of the last one.
    private var memory = ProbeMemory()
    var timers = LazyTimers()
    private(set) var patience = Patience()
    /// When an ICMPv6 error was last taken for a hint.
    private var lastUnreachable: Instant?
    var failback = Failback()
    @Rare var asked: AskedPair? = nil
    /// When a Probe last asked for the round-trip time.
    var lastQuestion: Instant?
    /// Whether an operator has chosen the pair: payload returns to no other before the next failure.
    var isHeld = false
    /// What Probes have shown of each pair in the direction from this host; its reverse is that of the peer.
    public internal(set) var evidence: [LocatorPair: PairEvidence] = [:]
    private(set) var roundTrip = RoundTrip()
    /// The round-trip time to the peer's daemon; nil if it is not known.
    public var roundTripTime: Duration? { roundTrip.estimate }

    /// A machine in Operational with no timer running. `local` and `peer` are best first, `paths` is what the contexts of
    /// the host share, if there are others.
    public init(
        current: LocatorPair, peerTag: ContextTag, local: [IPv6Address], peer: [IPv6Address],
        configuration: REAPConfiguration = REAPConfiguration(), paths: SharedPaths? = nil,
        random: inout RandomSource
    ) {
        self.current = current
        self.peerTag = peerTag
        self.local = local
        self.peer = peer
        shared = paths?.share(configuration) ?? SharedConfiguration(configuration)
        if let known = configuration.roundTrip { roundTrip.measured(known) }
        timers.drawJitter(configuration, random: &random)
    }

    /// Takes in one event and answers with what is to be done, in order. The first event is `.established`. `paths` is what
    /// the contexts of the host share.
    public mutating func handle(
        _ event: REAPEvent, stamps: any ActivityStamps, paths: SharedPaths, random: RandomSource, at now: Instant
    ) -> [REAPEffect] {
        var moment = Moment(stamps: stamps, paths: paths, random: random, now: now)
        switch event {
        case .payloadReceived: payloadReceived(&moment)
        case .established: resume(&moment)
        case .suspected(let reason): suspected(reason, &moment)
        case .payloadSent: break  // What counts is in the stamps.
        case .otherMessageReceived: otherMessageReceived(&moment)
        case .otherMessageSent: otherMessageSent(&moment)
        case .keepaliveReceived: keepaliveReceived(&moment)
        case .probeReceived(let probe, let pair): probeReceived(probe, pair, &moment)
        case .hint(let hint): hinted(hint, &moment)
        case .switchTo(let pair): use(asked: pair, &moment)
        case .timer(let timer): timerFired(timer, &moment)
        case .locatorsChanged(let local, let peer): locatorsChanged(local: local, peer: peer, &moment)
        case .configured(let configuration): shared = paths.share(configuration)
        }
        arrangeTimers(&moment)
        arrangeFailback(&moment)
        // Payload that came in before the data path was asked to notify it.
        if state == .exploring, let lastIn = stamps.lastIn, let exploration, lastIn > exploration.since {
            payloadReceived(&moment)
            arrangeTimers(&moment)
        }
        return moment.effects
    }

    /// When `timer` is armed for; nil if it is not armed.
    public func deadline(of timer: REAPTimer) -> Instant? { timers[timer] }

    /// Cancels every timer: the context ends.
    public mutating func stop() -> [REAPEffect] {
        REAPTimer.allCases.compactMap { timers.clear($0) ? .cancel($0) : nil }
    }

    /// The pairs that an exploration would try now, in its order.
    public func order(_ paths: SharedPaths, at now: Instant) -> [LocatorPair] {
        explorationOrder(local: local, peer: peer, failed: current, paths: paths, at: now)
    }

    // MARK: - Events (RFC 5534, section 6)

    /// Goes on with what `stop` has interrupted: an exploration, or the Probes on a pair that was asked for.
    private mutating func resume(_ moment: inout Moment) {
        if asked != nil, timers[.failback] == nil { probeAskedPair(&moment) }
        guard state != .operational, timers[.probe] == nil else { return }
        sendScheduledProbe(on: nextPair(), &moment)
    }

    private mutating func suspected(_ reason: REAPReason, _ moment: inout Moment) {
        guard state == .operational else { return }
        startExploration(&moment)
        explore(reason, &moment)
    }

    private mutating func payloadReceived(_ moment: inout Moment) {
        switch state {
        case .operational, .inboundOk: break  // What counts is in the stamps.
        case .exploring:
            // A notification from before the exploration proves nothing.
            guard let exploration, let lastIn = moment.stamps.lastIn, lastIn >= exploration.since else { return }
            // What still came to a locator that is gone shows no way in.
            if let pair = moment.stamps.incoming, !local.contains(pair.destination) { return }
            packetsArrive(.payloadReceived, &moment)
        }
    }

    private mutating func otherMessageReceived(_ moment: inout Moment) {
        switch state {
        case .operational:
            moment.stamps.sendStart = nil
            moment.stamps.startKeepIfStopped(at: moment.now)
        case .exploring: packetsArrive(.otherMessageReceived, &moment)
        case .inboundOk: moment.stamps.sendStart = nil
        }
    }

    private func otherMessageSent(_ moment: inout Moment) {
        switch state {
        case .operational:
            moment.stamps.keepStart = nil
            moment.stamps.startSendIfStopped(at: moment.now)
        case .exploring: break
        case .inboundOk: moment.stamps.startSendIfStopped(at: moment.now)
        }
    }

    private mutating func keepaliveReceived(_ moment: inout Moment) {
        switch state {
        case .operational, .inboundOk: moment.stamps.sendStart = nil
        case .exploring: packetsArrive(.keepaliveReceived, &moment)
        }
    }

    private mutating func probeReceived(_ probe: Probe, _ pair: LocatorPair, _ moment: inout Moment) {
        // A Probe describes itself first, with the very addresses that carry it.
        guard let description = probe.sent.first, description.pair == pair else { return }
        let matched = memory.match(probe.received)
        if let sentAt = matched.latest { roundTrip.measured(moment.now - sentAt) }
        let confirmed = matched.pairs.filter(isUsable)
        if matched.latest != nil { matched.pairs.forEach { moment.paths.worked($0, at: moment.now) } }
        let theirs = REAPState(probe.state)
        moment.effects.append(.tookProbe(pair, nonce: description.nonce, theirs, reports: confirmed.count))
        if state == .operational, theirs == .exploring || (confirmed.isEmpty && !isUsable(current)) {
            startExploration(&moment)
            // The answer is the first of them.
            if let quick = configuration.quick { exploration?.confirmations = max(quick.confirmations - 1, 0) }
        }
        memory.remember(description, at: moment.now)
        failback.arrived(on: pair, at: moment.now)
        if isUsable(pair.reversed) { evidence[pair.reversed, default: PairEvidence()].arrived = moment.now }
        if matched.latest != nil { heard(of: confirmed, &moment) }
        switch theirs {
        case .exploring: probeExploringReceived(pair, &moment)
        case .inboundOk:
            guard choosePair(from: confirmed, probe.payload, &moment) else {
                return packetsArrive(.probeInboundOkReceived, from: pair, &moment)
            }
            moment.stamps.sendStart = moment.now
            moment.stamps.keepStart = nil
            becomeOperational(.probeInboundOkReceived, &moment)
            moment.paths.budget.spend(at: moment.now)
            sendProbe(on: current, &moment)
        case .operational:
            guard choosePair(from: confirmed, probe.payload, &moment) else {
                return packetsArrive(.probeOperationalReceived, from: pair, &moment)
            }
            moment.stamps.sendStart = nil
            if state != .operational { moment.stamps.keepStart = nil }
            moment.stamps.startKeepIfStopped(at: moment.now)
            becomeOperational(.probeOperationalReceived, &moment)
        }
    }

    private mutating func probeExploringReceived(_ pair: LocatorPair, _ moment: inout Moment) {
        moment.stamps.sendStart = moment.now
        switch state {
        case .operational, .exploring:
            packetsArrive(.probeExploringReceived, from: pair, &moment)
        case .inboundOk:
            moment.paths.budget.spend(at: moment.now)
            sendProbe(on: answerPair(to: pair), &moment)
        }
    }

    private mutating func locatorsChanged(
        local: [IPv6Address], peer: [IPv6Address], _ moment: inout Moment
    ) {
        self.local = local
        self.peer = peer
        evidence = evidence.filter { isUsable($0.key) }
        if state == .operational {
            guard !isUsable(current) else { return }
            startExploration(&moment)
            explore(local.contains(current.source) ? .peerLocatorGone : .localLocatorGone, &moment)
        } else if exploration?.update(local: local, peer: peer, paths: moment.paths, at: moment.now) == true {
            exploration?.probes = 0
            sendNextProbe(&moment)
        }
    }

    /// The Send Timer, started at `start`, expired (section 6.4), or quick detection takes the silence for long enough.
    mutating func sendTimerExpired(_ reason: REAPReason, since start: Instant, _ moment: inout Moment) {
        switch state {
        case .operational:
            startExploration(&moment)
            exploration?.isOwnSuspicion = true
            let confirmations = configuration.quick?.confirmations ?? 0
            exploration?.confirmations = confirmations
            explore(reason, &moment)
            // If both directions had failed, nothing would have arrived in the second half of the silence.
            exploration?.evidenceSince = start + (moment.now - start) / 2
        case .exploring: break
        case .inboundOk: explore(reason, &moment)
        }
    }

    /// Only what is still unanswered can have been lost. The first Probe goes out on the pair in use, so that a hint
    /// that is wrong costs this Probe and moves nothing.
    private mutating func hinted(_ hint: REAPHint, _ moment: inout Moment) {
        guard let quick = configuration.quick, state == .operational, isUsable(current),
            let start = moment.stamps.sendStart
        else { return }
        switch hint {
        case .unreachable:
            // Whoever forges them costs a Probe now and then, and less often each time.
            let pause = patience.stretch(.milliseconds(250), at: moment.now)
            guard lastUnreachable.map({ moment.now - $0 >= pause }) ?? true else { return }
            lastUnreachable = moment.now
        case .retransmission:
            // Where traffic is sparse, TCP knows better than the spacing how long an answer takes.
            let longest = Duration.milliseconds(100)
            let spacing = moment.stamps.spacingIn.map { min($0 * 3, longest) } ?? longest
            let usual = spacing + (roundTrip.estimate ?? longest)
            guard moment.now - start > patience.stretch(max(usual, quick.leastProbeGap), at: moment.now) else { return }
        }
        startExploration(&moment)
        exploration?.isOwnSuspicion = true
        exploration?.isForgeable = hint == .unreachable
        exploration?.confirmations = quick.confirmations
        explore(.hint, &moment)
    }

    /// A Probe is due again (section 6.5).
    mutating func retransmit(_ moment: inout Moment) {
        switch state {
        case .operational: return
        case .exploring: break
        case .inboundOk: moment.stamps.startSendIfStopped(at: moment.now)
        }
        sendNextProbe(&moment)
    }

    // MARK: - Transitions

    /// Prepares an exploration that leaves Operational: nothing of an earlier one counts.
    private mutating func startExploration(_ moment: inout Moment) {
        exploration = Exploration(
            since: moment.now, failed: current, local: local, peer: peer, paths: moment.paths)
        memory = ProbeMemory()
        isHeld = false
        if let wanted = asked {
            asked = nil
            moment.effects.append(.switchRefused(wanted.pair, .exploring))
        }
        timers.drawJitter(configuration, random: &moment.random)
    }

    /// Goes to Exploring: no timer runs there but that of the Probes.
    private mutating func explore(_ reason: REAPReason, _ moment: inout Moment) {
        moment.stamps.sendStart = nil
        moment.stamps.keepStart = nil
        memory.forgetReceived()
        memory.doubtReports()
        change(to: .exploring, reason, &moment)
        exploration?.since = moment.now
        sendNextProbe(&moment)
    }

    /// Goes to InboundOk, or stays there, and says so in a Probe: packets of the peer arrive. `pair` is that of the
    /// Probe that showed it.
    private mutating func packetsArrive(
        _ reason: REAPReason, from pair: LocatorPair? = nil, _ moment: inout Moment
    ) {
        moment.paths.budget.spend(at: moment.now)
        let target = if let pair { answerPair(to: pair) } else { nextPair() }
        moment.stamps.sendStart = moment.now
        moment.stamps.keepStart = nil
        change(to: .inboundOk, reason, &moment)
        exploration?.probes = 0
        sendScheduledProbe(on: target, &moment)
    }

    private mutating func becomeOperational(_ reason: REAPReason, _ moment: inout Moment) {
        guard state != .operational else { return }
        if let exploration, exploration.isOwnSuspicion {
            if current == exploration.failed { patience.falseAlarm(at: moment.now) } else { patience.trueAlarm() }
        }
        exploration = nil
        timers.drawJitter(configuration, random: &moment.random)
        change(to: .operational, reason, &moment)
        if timers.clear(.probe) { moment.effects.append(.cancel(.probe)) }
    }

    private mutating func change(to new: REAPState, _ reason: REAPReason, _ moment: inout Moment) {
        guard new != state else { return }
        moment.effects.append(.changed(from: state, to: new, reason))
        state = new
    }

    // MARK: - Pairs and Probes

    func isUsable(_ pair: LocatorPair) -> Bool {
        local.contains(pair.source) && peer.contains(pair.destination)
    }

    /// Moves outgoing payload to one of the pairs that the peer has confirmed, the best, unless the current one is known
    /// to work. False if none is confirmed and the current pair cannot be used.
    private mutating func choosePair(
        from confirmed: [LocatorPair], _ payload: PayloadReport?, _ moment: inout Moment
    ) -> Bool {
        if isUsable(current), memory.hasReport(of: current) || arrives(payload, at: moment.now) { return true }
        // Outside an exploration reports answer questions about other pairs, which move nothing by themselves.
        if state == .operational, exploration == nil, isUsable(current) { return true }
        guard let chosen = exploration?.best(of: confirmed) ?? confirmed.last else { return isUsable(current) }
        moment.paths.failed(current, at: moment.now)
        if let hold = configuration.failbackHold, failback.left(hold: hold, at: moment.now) {
            moment.effects.append(.damped)
        }
        use(chosen, .exploration, &moment)
        return true
    }

    mutating func use(_ pair: LocatorPair, _ reason: UseReason, _ moment: inout Moment) {
        moment.effects.append(.use(pair, instead: current, reason))
        current = pair
    }

    /// The best pair there is, whatever works.
    func preferredPair(_ moment: Moment) -> LocatorPair? {
        explorationOrder(local: local, peer: peer, failed: nil, ranking: moment.paths.ranking).first
    }

    /// Whether the peer has got payload on the current pair since it could have failed. What it says is as good as its
    /// reports of Probes: the pair stays as it was.
    private func arrives(_ payload: PayloadReport?, at now: Instant) -> Bool {
        guard let payload, let exploration, let roundTrip = roundTrip.estimate else { return false }
        // It has come in at this time or later: the Probe that says so was on its way for a round trip at most.
        let arrival = now + (.zero - .milliseconds(Int64(payload.ageMilliseconds)) - roundTrip)
        return payload.source == current.source && payload.destination == current.destination
            && arrival > exploration.evidenceSince
    }

    private mutating func nextPair() -> LocatorPair? {
        let last = memory.lastPair
        return exploration?.takeNext(after: last)
    }

    /// The pair for the answer to a Probe that came on `pair`.
    private mutating func answerPair(to pair: LocatorPair) -> LocatorPair? {
        let reverse = pair.reversed
        let wasInVain = state == .inboundOk && memory.lastPair == reverse
        return isUsable(reverse) && !wasInVain ? reverse : nextPair()
    }

    private mutating func sendProbe(on pair: LocatorPair?, _ moment: inout Moment) {
        guard let pair else { return }
        sendProbe(as: state, on: pair, payload: state == .exploring ? nil : payloadReport(moment), &moment)
    }

    mutating func sendProbe(
        as state: REAPState, on pair: LocatorPair, payload: PayloadReport?, _ moment: inout Moment
    ) {
        // What an answer has reported the next ones report again for a while, since it may have got lost: a peer that hears
        // of its Probe on another pair alone would move there.
        if self.state == .operational { memory.forgetReceived(before: moment.now + .seconds(-2)) }
        let probe = memory.makeProbe(
            state, on: pair, peerTag: peerTag, payload: payload, random: &moment.random, at: moment.now)
        moment.effects.append(.sendProbe(probe, pair))
    }

    private func payloadReport(_ moment: Moment) -> PayloadReport? {
        guard let last = moment.stamps.lastIn, let pair = moment.stamps.incoming, local.contains(pair.destination)
        else { return nil }
        let age = (moment.now - last).wholeNanoseconds / 1_000_000 + 1
        guard (0...60_000).contains(age) else { return nil }
        return PayloadReport(source: pair.source, destination: pair.destination, ageMilliseconds: UInt32(age))
    }

    /// Sends the next Probe of the schedule, as soon as the host's budget allows.
    private mutating func sendNextProbe(_ moment: inout Moment) {
        if let end = learnOfFailedPair(moment) { return timers.set(.probe, at: end, &moment.effects) }
        if exploration?.hasPlace != true {
            let isBusy = moment.stamps.lastOut.map { moment.now - $0 < .seconds(10) } ?? false
            let place = moment.paths.budget.reserve(at: moment.now, hasTraffic: isBusy)
            if place > moment.now {
                exploration?.hasPlace = isBusy
                return timers.set(.probe, at: place, &moment.effects)
            }
        }
        exploration?.hasPlace = false
        if let exploration, exploration.confirmations > 0 { moment.paths.asks(exploration.failed, at: moment.now) }
        sendScheduledProbe(on: nextPair(), &moment)
    }

    /// What the Probes of other contexts show of the pair in use need not be asked again. As long as none of them has found
    /// another way it may be the peer that is slow: so one Probe asks all the same, and is answered first.
    ///
    /// - Returns: how long to wait for those that have begun; nil if there is nothing to wait for.
    private mutating func learnOfFailedPair(_ moment: Moment) -> Instant? {
        guard let exploration, exploration.confirmations > 0 else { return nil }
        let least = exploration.probes == 0 ? 1 : 0
        switch moment.paths.verdict(on: exploration.failed, wait: probeGap(after: 1) * 4, at: moment.now) {
        case .unknown: break
        case .asked(let end):
            guard exploration.probes == 0, !exploration.hasWaited else { break }
            self.exploration?.hasWaited = true
            return end
        case .silent: self.exploration?.confirmations = min(exploration.confirmations, least)
        case .dead: self.exploration?.confirmations = exploration.isForgeable ? least : 0
        }
        return nil
    }

    private mutating func sendScheduledProbe(on pair: LocatorPair?, _ moment: inout Moment) {
        sendProbe(on: pair, &moment)
        let sent = (exploration?.probes ?? 0) + 1
        exploration?.probes = sent
        timers.set(.probe, at: moment.now + timers.shorten(probeGap(after: sent)), &moment.effects)
    }

    private func probeGap(after number: Int) -> Duration {
        configuration.probeGap(after: number, roundTrip: roundTrip.estimate)
    }
}

/// What Probes have shown of a pair of locators.
public struct PairEvidence: Sendable, Equatable {
    /// When the peer last reported a Probe on it.
    public var confirmed: Instant?
    /// When a Probe of the peer last came in on its reverse.
    public var arrived: Instant?

    /// Nothing is known.
    public init() {}
}
