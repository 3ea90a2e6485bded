import REAP
import Shim6Wire

/// The data of I1-SENT (RFC 5533, sections 7.7 and 7.8).
struct I1Sent {
    let initiatorNonce: UInt32
    /// Where I1 goes, in turns, never empty: the ULID pair, or first the pair that served the context before.
    let pairs: [LocatorPair]
    private(set) var retransmissions = 0
    private(set) var elsewhere = Elsewhere()
    private var repetition = Repetition.none

    /// The one I1 besides the retransmissions, which follows when the peer's own has come in.
    private enum Repetition { case none, due, done }

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
        let all = pairs + elsewhere.pairs
        common.sendI1(initiatorNonce, over: all[retransmissions % all.count], &turn)
        let backoff = Backoff(initial: turn.host.configuration.i1Timeout)
        common.arm(after: backoff.wait(before: retransmissions + 1, random: &turn.random), &turn)
    }

    /// The peer's I1 was answered with R2: it may be established now, and have lost this host's own I1. If that was just
    /// on its way, its R2 comes first.
    mutating func repeatSoon(_ common: inout Common, _ turn: inout Turn) {
        guard case .none = repetition else { return }
        repetition = .due
        let left = common.deadline.map { max($0 - turn.now, .zero) } ?? .zero
        common.arm(after: min(left, OutstandingRequest.leastDistance), &turn)
    }

    /// False if no such repetition is due.
    mutating func repeats(_ common: inout Common, _ turn: inout Turn) -> Bool {
        guard case .due = repetition else { return false }
        repetition = .done
        send(&common, &turn)
        return true
    }

    /// A message with the context's tag has come in on `locators`.
    mutating func remind(_ locators: LocatorPair?, _ common: inout Common, _ turn: inout Turn) {
        if let locators { elsewhere.ask(initiatorNonce, over: locators.reversed, &common, &turn) }
    }

    func awaitsAnswer(on locators: LocatorPair) -> Bool { (pairs + elsewhere.pairs).contains(locators.reversed) }

    /// The next I1; nil if there have been enough. One after fruitless I2 messages counts as a retransmission too: a
    /// peer that sends R1 but never R2 does not keep this going for ever.
    func next(atMost limit: Int) -> I1Sent? {
        guard retransmissions < limit else { return nil }
        var next = self
        next.retransmissions += 1
        return next
    }

    /// How long the answer took that came in now. Nil where it could be that to an earlier message.
    func roundTrip(since start: Instant, at now: Instant) -> Duration? {
        guard retransmissions == 0, elsewhere.pairs.isEmpty else { return nil }
        if case .done = repetition { return nil }
        return now - start
    }
}

/// The data of I2-SENT. Responder Nonce and validator are in the message.
struct I2Sent {
    var request: OutstandingRequest
    /// To go back to.
    let i1: I1Sent
    /// From an I2 of the peer that crossed ours; it is used only when the R2 has come (RFC 5533, section 7.13).
    var peer: Peer?
}

/// The data of I2BIS-SENT. Payload goes on as before, and so does reachability.
struct I2bisSent {
    var request: OutstandingRequest
    let kept: Established
    /// Ls(local) as the peer knows it if it has never lost the context.
    let announcedBefore: LocalList

    /// The I1 that follows if no R2 comes: it goes where the I2bis went, for there the R1bis came from; and where payload
    /// goes, for who made the R1bis up can have chosen a pair that is dead.
    func i1(_ ulids: ULIDPair) -> I1Sent {
        var pairs = [request.locators]
        for pair in [kept.reachability.machine.current, ulids.locators] where !pairs.contains(pair) {
            pairs.append(pair)
        }
        return I1Sent(initiatorNonce: request.initiatorNonce, pairs: pairs)
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
    private(set) var elsewhere = Elsewhere()

    /// Payload or a control message while the R2 is outstanding gets a repetition no more often than this: a stream of
    /// payload gets no stream of I2 messages.
    static let leastDistance = Duration.milliseconds(500)

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
        // 5533-5.6-10, 5533-5.6-11, 5533-5.6-12, 5533-7.11-09, 5533-7.11-10, 5533-7.11-11
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
        // 5533-5.9-11, 5533-7.18-09, 5533-7.18-10
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
    /// - Parameter pair: on which that came in; nil if it is not known.
    mutating func remind(_ pair: LocatorPair?, _ common: inout Common, _ turn: inout Turn) {
        if sentAt + Self.leastDistance <= turn.now {
            isRepeated = true
            sentAt = turn.now
            transmit(&common, &turn)
        }
        if let pair, pair.reversed != locators {
            elsewhere.ask(initiatorNonce, over: pair.reversed, &common, &turn)
        }
    }

    /// Whether an R1bis that comes in on `pair` is worth another I2bis. RFC 5533, section 7.18, has it discarded; but this
    /// one is good only for the pair on which the first came. Where that is dead, what a Probe on another pair draws is the
    /// way back.
    func givesWay(to pair: LocatorPair, at now: Instant) -> Bool {
        locators != pair.reversed && sentAt + Self.leastDistance <= now
    }

    /// Is the last of as many as there were before.
    mutating func replaces(_ other: OutstandingRequest) { retransmissions = other.retransmissions }

    func awaitsAnswer(on pair: LocatorPair) -> Bool {
        locators == pair.reversed || elsewhere.pairs.contains(pair.reversed)
    }

    /// How long the R2 that came in now took. Nil where it could be the answer to an earlier message.
    func roundTrip(at now: Instant) -> Duration? {
        retransmissions == 0 && !isRepeated && elsewhere.pairs.isEmpty ? now - sentAt : nil
    }

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
