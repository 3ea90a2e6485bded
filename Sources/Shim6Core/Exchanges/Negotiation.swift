import REAP
import Shim6Wire

/// The data of I1-SENT (RFC 5533, sections 7.7 and 7.8).
struct I1Sent {
    let initiatorNonce: UInt32
    /// Where I1 goes, in turns, never empty: the ULID pair, or first the pair that served the context before.
    let pairs: [LocatorPair]
    private(set) var retransmissions = 0

    init(initiatorNonce: UInt32, pairs: [LocatorPair]) {
        self.initiatorNonce = initiatorNonce
        self.pairs = pairs
    }

    /// `first`, and the ULID pair next where that is another.
    init(initiatorNonce: UInt32, first: LocatorPair, _ ulids: ULIDPair) {
        self.init(
            initiatorNonce: initiatorNonce, pairs: first == ulids.locators ? [first] : [first, ulids.locators])
    }

    /// Sends I1 and waits for R1 or R2.
    func send(_ common: inout Common, _ turn: inout Turn) {
        let locators = pairs[retransmissions % pairs.count]
        let i1 = I1(
            initiatorTag: common.tag, initiatorNonce: initiatorNonce,
            ulidPair: common.ulidPairOption(over: locators), forkedInstance: common.forkedInstanceOption)
        common.send(.i1(i1), over: locators, &turn)
        let backoff = Backoff(initial: turn.host.configuration.i1Timeout)
        common.arm(after: backoff.wait(before: retransmissions + 1, random: &turn.random), &turn)
    }

    /// The next I1; nil if there have been enough. One after fruitless I2 messages counts as a retransmission too: a
    /// peer that sends R1 but never R2 does not keep this going for ever.
    func next(atMost limit: Int) -> I1Sent? {
        guard retransmissions < limit else { return nil }
        var next = self
        next.retransmissions += 1
        return next
    }

    /// How long the answer took that came in now. Nil where it could be that to an earlier message.
    func roundTrip(since start: Instant, at now: Instant) -> Duration? { retransmissions == 0 ? now - start : nil }
}

/// The data of I2-SENT. Responder Nonce and validator are in the message.
struct I2Sent {
    var request: OutstandingRequest
    /// To go back to.
    let i1: I1Sent
    /// From an I2 of the peer that crossed ours; it is used only when the R2 has come (RFC 5533, section 7.13).
    var peer: Peer?
}

/// The data of I2BIS-SENT. Payload goes on as before; reachability rests, since the peer knows nothing of the context.
struct I2bisSent {
    var request: OutstandingRequest
    let kept: Established

    /// The I1 that follows if no R2 comes: it may go where the I2bis went, for there the R1bis came from.
    func i1(_ ulids: ULIDPair) -> I1Sent {
        I1Sent(initiatorNonce: request.initiatorNonce, first: request.locators, ulids)
    }
}

/// An I2 or I2bis that waits for its R2 (RFC 5533, sections 7.12 and 7.19). It is kept whole, to be sent again.
struct OutstandingRequest {
    enum Kind { case i2, i2bis }

    let kind: Kind
    let initiatorNonce: UInt32
    let message: [UInt8]
    /// Those of the R1 or R1bis, reversed: the validator holds for no others.
    let locators: LocatorPair
    private(set) var retransmissions = 0
    /// Whether it was also sent again since packets came that wait for it.
    private(set) var isRepeated = false
    private(set) var sentAt: Instant

    /// Payload or a control message while the R2 is outstanding gets a repetition no more often than this: a stream of
    /// payload gets no stream of I2 messages.
    private static let leastDistance = Duration.milliseconds(500)

    init(_ kind: Kind, initiatorNonce: UInt32, message: [UInt8], locators: LocatorPair, at now: Instant) {
        self.kind = kind
        self.initiatorNonce = initiatorNonce
        self.message = message
        self.locators = locators
        sentAt = now
    }

    /// The I2 that answers an R1 (section 7.11).
    init(
        answering r1: R1, to i1: I1Sent, over locators: LocatorPair, _ common: inout Common, _ turn: inout Turn
    ) throws(DropReason) {
        let i2 = I2(
            initiatorTag: common.tag, initiatorNonce: i1.initiatorNonce, responderNonce: r1.responderNonce,
            responderValidator: r1.responderValidator, ulidPair: common.ulidPairOption(over: locators),
            forkedInstance: common.forkedInstanceOption, options: LocatorOptions())
        let (message, announced) = try turn.introduction(announcing: common.announced, from: locators.source) {
            var i2 = i2
            i2.options = $0
            return .i2(i2)
        }
        common.announced = announced
        self.init(.i2, initiatorNonce: i1.initiatorNonce, message: message, locators: locators, at: turn.now)
    }

    /// The I2bis that answers an R1bis (section 7.18). It has the whole list, the newest: what the peer had it may have
    /// lost.
    init(
        answering r1bis: R1bis, nonce: UInt32, over locators: LocatorPair, _ common: inout Common,
        _ turn: inout Turn
    ) throws(DropReason) {
        let i2bis = I2bis(
            initiatorTag: common.tag, initiatorNonce: nonce, responderNonce: r1bis.responderNonce,
            packetTag: r1bis.packetTag, responderValidator: r1bis.responderValidator,
            ulidPair: common.ulidPairOption(over: locators), forkedInstance: common.forkedInstanceOption,
            options: LocatorOptions())
        let list = turn.list(for: common.ulids.local)
        let (message, announced) = try turn.introduction(announcing: list, from: locators.source) {
            var i2bis = i2bis
            i2bis.options = $0
            return .i2bis(i2bis)
        }
        common.announced = announced
        self.init(.i2bis, initiatorNonce: nonce, message: message, locators: locators, at: turn.now)
    }

    /// Sends it for the first time.
    func begin(_ common: inout Common, _ turn: inout Turn) {
        transmit(&common, &turn)
        arm(&common, &turn)
    }

    /// Sends it once more, in time; false if that was done often enough.
    mutating func retry(_ common: inout Common, _ turn: inout Turn) -> Bool {
        let configuration = turn.host.configuration
        let limit = kind == .i2 ? configuration.i2RetriesMax : configuration.i2bisRetriesMax
        guard retransmissions < limit else { return false }
        retransmissions += 1
        sentAt = turn.now
        begin(&common, &turn)
        return true
    }

    /// Sends it once more for something that shows that the peer has the context and its R2 was lost (section 12.2).
    /// Its timer stays as it is.
    mutating func remind(_ common: inout Common, _ turn: inout Turn) {
        guard sentAt + Self.leastDistance <= turn.now else { return }
        isRepeated = true
        sentAt = turn.now
        transmit(&common, &turn)
    }

    /// How long the R2 that came in now took. Nil where it could be the answer to an earlier message.
    func roundTrip(at now: Instant) -> Duration? { retransmissions == 0 && !isRepeated ? now - sentAt : nil }

    private func transmit(_ common: inout Common, _ turn: inout Turn) {
        common.transmit(message, kind == .i2 ? .i2 : .i2bis, over: locators, &turn)
    }

    private func arm(_ common: inout Common, _ turn: inout Turn) {
        let timeout = kind == .i2 ? turn.host.configuration.i2Timeout : turn.host.configuration.i2bisTimeout
        let wait = Backoff(initial: timeout).wait(before: retransmissions + 1, random: &turn.random)
        common.arm(after: wait, &turn)
    }
}

/// What came of the timer of a context.
enum TimerOutcome {
    case goesOn
    case fails(NegotiationFailure)
    /// The context is to end.
    case isOver
}

/// Why a negotiation fails.
enum NegotiationFailure {
    case silence(StateReason)
    /// The peer does not know Shim6.
    case noSupport
}

extension Turn {
    /// An I2 or I2bis with what this host has to say of itself, and the list that it tells. What does not fit beside a
    /// long validator, the ULIDs and a long key follows by Update Request: first the preferences, then as much of the
    /// list as it takes.
    fileprivate mutating func introduction(
        announcing list: LocalList, from source: IPv6Address, _ message: (LocatorOptions) -> ControlMessage
    ) throws(DropReason) -> (octets: [UInt8], announced: LocalList) {
        let host = host
        func octets(_ list: LocalList) -> [UInt8]? {
            try? message(host.options(announcing: list)).encoded()
        }
        if let octets = octets(list) { return (octets, list) }
        if let kept = list.shortened(keeping: source, where: { octets($0) != nil }) {
            let part =
                kept.count == list.announcement?.locators.count
                ? list.withoutPreferences : host.part(kept, of: list, random: &random)
            if let part, let octets = octets(part) { return (octets, part) }
        }
        let none = LocalList(ulid: list.ulid)
        guard let octets = octets(none) else { throw .validatorTooLong }
        return (octets, none)
    }
}
