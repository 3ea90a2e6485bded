import REAP
import Shim6Wire

/// What an I1 and the I2 that follows it have in common; the responder keeps none of it in between.
///
/// The Initiator Nonce is not part of it: section 7.11 lets the I2 have another one.
struct Offer: Hashable {
    var initiatorTag: ContextTag
    /// From the responder's point of view.
    var ulids: ULIDPair
    /// The addresses of the initiator's packet.
    var locators: LocatorPair
    var forkedInstance: UInt32
}

/// Responder Nonces and validators (RFC 5533, sections 5.15.1 and 7.10.1), the only memory of a responder.
///
/// The Responder Nonce is a counter that begins at a random value and advances every VALIDATOR_MIN_LIFETIME. Each value
/// has a secret of its own; those of the current and of the previous value are kept, so a validator is accepted for at
/// least one and less than two lifetimes. The time is looked at when a message comes in: an idle host needs no timer.
struct ResponderSecrets {
    private struct Period {
        var nonce: UInt32
        var secret: SipHash.Key
        var start: Instant
    }

    static let validatorLength = 16

    private let lifetime: Duration
    private var current: Period?
    private var previous: Period?

    init(lifetime: Duration) {
        self.lifetime = lifetime
    }

    /// The Responder Nonce and validator for an I1.
    mutating func challenge(
        _ offer: Offer, at now: Instant, random: inout some RandomNumberGenerator
    ) -> (nonce: UInt32, validator: [UInt8]) {
        let period = advance(to: now, random: &random)
        return (period.nonce, Self.validator(offer, period))
    }

    enum Verdict {
        case genuine, stale, forged
    }

    /// Whether this host gave out `validator` for this offer, not too long ago. Costs one SipHash; takes the same time
    /// wherever the first wrong octet is.
    func check(_ offer: Offer, nonce: UInt32, validator: some Sequence<UInt8>, at now: Instant) -> Verdict {
        let periods = [current, previous].compactMap { $0 }
        guard let period = periods.first(where: { $0.nonce == nonce && now < $0.start + lifetime + lifetime }) else {
            return .stale
        }
        var iterator = validator.makeIterator()
        var difference: UInt8 = 0
        for octet in Self.validator(offer, period) {
            guard let received = iterator.next() else { return .forged }
            difference |= octet ^ received
        }
        return difference == 0 && iterator.next() == nil ? .genuine : .forged
    }

    private mutating func advance(to now: Instant, random: inout some RandomNumberGenerator) -> Period {
        guard let old = current else {
            let first = Period(nonce: random.next(), secret: SipHash.Key(from: &random), start: now)
            current = first
            return first
        }
        guard old.start + lifetime <= now else { return old }
        let new = Period(nonce: old.nonce &+ 1, secret: SipHash.Key(from: &random), start: now)
        previous = old
        current = new
        return new
    }

    private static func validator(_ offer: Offer, _ period: Period) -> [UInt8] {
        var hash = SipHash(key: period.secret)
        hash.absorb(UInt64(period.nonce) << 32 | UInt64(offer.forkedInstance))
        hash.absorb(offer.initiatorTag.rawValue)
        hash.absorb(offer.ulids.local)
        hash.absorb(offer.ulids.peer)
        hash.absorb(offer.locators.source)
        hash.absorb(offer.locators.destination)
        let (low, high) = hash.finish()
        return withUnsafeBytes(of: (low.littleEndian, high.littleEndian)) { Array($0) }
    }
}
