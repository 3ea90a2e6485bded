import Shim6Wire

/// The Probes sent and received in one exploration, as far as reports need them. Both lists are bounded.
struct ProbeMemory: Sendable {
    private struct SentProbe {
        var report: ProbeReport
        var sentAt: Instant
        var isReported = false
    }

    /// How many sent Probes can still be matched with the peer's reports: one on each pair of the longest order.
    static let window = 64
    /// The largest number of reports of one kind that a Probe carries (4-bit counts, section 5.2).
    static let reportsInProbe = 15

    /// Oldest first.
    private var sent: [SentProbe] = []
    /// Oldest first.
    private var received: [(report: ProbeReport, at: Instant)] = []

    /// The pair of the last Probe sent.
    var lastPair: LocatorPair? { sent.last.map(\.report.pair) }
    /// When it was sent.
    var lastSentAt: Instant? { sent.last.map(\.sentAt) }

    /// Forgets Probes that came in before `time`, or all.
    mutating func forgetReceived(before time: Instant = Instant(nanoseconds: .max)) {
        received.removeAll { $0.at < time }
    }

    /// Keeps a received Probe for our reports. A repeated one only moves to the end.
    mutating func remember(_ report: ProbeReport, at now: Instant) {
        received.removeAll { $0.report == report }
        received.append((report, now))
        if received.count > Self.reportsInProbe { received.removeFirst() }
    }

    /// The pairs of our own Probes that `reports` describe exactly, oldest first; the rest of `reports` is invented or
    /// of another exploration, and means nothing. `latest` is when the newest Probe was sent that had not been reported
    /// before.
    mutating func match(_ reports: [ProbeReport]) -> (pairs: [LocatorPair], latest: Instant?) {
        var pairs: [LocatorPair] = []
        var latest: Instant?
        for index in sent.indices where reports.contains(sent[index].report) {
            if !sent[index].isReported { latest = sent[index].sentAt }
            sent[index].isReported = true
            pairs.append(sent[index].report.pair)
        }
        return (pairs, latest)
    }

    /// Whether the peer has reported a Probe on `pair` since this memory began or was told to doubt it.
    func hasReport(of pair: LocatorPair) -> Bool {
        sent.contains { $0.isReported && $0.report.pair == pair }
    }

    /// What was reported up to now is no evidence any more: the peer's packets have stopped again.
    mutating func doubtReports() {
        sent.removeAll(where: \.isReported)
    }

    /// The Probe to send on `pair`, which is remembered: it reports itself, the recent Probes that the peer has not
    /// reported, newest first, and the Probes received.
    mutating func makeProbe(
        _ state: REAPState, on pair: LocatorPair, peerTag: ContextTag, payload: PayloadReport?,
        random: inout RandomSource, at now: Instant
    ) -> Probe {
        // 5534-5.2-27, 5534-5.2-28: the owner's generator is the system's.
        var nonce = UInt32.random(in: .min ... .max, using: &random)
        while sent.contains(where: { $0.report.nonce == nonce }) { nonce &+= 1 }
        let report = ProbeReport(source: pair.source, destination: pair.destination, nonce: nonce)
        // A report of payload takes the place of one of the others: a Probe must fit into 1,280 octets.
        let most = payload == nil ? Self.reportsInProbe : Self.reportsInProbe - 1
        var reports = [report]  // 5534-5.2-14
        for earlier in sent.reversed() where !earlier.isReported && reports.count < most {
            reports.append(earlier.report)
        }
        sent.append(SentProbe(report: report, sentAt: now))
        if sent.count > Self.window { sent.removeFirst() }
        // 5534-5.2-19
        return Probe(
            receiverTag: peerTag, state: state.probeState, sent: reports, received: received.map(\.report),
            payload: payload)
    }
}

extension ProbeReport {
    /// The locators of the Probe that this describes.
    var pair: LocatorPair { LocatorPair(source: source, destination: destination) }
}
