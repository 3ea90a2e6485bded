import Shim6Wire

/// Which pairs Probes go out on, when, and what becomes of payload (RFC 5534, sections 4.3 and 6.8).
extension REAPMachine {
    /// For how long answers go on to report a Probe in Operational: one of them may get lost, and a peer that heard only of
    /// its Probe on another pair would move there. Its initial Probes go out within this time (four, 0.5 s apart).
    private static let reportedFor = Duration.seconds(2)
    /// How long the answer to a Probe may take where the round-trip time is not known.
    private static let longDistance = Duration.milliseconds(100)
    /// Somebody waits while the last payload went out no longer ago than this. Less than Send Timeout, so that a single
    /// packet that was not answered is not enough.
    private static let trafficFor = Duration.seconds(10)
    /// How old payload may be to be reported. The gap between Probes is at most Max Probe Timeout, 60 s: what is older came
    /// in before the Probe before.
    private static let oldestReportedMilliseconds: Int64 = 60_000
    /// Payload waits while the last of it went out no longer ago than this: TCP repeats every two minutes at last.
    private static let waitingFor = Duration.seconds(125)
    /// Each of this host's locators has a Probe in this time while payload waits.
    private static let longestWait = Duration.seconds(5)
    /// For how many first gaps between Probes the finds of other contexts are waited for: their three confirmations on the
    /// pair that is suspected, and one Probe on another.
    private static let gapsOfOthers = 4

    func isUsable(_ pair: LocatorPair) -> Bool {
        isOwn(pair.source) && peer.contains(pair.destination)
    }

    func isOwn(_ locator: IPv6Address) -> Bool { local.contains(locator) || untold.contains(locator) }

    /// Moves outgoing payload to one of the pairs that the peer has confirmed, the best, unless the current one is known
    /// to work. False if none is confirmed and the current pair cannot be used.
    mutating func choosePair(
        from confirmed: [LocatorPair], _ payload: PayloadReport?, _ moment: inout Moment
    ) -> Bool {
        if isUsable(current) {
            // Outside an exploration reports answer questions about other pairs, which move nothing by themselves.
            if state == .operational { return true }
            if arrives(payload, at: moment.now) {
                moment.paths.payloadArrives(on: current)
                return true
            }
            if memory.hasReport(of: current), !outweighs(confirmed, moment) { return true }
        }
        // 5533-7.2-04, 5534-6.8-05
        guard let chosen = phase.exploration?.best(of: confirmed) ?? confirmed.last else { return isUsable(current) }
        var doubt = doubt ?? PayloadDoubt(since: moment.now)
        doubt.moved(at: moment.now)
        self.doubt = doubt
        loss = nil
        if isLost(payload, moment) { moment.paths.payloadFails(on: current, at: moment.now) }
        // A pair that fails for payload alone works for whose payload comes in.
        if !moment.paths.isBarred(current, at: moment.now) { moment.paths.failed(current, at: moment.now) }
        if let hold = configuration.failbackHold, damping.left(hold: hold, at: moment.now) {
            moment.effects.append(.damped)
        }
        use(chosen, .exploration, &moment)  // 5534-6.8-04, 5534-6.9-05
        return true
    }

    mutating func use(_ pair: LocatorPair, _ reason: UseReason, _ moment: inout Moment) {
        moment.effects.append(.use(pair, instead: current, reason))
        current = pair
    }

    /// The best pair there is, whatever works for Probes.
    func preferredPair(_ moment: Moment) -> LocatorPair? {
        explorationOrder(local: local, peer: peer, failed: nil, ranking: moment.paths.ranking)
            .first { !moment.paths.isBarred($0, at: moment.now) }
    }

    /// Whether the peer has got payload on the current pair since it could have failed. What it says is as good as its
    /// reports of Probes: the pair stays as it was.
    private func arrives(_ payload: PayloadReport?, at now: Instant) -> Bool {
        guard let payload, let exploration = phase.exploration, let roundTrip = roundTripTime else { return false }
        // It has come in at this time or later: the Probe that says so was on its way for a round trip at most.
        let arrival = now + (.zero - .milliseconds(Int64(payload.ageMilliseconds)) - roundTrip)
        return payload.source == current.source && payload.destination == current.destination
            && arrival > exploration.evidenceSince
    }

    /// Whether Probes on the current pair have reached the peer since payload last did, which has gone out since.
    private func isLost(_ payload: PayloadReport?, _ moment: Moment) -> Bool {
        guard let arrival = latestArrival(payload, at: moment.now), let confirmed = evidence[current]?.confirmed,
            let lastOut = moment.activity.lastOut
        else { return false }
        return arrival < confirmed && arrival < lastOut
    }

    /// When payload on the current pair has come in at the peer, at the latest; nil if it reports none.
    func latestArrival(_ payload: PayloadReport?, at now: Instant) -> Instant? {
        guard let payload, payload.source == current.source, payload.destination == current.destination else {
            return nil
        }
        return now + (.zero - .milliseconds(Int64(payload.ageMilliseconds)))
    }

    mutating func nextPair() -> LocatorPair? {
        let (last, barred) = (memory.lastPair, barred)
        return phase.exploration?.takeNext(after: last, barred: barred)
    }

    /// The pair for the answer to a Probe that came on `pair`.
    ///
    /// - Parameter isRepeated: whether Probes have answered before.
    mutating func answerPair(to pair: LocatorPair, isRepeated: Bool, at now: Instant) -> LocatorPair? {
        let reverse = pair.reversed
        let patience = roundTripTime ?? Self.longDistance
        let isDue = memory.lastSentAt.map { now - $0 >= patience } ?? false
        let wasInVain = isRepeated && memory.lastPair == reverse && isDue
        return isUsable(reverse) && !wasInVain ? reverse : nextPair()
    }

    mutating func sendProbe(on pair: LocatorPair?, _ moment: inout Moment) {
        guard let pair else { return }
        sendProbe(as: state, on: pair, payload: state == .exploring ? nil : payloadReport(moment), &moment)
    }

    mutating func sendProbe(
        as sta: REAPState, on pair: LocatorPair, payload: PayloadReport?, _ moment: inout Moment
    ) {
        if state == .operational { memory.forgetReceived(before: moment.now + (.zero - Self.reportedFor)) }
        let probe = memory.makeProbe(
            sta, on: pair, peerTag: peerTag, payload: payload, random: &moment.random, at: moment.now)
        moment.effects.append(.sendProbe(probe, pair))
    }

    func payloadReport(_ moment: Moment) -> PayloadReport? {
        guard let last = moment.activity.lastIn, let pair = moment.activity.incoming, isOwn(pair.destination)
        else { return nil }
        // Rounded up: it came in at this age or later.
        let age = (moment.now - last).wholeNanoseconds / 1_000_000 + 1
        guard (0...Self.oldestReportedMilliseconds).contains(age) else { return nil }
        return PayloadReport(source: pair.source, destination: pair.destination, ageMilliseconds: UInt32(age))
    }

    /// Sends the next Probe of the schedule, as soon as the host's budget allows.
    mutating func sendNextProbe(_ moment: inout Moment) {
        if let end = learnOfFailedPair(moment) { return timers.set(.probe, at: end, &moment.effects) }
        if phase.exploration?.hasPlace != true {
            let isBusy = moment.activity.lastOut.map { moment.now - $0 < Self.trafficFor } ?? false
            let place = moment.paths.budget.reserve(at: moment.now, hasTraffic: isBusy)
            if place > moment.now {
                phase.exploration?.hasPlace = isBusy
                return timers.set(.probe, at: place, &moment.effects)
            }
        }
        phase.exploration?.hasPlace = false
        if let exploration = phase.exploration, exploration.confirmations > 0 {
            moment.paths.asks(exploration.failed, at: moment.now)
        }
        sendScheduledProbe(on: nextPair(), &moment)
    }

    /// What the Probes of other contexts show of the pair in use need not be asked again. As long as none of them has found
    /// another way it may be the peer that is slow: so one Probe asks all the same, and is answered first.
    ///
    /// - Returns: how long to wait for those that have begun; nil if there is nothing to wait for.
    private mutating func learnOfFailedPair(_ moment: Moment) -> Instant? {
        guard var exploration = phase.exploration, exploration.confirmations > 0, !exploration.keepsPair else {
            return nil
        }
        let least = exploration.probes == 0 ? 1 : 0
        let wait = probeGap(after: 1) * Self.gapsOfOthers
        switch moment.paths.verdict(on: exploration.failed, wait: wait, moment) {
        case .unknown: return nil
        case .asked(let end):
            guard exploration.probes == 0, !exploration.hasWaited else { return nil }
            exploration.hasWaited = true
            phase.exploration = exploration
            return end
        case .silent: exploration.confirmations = min(exploration.confirmations, least)
        case .dead: exploration.confirmations = exploration.isForgeable ? least : 0
        }
        phase.exploration = exploration
        return nil
    }

    /// Both directions of a pair work, which a Probe has to tell the peer before payload moves: the next goes there. The state
    /// stays, for a Probe that says InboundOk and reports nothing would end the peer's exploration as well.
    mutating func answered(on pair: LocatorPair, _ moment: inout Moment) {
        guard state != .operational else { return perform(.payloadReceived, .otherMessageReceived, &moment) }
        guard isUsable(pair) else { return }
        moment.paths.budget.spend(at: moment.now)
        phase.exploration?.probes = 0
        sendScheduledProbe(on: pair, &moment)
    }

    /// One at a time: 5534-4.3-06. The gaps to the next grow: 5534-4.3-07.
    mutating func sendScheduledProbe(on pair: LocatorPair?, _ moment: inout Moment) {
        sendProbe(on: pair, &moment)
        let sent = (phase.exploration?.probes ?? 0) + 1
        phase.exploration?.probes = sent
        timers.set(.probe, at: moment.now + timers.shorten(probeGap(after: sent)), &moment.effects)
        hastenProbe(&moment)
    }

    /// While payload waits the gaps grow less.
    mutating func hastenProbe(_ moment: inout Moment) {
        guard let gap = gapOfWaiting(at: moment.now), let lastOut = moment.activity.lastOut,
            moment.now - lastOut < Self.waitingFor
        else { return }
        timers.require(.probe, by: moment.now + timers.shorten(gap), &moment.effects)
    }

    /// Whether payload that goes out would make the next Probe come earlier.
    func isSlow(at now: Instant) -> Bool {
        guard let gap = gapOfWaiting(at: now), let next = timers[.probe] else { return false }
        return next > now + gap
    }

    /// The largest gap between Probes while payload waits; nil if it is the RFC's.
    private func gapOfWaiting(at now: Instant) -> Duration? {
        guard let exploration = phase.exploration, configuration.quick != nil || exploration.isHopeful(at: now) else {
            return nil
        }
        return max(Self.longestWait / max(local.count, 1), configuration.initialProbeTimeout)
    }

    private func probeGap(after number: Int) -> Duration {
        configuration.probeGap(after: number, roundTrip: roundTripTime)
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
