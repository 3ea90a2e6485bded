import Shim6Wire

/// How often ICMPv6 errors may cost a Probe.
struct HintLimit: Sendable {
    /// Anybody can forge errors: four Probes a second cost a context little, and a false alarm makes it fewer.
    private static let pause = Duration.milliseconds(250)

    /// When an error was last taken for a hint.
    private var last: Instant?

    /// Whether one more counts.
    mutating func allows(_ patience: Patience, at now: Instant) -> Bool {
        let pause = patience.stretch(Self.pause, at: now)
        guard last.map({ now - $0 >= pause }) ?? true else { return false }
        last = now
        return true
    }
}

/// What makes a context leave Operational without the peer, besides locators that are gone.
extension REAPMachine {
    /// The spacing and the round-trip time that a repeated packet is compared with are taken for no longer than this, or for
    /// this where they are not known. Linux repeats after 200 ms at the earliest, but for tail loss probes: the sum.
    private static let longestUsualWait = Duration.milliseconds(100)
    /// Answers seldom take longer where the pair works.
    private static let suspiciousSilence = Duration.seconds(1)
    /// How many Probes ask on the pair in use where nobody is in a hurry: two of them may get lost.
    private static let unhurriedConfirmations = 3

    /// The Send Timer, started at `start`, expired (section 6.4), or quick detection takes the silence for long enough.
    mutating func sendTimerExpired(_ reason: REAPReason, since start: Instant, _ moment: inout Moment) {
        guard state == .operational else { return perform(.sendTimeout, reason, &moment) }
        var beginning = beginExploration(&moment)
        beginning.isOwnSuspicion = true
        beginning.confirmations = confirmations
        // Only messages of ours wait for an answer, which the peer may have reasons not to give: an Update Request that is
        // never acknowledged moves nothing off a pair that works.
        if moment.activity.lastOut.map({ $0 < start }) ?? true {
            beginning.confirmations = max(beginning.confirmations, Self.unhurriedConfirmations)
        }
        // If both directions had failed, nothing would have arrived in the second half of the silence.
        beginning.evidenceSince = start + (moment.now - start) / 2
        weighPayload(since: start, &beginning, &moment)
        perform(.sendTimeout, reason, beginning: beginning, &moment)
    }

    /// The Probes that ask on the pair in use. While the round-trip time is not known they are as far apart as the RFC has it:
    /// then it is one.
    private var confirmations: Int {
        guard let quick = configuration.quick else { return 0 }
        return roundTripTime == nil ? min(quick.confirmations, 1) : quick.confirmations
    }

    /// Locators have come or gone while payload has been unanswered for some time: that may be more than a coincidence.
    mutating func changedInSilence(_ moment: inout Moment) {
        guard let start = moment.activity.sendStart, moment.now - start >= Self.suspiciousSilence,
            let lastOut = moment.activity.lastOut, lastOut >= start
        else { return }
        var beginning = beginExploration(&moment)
        beginning.isOwnSuspicion = true
        beginning.confirmations = Self.unhurriedConfirmations
        perform(.suspicion, .silence, beginning: beginning, &moment)
    }

    /// The context's messages took another pair than payload does, which had a reason.
    mutating func establishedElsewhere(_ moment: inout Moment) {
        guard state == .operational else { return }
        var beginning = beginExploration(&moment)
        beginning.needsProof = true
        perform(.suspicion, .establishedElsewhere, beginning: beginning, &moment)
    }

    /// The peer has asked again for what was answered on the pair in use. Anybody can do so, so the pair is asked first.
    mutating func answerLost(_ moment: inout Moment) {
        guard state == .operational, isUsable(current), hints.allows(patience, at: moment.now) else { return }
        var beginning = beginExploration(&moment)
        beginning.isOwnSuspicion = true
        beginning.isForgeable = true
        beginning.confirmations = 1
        perform(.suspicion, .answerLost, beginning: beginning, &moment)
    }

    /// Only what is still unanswered can have been lost. The first Probe goes out on the pair in use, so that a hint
    /// that is wrong costs this Probe and moves nothing (5534-8-01).
    mutating func hinted(_ hint: REAPHint, _ moment: inout Moment) {
        guard let quick = configuration.quick, state == .operational, isUsable(current),
            let start = moment.activity.sendStart
        else { return }
        switch hint {
        case .unreachable:
            guard hints.allows(patience, at: moment.now) else { return }
        case .retransmission:
            // Where traffic is sparse, TCP knows better than the spacing how long an answer takes.
            let longest = Self.longestUsualWait
            let missing = moment.activity.spacingIn.map { $0 * REAPConfiguration.missingPackets } ?? longest
            let usual = min(missing, longest) + (roundTripTime ?? longest)
            guard moment.now - start > patience.stretch(max(usual, quick.leastProbeGap), at: moment.now) else { return }
        }
        var beginning = beginExploration(&moment)
        beginning.isOwnSuspicion = true
        beginning.isForgeable = hint == .unreachable
        beginning.confirmations = quick.confirmations
        // Of what anybody can have caused nothing is counted.
        if hint == .retransmission { weighPayload(since: start, &beginning, &moment) }
        perform(.suspicion, .hint, beginning: beginning, &moment)
    }
}
