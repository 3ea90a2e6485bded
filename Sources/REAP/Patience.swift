/// How much longer than usual a silence has to last to be suspicious: twice as long after each alarm that was false, half as
/// long again after some time without one. So traffic that stalls by nature, as TCP under loss does, ends in few alarms.
struct Patience: Sendable {
    /// Thirty-two times as long: from the least silence of 30 ms to about a second, where Send Timeout takes over.
    private static let most = 5
    /// Time without an alarm that halves it again: some round trips, retransmission timeouts and all, of a TCP under loss.
    private static let recovery = Duration.seconds(5)

    private var doublings = 0
    private var since = Instant(nanoseconds: 0)

    mutating func falseAlarm(at now: Instant) {
        doublings = min(current(at: now) + 1, Self.most)
        since = now
    }

    mutating func trueAlarm() { doublings = 0 }

    func stretch(_ limit: Duration, at now: Instant) -> Duration { limit * (1 << current(at: now)) }

    private func current(at now: Instant) -> Int {
        let recovered = max(now - since, .zero).wholeNanoseconds / Self.recovery.wholeNanoseconds
        return max(0, doublings - Int(clamping: recovered))
    }
}
