import REAP
import Shim6Wire

/// Where a peer has shown that it gets what is sent there, and how much went to where it has not (RFC 5533, sections
/// 7.2 and 16.3): its list may name addresses of others, who are to get no more of it than the peer could send them
/// itself.
struct Reach {
    private struct Attempt {
        var locator: IPv6Address
        /// Up to when the Probes that went there are those of its rate.
        var usedUp: Instant
    }

    private var answered: [IPv6Address] = []
    /// On locators that have not answered; at most one for each locator of the peer's list.
    private var attempts: [Attempt] = []
    /// Of packets, with their IPv6 headers: what the peer sent, and what went to such locators.
    private var octetsIn: UInt32 = 0
    private var octetsOut: UInt32 = 0
    /// When the next Probe may go to a locator that has not answered, though all that the peer's octets allow is used
    /// up: a peer that is silent must not be lost for ever.
    private var nextBeyond = Instant(nanoseconds: 0)
    /// The payload that was taken into account last.
    private var lastIn = Instant(nanoseconds: 0)

    private static let header = 40
    private static let leastProbe = 56
    private static let interval = Duration.seconds(60)

    func hasAnswered(at locator: IPv6Address) -> Bool { answered.contains(locator) }

    /// The peer has told something that it can know only from a packet to `locator`.
    mutating func answers(at locator: IPv6Address) {
        guard !answered.contains(locator) else { return }
        answered.append(locator)
        attempts.removeAll { $0.locator == locator }
    }

    /// Forgets locators that the peer has no more.
    mutating func keep(where isLocator: (IPv6Address) -> Bool) {
        answered.removeAll { !isLocator($0) }
        attempts.removeAll { !isLocator($0.locator) }
    }

    /// The peer has sent a message of `length` octets.
    mutating func received(_ length: Int) {
        octetsIn = UInt32(clamping: Int(octetsIn) + Self.header + length)
    }

    /// Payload has come in. How much is not known, but it was one packet.
    mutating func received(payloadAt time: Instant) {
        guard time > lastIn else { return }
        lastIn = time
        received(0)
    }

    /// Whether something of `length` octets may go to a locator; it is counted if it has not answered.
    mutating func admits(_ length: Int, to locator: IPv6Address, _ limits: HostConfiguration, at now: Instant) -> Bool {
        guard !hasAnswered(at: locator) else { return true }
        guard mayTry(locator, length, limits, at: now), admitsAnswer(length, limits, at: now) else { return false }
        if let index = attempts.firstIndex(where: { $0.locator == locator }) {
            attempts[index].usedUp = max(attempts[index].usedUp, now) + Self.interval
        } else {
            attempts.append(Attempt(locator: locator, usedUp: now + Self.interval))
        }
        return true
    }

    /// Whether an answer of `length` octets may go to where its question came from; it is counted.
    mutating func admitsAnswer(_ length: Int, _ limits: HostConfiguration, at now: Instant) -> Bool {
        guard mayGo(length, limits, at: now) else { return false }
        if isBeyond(length, limits) { nextBeyond = now + Self.interval }
        octetsOut = UInt32(clamping: Int(octetsOut) + Self.header + length)
        return true
    }

    /// Those of some locators to which no Probe may go now.
    func barred(_ locators: [IPv6Address], _ limits: HostConfiguration, at now: Instant) -> [IPv6Address] {
        guard !attempts.isEmpty else { return [] }
        return locators.filter { !hasAnswered(at: $0) && !mayTry($0, Self.leastProbe, limits, at: now) }
    }

    private func mayTry(
        _ locator: IPv6Address, _ length: Int, _ limits: HostConfiguration, at now: Instant
    ) -> Bool {
        guard mayGo(length, limits, at: now) else { return false }
        guard let attempt = attempts.first(where: { $0.locator == locator }) else { return true }
        return attempt.usedUp <= now + Self.interval * (limits.maximumUnansweredProbes - 1)
    }

    private func mayGo(_ length: Int, _ limits: HostConfiguration, at now: Instant) -> Bool {
        !isBeyond(length, limits) || nextBeyond <= now
    }

    /// Whether a message of `length` octets is more than the peer's octets allow.
    private func isBeyond(_ length: Int, _ limits: HostConfiguration) -> Bool {
        Int(octetsOut) + Self.header + length > Int(octetsIn) * limits.maximumAmplification
    }
}
