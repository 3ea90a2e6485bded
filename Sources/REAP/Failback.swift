import Shim6Wire

/// Return to a better pair that has come back: it is probed slowly while payload flows elsewhere, and used again when it
/// has worked in both directions for `hold` without a break.
///
/// A pair that fails again soon after the return is damped: each time the hold doubles, up to sixteen times its length,
/// and halves again for each hold that it lasts.
struct Failback: Sendable {
    private static let mostDoublings = 4

    /// The better pair that is being watched.
    private(set) var target: LocatorPair?
    /// Since when every Probe on it was reported.
    private var provenSince: Instant?
    private var lastProbe: Instant?
    private var lastReport: Instant?
    /// When a Probe of the peer last came on its reverse.
    private var lastArrival: Instant?
    private var returnedAt: Instant?
    private var doublings = 0

    static func interval(_ hold: Duration) -> Duration { max(hold / 5, .milliseconds(500)) }

    mutating func watch(_ pair: LocatorPair?) {
        guard target != pair else { return }
        target = pair
        provenSince = nil
        lastProbe = nil
        lastReport = nil
        lastArrival = nil
    }

    /// A Probe goes out on the target. One before that was not reported breaks the proof.
    mutating func probed(at now: Instant) {
        if let lastProbe, lastReport.map({ $0 < lastProbe }) ?? true { provenSince = nil }
        lastProbe = now
    }

    mutating func reported(at now: Instant) {
        lastReport = now
        provenSince = provenSince ?? now
    }

    mutating func arrived(on pair: LocatorPair, at now: Instant) {
        if let target, pair.source == target.destination, pair.destination == target.source { lastArrival = now }
    }

    /// Whether the target has worked for long enough in both directions.
    func isProven(hold: Duration, at now: Instant) -> Bool {
        guard let provenSince, let lastArrival else { return false }
        return now - provenSince >= hold * (1 << doublings) && now - lastArrival <= Self.interval(hold) * 2
    }

    mutating func returned(at now: Instant) {
        watch(nil)
        returnedAt = now
    }

    /// Payload had to leave its pair. True if the pair that was returned to is damped from now on.
    mutating func left(hold: Duration, at now: Instant) -> Bool {
        guard let returned = returnedAt else { return false }
        returnedAt = nil
        let lasted = now - returned
        guard lasted < hold * (2 << doublings) else {
            doublings = max(0, doublings - 1)
            return false
        }
        doublings = min(doublings + 1, Self.mostDoublings)
        return true
    }
}

/// A pair that an operator wants, until Probes have shown whether it works.
struct AskedPair: Sendable {
    static let gap = Duration.milliseconds(300)

    var pair: LocatorPair
    var probesLeft = 3
}

extension REAPMachine {
    /// The Failback Timer: a Probe on the better pair, if payload flows, or the return to it.
    mutating func failbackTimerFired(_ moment: inout Moment) {
        guard state == .operational else { return }
        if asked != nil { return probeAskedPair(&moment) }
        guard let hold = configuration.failbackHold, let target = failback.target else { return }
        let interval = Failback.interval(hold)
        if let pair = moment.stamps.incoming, let last = moment.stamps.lastIn, moment.now - last <= interval {
            failback.arrived(on: pair, at: last)
        }
        if failback.isProven(hold: hold, at: moment.now) {
            failback.returned(at: moment.now)
            return use(target, .failback, &moment)
        }
        // An idle context sends nothing.
        guard let lastOut = moment.stamps.lastOut, moment.now - lastOut <= interval else { return }
        failback.probed(at: moment.now)
        sendQuestion(on: target, &moment)
    }

    /// Watches the best pair while payload uses another.
    mutating func arrangeFailback(_ moment: inout Moment) {
        if asked != nil { return }
        guard let hold = configuration.failbackHold, state == .operational, !isHeld, let best = preferredPair(moment),
            best != current
        else {
            failback.watch(nil)
            return timers.cancel(.failback, &moment.effects)
        }
        failback.watch(best)
        timers.require(.failback, by: moment.now + Failback.interval(hold), &moment.effects)
    }

    /// An operator wants payload to use `pair`: it does if the pair works.
    mutating func use(asked pair: LocatorPair, _ moment: inout Moment) {
        guard state == .operational else { return moment.effects.append(.switchRefused(pair, .exploring)) }
        guard isUsable(pair) else { return moment.effects.append(.switchRefused(pair, .noLocator)) }
        guard pair != current else { return moment.effects.append(.switchRefused(pair, .inUse)) }
        asked = AskedPair(pair: pair)
        probeAskedPair(&moment)
    }

    mutating func probeAskedPair(_ moment: inout Moment) {
        guard var wanted = asked else { return }
        guard wanted.probesLeft > 0 else {
            asked = nil
            return moment.effects.append(.switchRefused(wanted.pair, .noAnswer))
        }
        wanted.probesLeft -= 1
        asked = wanted
        timers.set(.failback, at: moment.now + max(AskedPair.gap, (roundTrip.estimate ?? .zero) * 3), &moment.effects)
        sendQuestion(on: wanted.pair, &moment)
    }

    /// The peer has reported Probes on these pairs.
    mutating func heard(of confirmed: [LocatorPair], _ moment: inout Moment) {
        for pair in confirmed { evidence[pair, default: PairEvidence()].confirmed = moment.now }
        if let target = failback.target, confirmed.contains(target) { failback.reported(at: moment.now) }
        guard state == .operational, let wanted = asked, confirmed.contains(wanted.pair) else { return }
        asked = nil
        isHeld = true
        use(wanted.pair, .asked, &moment)
    }

    /// Quick detection goes by the round-trip time: while traffic is dense, one Probe a second until it is known.
    mutating func askRoundTrip(_ moment: inout Moment) {
        guard state == .operational, configuration.quick != nil, configuration.isFinelyAgreed,
            roundTrip.estimate == nil, lastQuestion.map({ moment.now - $0 >= .seconds(1) }) ?? true
        else { return }
        lastQuestion = moment.now
        sendQuestion(on: current, &moment)
    }

    /// A Probe that asks for a report and puts nothing in doubt: in Operational the peer just answers it (section 6.8).
    private mutating func sendQuestion(on pair: LocatorPair, _ moment: inout Moment) {
        moment.paths.budget.spend(at: moment.now)
        sendProbe(as: .inboundOk, on: pair, payload: nil, &moment)
    }
}
