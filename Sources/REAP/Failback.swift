import Shim6Wire

/// A better pair than the one in use: it is probed slowly while payload flows elsewhere, and used again when it has worked
/// in both directions for `hold` without a break.
struct BetterPair: Sendable {
    /// Five Probes in a row have to be reported in a hold.
    private static let probesInHold = 5
    /// However short the hold: as rare as the first Probes of an exploration (RFC 5534, section 7).
    private static let leastInterval = Duration.milliseconds(500)

    let pair: LocatorPair
    /// Since when every Probe on it was reported.
    private var provenSince: Instant?
    private var lastProbe: Instant?
    private var lastReport: Instant?
    /// When a Probe of the peer last came on its reverse.
    private var lastArrival: Instant?
    /// When a Keepalive last came in.
    var lastKeepaliveIn: Instant?
    /// Until when nothing is asked, so that the peer notices that it gets no payload: a question restarts its Send Timer.
    var restsUntil: Instant?

    init(_ pair: LocatorPair) { self.pair = pair }

    static func interval(_ hold: Duration) -> Duration { max(hold / probesInHold, leastInterval) }

    /// A Probe goes out on it. One before that was not reported breaks the proof.
    mutating func probed(at now: Instant) {
        if let lastProbe, lastReport.map({ $0 < lastProbe }) ?? true { provenSince = nil }
        lastProbe = now
    }

    mutating func reported(at now: Instant) {
        lastReport = now
        provenSince = provenSince ?? now
    }

    mutating func arrived(on other: LocatorPair, at now: Instant) {
        if other == pair.reversed { lastArrival = now }
    }

    /// Whether it has worked for long enough in both directions. The other direction may have been asked on just before
    /// the last Probe but one.
    func isProven(hold: Duration, _ damping: Damping, at now: Instant) -> Bool {
        guard let provenSince, let lastArrival else { return false }
        return now - provenSince >= damping.lengthen(hold) && now - lastArrival <= Self.interval(hold) * 2
    }
}

/// A pair that fails again soon after the return to it is damped: each time the hold doubles, up to sixteen times its
/// length, and halves again for each hold that it lasts.
struct Damping: Sendable {
    private static let mostDoublings = 4

    private var returnedAt: Instant?
    private var doublings = 0

    func lengthen(_ hold: Duration) -> Duration { hold * (1 << doublings) }

    mutating func returned(at now: Instant) { returnedAt = now }

    /// Payload had to leave its pair. True if the pair that was returned to is damped from now on.
    mutating func left(hold: Duration, at now: Instant) -> Bool {
        guard let returned = returnedAt else { return false }
        returnedAt = nil
        let lasted = now - returned
        guard lasted < lengthen(hold) * 2 else {
            doublings = max(0, doublings - 1)
            return false
        }
        doublings = min(doublings + 1, Self.mostDoublings)
        return true
    }
}

/// A pair that an operator wants, until Probes have shown whether it works.
struct AskedPair: Sendable {
    /// The operator waits, and an answer is not expected to take longer than this, or some round trips.
    private static let leastGap = Duration.milliseconds(300)

    let pair: LocatorPair
    /// Whether the pair in use was chosen by an operator too: it stays so if this one does not work.
    let wasHeld: Bool
    /// One may get lost, or two.
    var probesLeft = 3

    static func gap(_ roundTrip: Duration?) -> Duration {
        max(leastGap, (roundTrip ?? .zero) * REAPConfiguration.roundTripsInGap)
    }
}

extension REAPMachine {
    /// How often Probes ask for the round-trip time while it is not known.
    private static let leastGapOfQuestions = Duration.seconds(1)

    /// The Failback Timer: a Probe on the better pair, if payload flows, or the return to it.
    mutating func failbackTimerFired(_ moment: inout Moment) {
        guard case .operational(let operational) = phase else { return }
        if case .asked = operational.choice { return probeAskedPair(&moment) }
        guard let hold = configuration.failbackHold, var better = operational.better else { return }
        let interval = BetterPair.interval(hold)
        if let pair = moment.activity.incoming, let last = moment.activity.lastIn, moment.now - last <= interval {
            better.arrived(on: pair, at: last)
            phase.operational?.better = better
        }
        guard !moment.paths.isBarred(better.pair, at: moment.now), doubt?.stands(moment.activity) != true
        else { return }
        if better.isProven(hold: hold, damping, at: moment.now) {
            damping.returned(at: moment.now)
            phase.operational?.better = nil
            return use(better.pair, .failback, &moment)
        }
        // An idle context sends nothing. And answers must not hide that nothing else comes in.
        guard let lastOut = moment.activity.lastOut, moment.now - lastOut <= interval,
            isHeard(within: interval, moment),
            better.restsUntil.map({ $0 <= moment.now }) ?? true
        else { return }
        better.probed(at: moment.now)
        phase.operational?.better = better
        sendQuestion(on: better.pair, &moment)
    }

    /// Whether something but Probes came in while the Send Timer would have run out, or in the last `time`.
    private func isHeard(within time: Duration, _ moment: Moment) -> Bool {
        guard let last = [moment.activity.lastIn, phase.operational?.better?.lastKeepaliveIn].compactMap({ $0 }).max()
        else {
            return false
        }
        return moment.now - last <= max(configuration.announcedSendTimeout, time) * 2
    }

    /// What the peer says of payload on the pair in use, in Operational.
    mutating func heard(of payload: PayloadReport?, _ moment: Moment) {
        guard state == .operational, let arrival = latestArrival(payload, at: moment.now),
            let lastOut = moment.activity.lastOut, lastOut - arrival > configuration.announcedSendTimeout
        else { return }
        let timeout = configuration.peerSendTimeout ?? REAPConfiguration.defaultSendTimeout
        let rest = max(timeout, configuration.announcedSendTimeout) * 2
        phase.operational?.better?.restsUntil = moment.now + rest
    }

    /// Watches the best pair while payload uses another.
    mutating func arrangeFailback(_ moment: inout Moment) {
        guard case .operational(let operational) = phase else { return timers.cancel(.failback, &moment.effects) }
        if case .asked = operational.choice { return }
        guard case .automatic = operational.choice, let hold = configuration.failbackHold,
            let best = preferredPair(moment), best != current
        else {
            if operational.better != nil { phase.operational?.better = nil }
            return timers.cancel(.failback, &moment.effects)
        }
        if operational.better?.pair != best { phase.operational?.better = BetterPair(best) }
        timers.require(.failback, by: moment.now + BetterPair.interval(hold), &moment.effects)
    }

    /// An operator wants payload to use `pair`: it does if the pair works.
    mutating func use(asked pair: LocatorPair, _ moment: inout Moment) {
        guard case .operational(let operational) = phase else {
            return moment.effects.append(.switchRefused(pair, .exploring))
        }
        guard isUsable(pair) else { return moment.effects.append(.switchRefused(pair, .noLocator)) }
        guard pair != current else { return moment.effects.append(.switchRefused(pair, .inUse)) }
        let wasHeld =
            switch operational.choice {
            case .automatic: false
            case .held: true
            case .asked(let wanted): wanted.wasHeld
            }
        phase.operational?.choice = .asked(AskedPair(pair: pair, wasHeld: wasHeld))
        probeAskedPair(&moment)
    }

    mutating func probeAskedPair(_ moment: inout Moment) {
        guard case .asked(var wanted) = phase.operational?.choice else { return }
        guard wanted.probesLeft > 0 else {
            phase.operational?.choice = wanted.wasHeld ? .held : .automatic
            return moment.effects.append(.switchRefused(wanted.pair, .noAnswer))
        }
        wanted.probesLeft -= 1
        phase.operational?.choice = .asked(wanted)
        timers.set(.failback, at: moment.now + AskedPair.gap(roundTripTime), &moment.effects)
        sendQuestion(on: wanted.pair, &moment)
    }

    /// A Probe of the peer has come in on this pair.
    mutating func arrived(on pair: LocatorPair, _ moment: inout Moment) {
        phase.operational?.better?.arrived(on: pair, at: moment.now)
        if isUsable(pair.reversed) { evidence[pair.reversed, default: PairEvidence()].arrived = moment.now }
    }

    /// The peer has reported Probes on these pairs.
    mutating func heard(of confirmed: [LocatorPair], _ moment: inout Moment) {
        for pair in confirmed { evidence[pair, default: PairEvidence()].confirmed = moment.now }
        guard case .operational(let operational) = phase else { return }
        if let better = operational.better, confirmed.contains(better.pair) {
            phase.operational?.better?.reported(at: moment.now)
        }
        guard case .asked(let wanted) = operational.choice, confirmed.contains(wanted.pair) else { return }
        phase.operational?.choice = .held
        use(wanted.pair, .asked, &moment)
    }

    /// Quick detection goes by the round-trip time: while traffic is dense, Probes ask until it is known.
    mutating func askRoundTrip(_ moment: inout Moment) {
        guard state == .operational, configuration.quick != nil, configuration.isFinelyAgreed, roundTripTime == nil,
            lastQuestion.map({ moment.now - $0 >= Self.leastGapOfQuestions }) ?? true
        else { return }
        lastQuestion = moment.now
        sendQuestion(on: current, &moment)
    }

    /// A Probe that asks for a report and puts nothing in doubt: in Operational the peer just answers it (section 6.8).
    mutating func sendQuestion(on pair: LocatorPair, _ moment: inout Moment) {
        moment.paths.budget.spend(at: moment.now)
        sendProbe(as: .inboundOk, on: pair, payload: payloadReport(moment), &moment)
    }
}
