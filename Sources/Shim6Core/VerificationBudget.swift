import REAP

/// A token bucket that bounds how often a second keys and signatures of peers are looked at.
struct VerificationBudget {
    private let perSecond: UInt64
    /// Nanoseconds of credit; one verification costs `cost` of them, a full bucket is one second.
    private var credit: UInt64
    private var filledAt: Instant?

    private static let second: UInt64 = 1_000_000_000

    init(perSecond: Int) {
        self.perSecond = UInt64(max(perSecond, 1))
        credit = Self.second
    }

    /// Takes one verification out of the bucket; false if it is empty.
    mutating func take(at now: Instant) -> Bool {
        if let filledAt, filledAt < now {
            credit = min(Self.second, credit &+ min(now.nanoseconds &- filledAt.nanoseconds, Self.second))
        }
        filledAt = max(filledAt ?? now, now)
        let cost = Self.second / perSecond
        guard credit >= cost else { return false }
        credit -= cost
        return true
    }
}
