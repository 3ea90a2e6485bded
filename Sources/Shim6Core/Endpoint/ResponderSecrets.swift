import CGA
import REAP
import Shim6Wire

/// What a Responder Validator is good for.
enum ValidatedExchange: Hashable {
    /// An I2 that follows this I1.
    case establishment(Offer)
    /// An I2bis that follows the R1bis about a packet with this tag on this pair (RFC 5533, section 7.17.1).
    case recovery(packetTag: ContextTag, LocatorPair)
}

/// Responder Nonces and validators (RFC 5533, sections 5.15.1, 7.10.1 and 7.17.1), the only memory of a responder.
///
/// The Responder Nonce is a counter that begins at a random value and advances every VALIDATOR_MIN_LIFETIME. Each value
/// has a secret of its own; those of the current and of the previous value are kept, so a validator is accepted for at
/// least one and less than two lifetimes. The time is looked at when a message comes in: an idle host needs no timer.
struct ResponderSecrets {
    private struct Period {
        var nonce: UInt32
        var key: ValidatorKey
        var start: Instant
    }

    private let lifetime: Duration
    private var current: Period?
    private var previous: Period?

    init(lifetime: Duration) {
        self.lifetime = lifetime
    }

    /// The Responder Nonce and validator for an R1 or R1bis. Throws `proof` if libcrypto fails.
    mutating func challenge(
        _ exchange: ValidatedExchange, at now: Instant, random: inout RandomSource
    ) throws(DropReason) -> (nonce: UInt32, validator: [UInt8]) {
        do {
            let period = try advance(to: now, random: &random)
            return (period.nonce, try period.key.code(for: Self.octets(exchange, period.nonce)))
        } catch {
            throw .proof(error)
        }
    }

    enum Verdict {
        case genuine, stale, forged
    }

    /// Whether this host gave out `validator` for this exchange, not too long ago. Costs one SipHash; takes the same
    /// time wherever the first wrong octet is.
    func check(
        _ exchange: ValidatedExchange, nonce: UInt32, validator: some Collection<UInt8>, at now: Instant
    ) -> Verdict {
        let period = current?.nonce == nonce ? current : previous
        // 5533-7.13-05, 5533-7.20-04
        guard let period, period.nonce == nonce, now < period.start + lifetime + lifetime else { return .stale }
        return period.key.verify(validator, of: Self.octets(exchange, period.nonce)) ? .genuine : .forged
    }

    private mutating func advance(
        to now: Instant, random: inout RandomSource
    ) throws(CGAError) -> Period {
        if let current, now < current.start + lifetime { return current }
        let secret = (0..<ValidatorKey.length).map { _ in UInt8.random(in: 0...255, using: &random) }
        let key = try ValidatorKey(secret: secret)
        let period = Period(nonce: current.map { $0.nonce &+ 1 } ?? random.next(), key: key, start: now)
        previous = current
        current = period
        return period
    }

    /// What a validator vouches for. The two kinds differ in length, so that none passes for the other.
    private static func octets(_ exchange: ValidatedExchange, _ nonce: UInt32) -> [UInt8] {
        switch exchange {
        case .establishment(let offer):
            let (ulids, locators) = (offer.ulids, offer.locators)
            let words = (
                UInt64(nonce) << 32 | UInt64(offer.forkedInstance), offer.initiatorTag.rawValue,
                ulids.local.high, ulids.local.low, ulids.peer.high, ulids.peer.low,
                locators.source.high, locators.source.low, locators.destination.high, locators.destination.low
            )
            return withUnsafeBytes(of: words) { Array($0) }
        case .recovery(let tag, let locators):
            let words = (
                UInt64(nonce), tag.rawValue,
                locators.source.high, locators.source.low, locators.destination.high, locators.destination.low
            )
            return withUnsafeBytes(of: words) { Array($0) }
        }
    }
}
