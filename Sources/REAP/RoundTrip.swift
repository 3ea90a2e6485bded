/// The round-trip time as Probes and their reports show it. Fast answers count more: what comes late has waited at a host.
struct RoundTrip: Sendable {
    /// What part a slower answer counts: as with TCP (RFC 6298). A faster one counts half.
    private static let slower = 8

    private(set) var estimate: Duration?

    mutating func measured(_ sample: Duration) {
        guard sample >= .zero else { return }
        guard let old = estimate else { return estimate = sample }
        estimate = sample < old ? (old + sample) / 2 : old + (sample - old) / Self.slower
    }
}
