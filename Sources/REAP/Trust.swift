import Shim6Wire

/// How far a peer is believed of which nothing is seen but messages whose only proof is the context's tag.
///
/// Tags travel in clear, so whoever has seen one can make a Keepalive a second, and no Send Timer would ever expire. What a
/// Probe of this host has drawn from the peer cannot be made up: it reports a nonce.
struct Trust: Sendable {
    /// Since when such messages have followed each other, and when the last came.
    private var since: Instant?
    private var last: Instant?
    /// Since when Probes ask whether it is the peer that sends them.
    private var askedSince: Instant?
    /// Such a Probe has ended an exploration: no other does before something is proven.
    var hasEndedExploration = false

    /// After so many Send Timeouts with nothing else the peer is asked: seldom enough where payload goes one way for long.
    private static let timeoutsBeforeQuestion = 4

    /// What to make of one more that would stop the Send Timer: if the peer does not answer for one Send Timeout when it is
    /// asked, it is not believed.
    mutating func relies(timeout: Duration, at now: Instant) -> (isBelieved: Bool, asks: Bool) {
        // What lies further apart does not keep the Send Timer from expiring.
        if last.map({ now - $0 > timeout * 2 }) ?? true {
            since = now
            askedSince = nil
        }
        last = now
        guard let since, now - since >= timeout * Self.timeoutsBeforeQuestion else { return (true, false) }
        let asked = askedSince ?? now
        askedSince = asked
        return (now - asked < timeout, true)
    }
}

extension REAPMachine {
    /// Whether a message whose only proof is its tag may stop or restart the Send Timer in Operational. From time to time the
    /// peer is asked.
    mutating func believesTag(_ moment: inout Moment) -> Bool {
        guard moment.activity.sendStart != nil else { return true }
        var trust = trust ?? Trust()
        let timeout = configuration.effectiveSendTimeout(spacing: moment.activity.spacingIn)
        let (isBelieved, asks) = trust.relies(timeout: timeout, at: moment.now)
        self.trust = trust
        if asks { sendQuestion(on: current, &moment) }
        return isBelieved
    }

    /// Whether a Probe that reports none of ours may end an exploration, as sections 6.8 and 6.9 have it: the first one. Those
    /// that follow count as a sign that packets arrive, and Probes go on until one of them is reported.
    mutating func endsUnproven() -> Bool {
        if phase.exploration?.needsProof == true { return false }
        var trust = trust ?? Trust()
        defer { self.trust = trust }
        guard !trust.hasEndedExploration else { return false }
        trust.hasEndedExploration = true
        return true
    }
}
