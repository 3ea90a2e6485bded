import REAP
import Shim6Wire

/// What a context remembers of the I2 and I2bis messages that it answers (RFC 5533, sections 7.13 to 7.15).
struct Answering {
    /// What tells a message from all others that the peer makes.
    struct ID: Equatable {
        var tag: ContextTag
        var nonce: UInt32
    }

    /// The latest ones, newest last. The same one again is just answered; a late copy of an older one must not bring a
    /// tag back that the peer has given up.
    private var latest: [ID] = []
    /// The Initiator Nonce of the I1 that was answered last.
    private var latestI1: UInt32?
    /// Up to when the R2 messages that went out are those of its rate.
    private var usedUp = Instant(nanoseconds: 0)

    private static let remembered = 8

    /// Whether a message came before: nil if it did not, false if another has come since.
    func isNewest(_ id: ID) -> Bool? { latest.contains(id) ? latest.last == id : nil }

    mutating func remember(_ id: ID) {
        if latest.count == Self.remembered { latest.removeFirst() }
        latest.append(id)
    }

    /// An I1 with this nonce is answered: whether it was before, with no other since.
    mutating func repeats(_ nonce: UInt32) -> Bool {
        defer { latestI1 = nonce }
        return latestI1 == nonce
    }

    /// Whether an R2 may go out: not more than one second's worth ahead of the time.
    func canAnswer(at now: Instant) -> Bool { usedUp < now + .seconds(1) }

    /// The R2 for an I1, I2 or I2bis with this nonce, which counts for the rate (section 7.14). If there is no room for
    /// them, the preferences follow by Update Request.
    mutating func r2(nonce: UInt32, _ common: inout Common, _ turn: Turn) -> [UInt8]? {
        let host = turn.host
        let perSecond = max(host.configuration.maximumContextAnswersPerSecond, 1)
        usedUp = max(usedUp, turn.now) + .nanoseconds(1_000_000_000 / Int64(perSecond))
        var r2 = R2(
            responderTag: common.tag, initiatorNonce: nonce, options: host.options(announcing: common.announced))
        if let octets = try? ControlMessage.r2(r2).encoded() { return octets }
        common.announced = common.announced.withoutPreferences
        r2.options = host.options(announcing: common.announced)
        return try? ControlMessage.r2(r2).encoded()
    }
}
