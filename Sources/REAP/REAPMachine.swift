import Shim6Wire

/// RFC 5534 for one context: is the peer reachable, and if not, over which pair of locators is it?
///
/// What happens in which state stands in StateTable.swift. Three readings of what the RFC leaves open:
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
    var phase = Phase.operational(Operational())
    /// The pair that outgoing payload uses.
    public internal(set) var current: LocatorPair
    /// CT(peer), which Probes carry.
    public var peerTag: ContextTag
    /// Locators of the peer that explorations pass over for now.
    public var barred: [IPv6Address] = []
    private var shared: SharedConfiguration
    /// Own locators that the peer has not acknowledged yet: sources of Probes when those that it knows bring nothing, and
    /// of payload once it reports such a Probe.
    public var untold: [IPv6Address] = []
    /// The locators that may be used, best first.
    var local: [IPv6Address]
    var peer: [IPv6Address]
    /// Of this exploration, or while Operational of the last one.
    var memory = ProbeMemory()
    var timers = LazyTimers()
    var patience = Patience()
    @Rare var doubt: PayloadDoubt? = nil
    @Rare var loss: PayloadLoss? = nil
    var hints = HintLimit()
    /// Nil when the peer has proven itself, and nothing has come since whose only proof is the tag.
    @Rare var trust: Trust? = nil
    var damping = Damping()
    /// When a Probe last asked for the round-trip time.
    var lastQuestion: Instant?
    /// What Probes have shown of each pair in the direction from this host; its reverse is that of the peer.
    public internal(set) var evidence: [LocatorPair: PairEvidence] = [:]
    private(set) var roundTrip = RoundTrip()

    public var state: REAPState { phase.state }
    public var configuration: REAPConfiguration { shared.value }
    /// The round-trip time to the peer's daemon; nil if it is not known.
    public var roundTripTime: Duration? { roundTrip.estimate }

    /// A machine in Operational with no timer running (5534-6-02). `local` and `peer` are best first, `paths` is what the
    /// contexts of the host share, if there are others.
    public init(
        current: LocatorPair, peerTag: ContextTag, local: [IPv6Address], peer: [IPv6Address],
        configuration: REAPConfiguration = REAPConfiguration(), paths: SharedPaths? = nil,
        random: inout RandomSource
    ) {
        self.current = current
        self.peerTag = peerTag
        self.local = local
        self.peer = peer
        // What differs from context to context is not shared.
        var common = configuration
        common.roundTrip = nil
        shared = paths?.share(common) ?? SharedConfiguration(common)
        if let known = configuration.roundTrip { roundTrip.measured(known) }
        timers.drawJitter(configuration, random: &random)
    }

    /// Takes in one event and says what is to be done. The first event is `.established`. An answer that wants packets to
    /// be reported is followed by `.reportsRequested`. `activity` is what the stamps show, `paths` what the contexts of the
    /// host share.
    public mutating func handle(
        _ event: REAPEvent, activity: Activity, paths: SharedPaths, random: RandomSource, at now: Instant
    ) -> REAPAnswer {
        var moment = Moment(activity: activity, paths: paths, random: random, now: now)
        if case .reportsRequested = event {
            arrange(&moment)
            // Payload that came in before the data path was asked to report it.
            if case .exploring(let exploration) = phase, let lastIn = activity.lastIn, lastIn > exploration.since {
                payloadReceived(&moment)
                arrangeTimers(&moment)
            }
        } else {
            take(event, &moment)
            requestReports(&moment)
            if !moment.commands.requestsReports { arrange(&moment) }
        }
        return REAPAnswer(stamps: moment.commands, effects: moment.effects)
    }

    /// When `timer` is armed for; nil if it is not armed.
    public func deadline(of timer: REAPTimer) -> Instant? { timers[timer] }

    /// Cancels every timer: the context ends.
    public mutating func stop() -> [REAPEffect] {
        REAPTimer.allCases.compactMap { timers.clear($0) ? .cancel($0) : nil }
    }

    /// The pairs that an exploration would try now, in its order.
    public func order(_ paths: SharedPaths, at now: Instant) -> [LocatorPair] {
        explorationOrder(local: local, untold: untold, peer: peer, failed: current, paths: paths, at: now)
    }

    // MARK: - Events

    private mutating func take(_ event: REAPEvent, _ moment: inout Moment) {
        switch event {
        case .reportsRequested: break
        case .established: resume(&moment)
        case .suspected(.answerLost): answerLost(&moment)
        case .suspected(.establishedElsewhere): establishedElsewhere(&moment)
        case .suspected(let reason): perform(.suspicion, reason, &moment)
        case .payloadReceived: payloadReceived(&moment)
        case .payloadSent: hastenProbe(&moment)  // The data path has done the rest.
        case .otherMessageReceived: perform(.payloadReceived, .otherMessageReceived, &moment)  // 5534-6.1-08
        case .otherMessageAnswered(let pair):
            moment.paths.worked(pair, at: moment.now)
            trust = nil
            answered(on: pair, &moment)
        case .otherMessageSent: perform(.payloadSent, nil, &moment)  // 5534-6.2-04
        case .keepaliveReceived: keepaliveReceived(&moment)
        case .probeReceived(let probe, let pair): probeReceived(probe, pair, &moment)
        case .hint(let hint): hinted(hint, &moment)
        case .switchTo(let pair): use(asked: pair, &moment)
        case .timer(let timer): timerFired(timer, &moment)
        case .locatorsChanged(let local, let peer): locatorsChanged(local: local, peer: peer, &moment)
        case .configured(let configuration): shared = moment.paths.share(configuration)
        }
    }

    private mutating func arrange(_ moment: inout Moment) {
        arrangeTimers(&moment)
        arrangeFailback(&moment)
    }

    /// Goes on with what `stop` has interrupted: an exploration, or the Probes on a pair that was asked for.
    private mutating func resume(_ moment: inout Moment) {
        switch phase {
        case .operational(let operational):
            if case .asked = operational.choice, timers[.failback] == nil { probeAskedPair(&moment) }
        case .exploring, .inboundOk:
            if timers[.probe] == nil { sendScheduledProbe(on: nextPair(), &moment) }
        }
    }

    /// The data path reports payload, of which it has done the timers.
    private mutating func payloadReceived(_ moment: inout Moment) {
        guard case .exploring(let exploration) = phase else { return }
        // A report from before the exploration proves nothing.
        guard let lastIn = moment.activity.lastIn, lastIn >= exploration.since else { return }
        // What still came to a locator that is gone shows no way in.
        if let pair = moment.activity.incoming, !isOwn(pair.destination) { return }
        perform(.payloadReceived, .payloadReceived, &moment)
    }

    private mutating func probeReceived(_ probe: Probe, _ pair: LocatorPair, _ moment: inout Moment) {
        // A Probe describes itself first, with the very addresses that carry it: 5534-5.2-14.
        guard let description = probe.sent.first, description.pair == pair else { return }
        let matched = memory.match(probe.received)
        if let sentAt = matched.latest { roundTrip.measured(moment.now - sentAt) }
        let confirmed = matched.pairs.filter(isUsable)
        if matched.latest != nil { matched.pairs.forEach { moment.paths.worked($0, at: moment.now) } }
        if !matched.pairs.isEmpty { trust = nil }
        let theirs = REAPState(probe.state)
        moment.effects.append(.tookProbe(pair, nonce: description.nonce, theirs, reports: confirmed.count))
        var beginning: Exploration?
        if state == .operational, theirs == .exploring || (confirmed.isEmpty && !isUsable(current)) {
            beginning = beginExploration(&moment)
            // The answer is the first of them.
            if let quick = configuration.quick { beginning?.confirmations = max(quick.confirmations - 1, 0) }
        }
        memory.remember(description, at: moment.now)
        arrived(on: pair, &moment)
        if matched.latest != nil { heard(of: confirmed, &moment) }
        heard(of: probe.payload, moment)
        weighReport(probe.payload, moment)
        let (event, reason): (TableEvent, REAPReason) =
            switch theirs {
            case .exploring: (.probeExploringReceived, .probeExploringReceived)
            case .inboundOk: (.probeInboundOkReceived, .probeInboundOkReceived)
            case .operational: (.probeOperationalReceived, .probeOperationalReceived)
            }
        let isProven = state == .operational || !matched.pairs.isEmpty || memory.hasReport(of: current)
        let canEnd =
            theirs == .exploring
            || (isProven || endsUnproven()) && choosePair(from: confirmed, probe.payload, &moment)
        perform(
            canEnd ? event : .probeWithoutPairReceived, reason, answering: pair, beginning: beginning, &moment)
    }

    private mutating func locatorsChanged(
        local: [IPv6Address], peer: [IPv6Address], _ moment: inout Moment
    ) {
        self.local = local
        self.peer = peer
        evidence = evidence.filter { isUsable($0.key) }
        if state == .operational {
            guard !isUsable(current) else { return changedInSilence(&moment) }
            let reason = local.contains(current.source) ? REAPReason.peerLocatorGone : .localLocatorGone
            perform(.suspicion, reason, &moment)
            return
        }
        phase.exploration?.changedAt = moment.now
        let isOtherOrder = phase.exploration?.update(
            local: local, untold: untold, peer: peer, paths: moment.paths, at: moment.now)
        if isOtherOrder == true {
            phase.exploration?.probes = 0
            sendNextProbe(&moment)
        } else {
            hastenProbe(&moment)
        }
    }
}
