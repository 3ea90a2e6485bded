/// The round-trip time as Probes and their reports show it. Fast answers count more: what comes late has waited at a host.
struct RoundTrip: Sendable {
    private(set) var estimate: Duration?

    mutating func measured(_ sample: Duration) {
        guard sample >= .zero else { return }
        guard let old = estimate else { return estimate = sample }
        estimate = sample < old ? (old + sample) / 2 : old + (sample - old) / 8
    }
}
