import Locators
import Netlink
import REAP
import Shim6Wire

/// What is known of how far packets with the daemon's addresses as source get, and the questions that find it out.
///
/// A provider may pass only what it has assigned. So an address is good for new sessions when something beyond the gateway
/// has answered to it: a peer in an establishment, a TCP session, an Echo Reply. Echo Requests go only to hosts with which
/// this one has sessions at the moment, to peers, and to the addresses that the operator names.
struct AddressProofs {
    enum Standing: String {
        /// Nothing is known.
        case unproven = "unproven"
        /// A router lets every host on the link make its own addresses in the prefix.
        case assumed = "assumed"
        /// Something beyond the gateway has answered to it.
        case proven = "proven"
        /// It was only assumed, and what answers to another address of the uplink does not answer to it.
        case refuted = "refuted"

        var isGood: Bool { self == .assumed || self == .proven }
    }

    /// An address of the daemon's on an uplink.
    struct Place: Hashable {
        var address: IPv6Address
        var interface: UInt32
        /// Whether a router lets hosts make addresses in its prefix.
        var isAutonomous: Bool
        /// An address of another on the same uplink, to compare with.
        var other: IPv6Address?
        /// Whom the operator wants to be asked.
        var checks: [IPv6Address]
        /// What is reached by the interface without the gateway, and the gateway itself.
        var onLink: [IPv6Prefix]
        /// What has routes of its own by interfaces that are no uplinks.
        var elsewhere: [IPv6Prefix]

        /// Whether packets to `peer` that leave by the interface go through the gateway.
        func isBeyond(_ peer: IPv6Address) -> Bool {
            peer.canBeLocator && peer.high != 0 && peer.high != address.high
                && !onLink.contains { $0.contains(peer) }
        }

        func isElsewhere(_ peer: IPv6Address) -> Bool { elsewhere.contains { $0.contains(peer) } }
    }

    /// An Echo Request, and the interface that it has to leave by.
    struct Question: Hashable {
        var echo: EchoSocket.Echo
        var interface: UInt32
    }

    fileprivate struct Round {
        var own: EchoSocket.Echo
        /// The same from the other address.
        var comparison: EchoSocket.Echo?
        var isComparisonAnswered = false
        var isJudged = false
    }

    fileprivate struct Entry {
        var place: Place
        var standing: Standing
        /// Rounds without an answer so far.
        var rounds = 0
        /// How many of them spoke against the address.
        var refusals = 0
        var nextRound: Instant
        var asked: [IPv6Address: Instant] = [:]
        /// The latest, oldest first.
        var open: [Round] = []
    }

    /// Rounds that follow one another at once, and those that must speak against an assumed address.
    fileprivate static let quickRounds = 3
    fileprivate static let openRounds = 4
    fileprivate static let longestPause = 60
    /// Hosts of which it is remembered that they were asked.
    fileprivate static let mostAsked = 64
    /// How long a look at the sessions keeps the next one waiting, as a multiple of the time that it took.
    private static let idleShare = 100

    /// Nil without an answer to wait for: all addresses are good, or none is.
    private let isAsking: Bool
    private var entries: [IPv6Address: Entry] = [:]
    private var nextLook = Instant(nanoseconds: 0)
    private var sequence: UInt16 = 0

    /// `isAsking`: whether it matters.
    init(isAsking: Bool) { self.isAsking = isAsking }

    func standing(of address: IPv6Address) -> Standing { entries[address]?.standing ?? .unproven }

    // MARK: Evidence

    /// The daemon's addresses are now at these places. What is known of one ends when it goes elsewhere.
    mutating func follow(_ places: [Place], at now: Instant) {
        var kept: [IPv6Address: Entry] = [:]
        for place in places {
            let fresh = Entry(place: place, standing: .unproven, nextRound: now)
            var entry = entries[place.address].flatMap { $0.place.interface == place.interface ? $0 : nil } ?? fresh
            entry.place = place
            if place.isAutonomous, entry.standing == .unproven { entry.standing = .assumed }
            kept[place.address] = entry
        }
        entries = kept
    }

    /// `peer` has answered to an address. Returns whether that is news.
    mutating func hasAnswered(_ peer: IPv6Address, to address: IPv6Address) -> Bool {
        guard let entry = entries[address], entry.standing != .proven, entry.place.isBeyond(peer) else { return false }
        entries[address]?.standing = .proven
        entries[address]?.open = []
        entries[address]?.asked = [:]
        return true
    }

    /// An Echo Reply has come in. Returns whether the address is proven by it.
    mutating func hear(_ reply: EchoSocket.Echo) -> Bool {
        for (address, entry) in entries {
            guard let round = entry.open.firstIndex(where: { [$0.own, $0.comparison].contains(reply) }) else {
                continue
            }
            if entry.open[round].own == reply { return hasAnswered(reply.destination, to: address) }
            entries[address]?.open[round].isComparisonAnswered = true
            return false
        }
        return false
    }

    // MARK: Questions

    private var needsProof: Bool { isAsking && entries.values.contains { $0.standing != .proven } }

    /// Whether it is time to look which sessions there are.
    func isLookDue(at now: Instant) -> Bool { needsProof && now >= nextLook }

    /// Takes in which sessions there are, and returns what to ask. `peers` are those of established contexts, `own` the
    /// addresses of this host, `cost` is how long it took to look, and `nonce` draws a random number.
    ///
    /// - Returns: whether an address has changed its standing, and the questions.
    mutating func look(
        at sessions: Set<SocketSession>, peers: Set<IPv6Address>, own: Set<IPv6Address>, cost: Duration = .zero,
        at now: Instant, nonce: () -> UInt64
    ) -> (isNews: Bool, questions: [Question]) {
        var isNews = false
        for session in sessions where session.isAnswered {
            if entries[session.local]?.place.isElsewhere(session.peer) == true { continue }
            if hasAnswered(session.peer, to: session.local) { isNews = true }
        }
        let answering = Set(sessions.lazy.filter { $0.isAnswered && own.contains($0.local) }.map(\.peer)).union(peers)
        let silent = Set(sessions.lazy.filter { !$0.isAnswered && own.contains($0.local) }.map(\.peer))
            .subtracting(answering)
        let talkedTo = (answering.sorted() + silent.sorted()).filter { !own.contains($0) }
        var questions: [Question] = []
        for address in entries.keys.sorted() {
            guard var entry = entries[address], entry.standing != .proven else { continue }
            if entry.judge() { isNews = true }
            let candidates = entry.place.checks + talkedTo.filter { !entry.place.isElsewhere($0) }
            if let target = entry.target(among: candidates, at: now) {
                sequence &+= 1
                questions += entry.ask(target, sequence: sequence, at: now, nonce: nonce)
            }
            entries[address] = entry
        }
        // The last of the quick rounds is judged soon too.
        let isQuick = entries.values.contains { $0.standing != .proven && $0.rounds <= Self.quickRounds }
        nextLook = now + max(.seconds(isQuick ? 1 : 5), cost * Self.idleShare)
        return (isNews, questions)
    }
}

extension AddressProofs.Entry {
    fileprivate typealias Proofs = AddressProofs

    /// Draws the conclusion from the last round. Returns whether it changes the standing.
    fileprivate mutating func judge() -> Bool {
        guard let last = open.indices.last, !open[last].isJudged else { return false }
        open[last].isJudged = true
        guard open[last].isComparisonAnswered else { return false }
        refusals += 1
        guard standing == .assumed, refusals >= Proofs.quickRounds else { return false }
        standing = .refuted
        return true
    }

    /// Whom to ask now: somebody who was never asked, or in his turn who was.
    fileprivate func target(among candidates: [IPv6Address], at now: Instant) -> IPv6Address? {
        let candidates = candidates.filter(place.isBeyond)
        if let new = candidates.first(where: { asked[$0] == nil }) { return new }
        guard now >= nextRound else { return nil }
        return candidates.min { (asked[$0] ?? now, $0) < (asked[$1] ?? now, $1) }
    }

    fileprivate mutating func ask(
        _ target: IPv6Address, sequence: UInt16, at now: Instant, nonce: () -> UInt64
    ) -> [AddressProofs.Question] {
        func echo(from source: IPv6Address) -> EchoSocket.Echo {
            EchoSocket.Echo(source: source, destination: target, sequence: sequence, nonce: nonce())
        }
        let comparison = standing == .assumed ? place.other.map(echo) : nil
        let round = Proofs.Round(own: echo(from: place.address), comparison: comparison)
        open = open.suffix(Proofs.openRounds - 1) + [round]
        if asked[target] == nil, asked.count >= Proofs.mostAsked, let oldest = asked.min(by: { $0.value < $1.value }) {
            asked[oldest.key] = nil
        }
        asked[target] = now
        rounds += 1
        // 1, 1, 1, 2, 4 ... seconds.
        let pause = min(1 << max(0, min(rounds - Proofs.quickRounds, 6)), Proofs.longestPause)
        nextRound = now + .seconds(pause)
        return ([round.own] + (comparison.map { [$0] } ?? [])).map {
            AddressProofs.Question(echo: $0, interface: place.interface)
        }
    }
}
