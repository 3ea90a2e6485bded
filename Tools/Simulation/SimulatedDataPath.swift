import REAP
import Shim6Core
import Shim6Wire

/// A packet on the simulated network.
struct Packet {
    enum Body {
        /// Next header 140, a control message in its octets.
        case control([UInt8])
        /// Payload; with a tag if it carries the payload extension header.
        case payload(Payload, tag: ContextTag?)
        /// ICMPv6 Parameter Problem about a packet with next header 140 that went from `source` to `destination`.
        case parameterProblem(quoted: [UInt8], source: IPv6Address, destination: IPv6Address)
    }

    var source: IPv6Address
    var destination: IPv6Address
    var body: Body
}

/// An upper-layer packet. The flow is what a socket could tell by ports; everything else here is the truth of the
/// simulation, to compare with what arrives.
struct Payload {
    var flow: Int
    /// The ULIDs it was sent with.
    var source: IPv6Address
    var destination: IPv6Address
    /// Whether the receiver answers it at once.
    var asksForReply: Bool
}

/// What the eBPF program does, in a few lines: stamps, tag lookup, rewriting, notifications, the trigger's counting.
struct SimulatedDataPath {
    enum Inbound {
        /// To the sockets of this ULID pair.
        case deliver(ULIDPair, notify: ContextTag?)
        case unknownTag(ContextTag)
        case discard
    }

    enum Outbound {
        case send(Packet, tag: ContextTag?, notify: Bool)
        /// The same, and a context would be worthwhile.
        case sendAndTrigger(Packet, ULIDPair)
    }

    private(set) var entries: [ContextTag: DataPathEntry] = [:]
    private var tags: [ULIDPair: ContextTag] = [:]
    private var counts: [ULIDPair: Int] = [:]
    private let stamps: StampTable
    private let triggerThreshold: Int
    private let sabotage: Sabotage

    init(stamps: StampTable, triggerThreshold: Int, sabotage: Sabotage) {
        self.stamps = stamps
        self.triggerThreshold = triggerThreshold
        self.sabotage = sabotage
    }

    mutating func install(_ entry: DataPathEntry) {
        entries[entry.localTag] = entry
        if entry.forkedInstance == 0 { tags[entry.ulids] = entry.localTag }
        counts[entry.ulids] = nil
    }

    mutating func remove(_ entry: DataPathEntry) {
        guard sabotage != .entriesKept else { return }
        entries[entry.localTag] = nil
        if tags[entry.ulids] == entry.localTag { tags[entry.ulids] = nil }
    }

    mutating func forget(_ ulids: ULIDPair) { counts[ulids] = nil }

    func tag(of ulids: ULIDPair) -> ContextTag? { tags[ulids] }

    mutating func send(_ payload: Payload, at now: Instant) -> Outbound {
        let ulids = ULIDPair(local: payload.source, peer: payload.destination)
        var packet = Packet(
            source: payload.source, destination: payload.destination, body: .payload(payload, tag: nil))
        guard let tag = tags[ulids], let entry = entries[tag] else {
            let count = counts[ulids, default: 0] + 1
            counts[ulids] = count
            return count == triggerThreshold ? .sendAndTrigger(packet, ulids) : .send(packet, tag: nil, notify: false)
        }
        let notify = stamps[entry.slot].stampOut(at: now)
        if entry.isRehomed, let peerTag = entry.peerTag {
            packet.source = entry.outgoing.source
            packet.destination = entry.outgoing.destination
            packet.body = .payload(payload, tag: peerTag)
        }
        return .send(packet, tag: tag, notify: notify)
    }

    func receive(_ tag: ContextTag?, from source: IPv6Address, to destination: IPv6Address, at now: Instant) -> Inbound
    {
        let pair = LocatorPair(source: source, destination: destination)
        guard let tag else {
            let ulids = ULIDPair(local: destination, peer: source)
            guard let tag = tags[ulids], let entry = entries[tag] else { return .deliver(ulids, notify: nil) }
            let notify = stamps[entry.slot].stampIn(pair, at: now)
            return .deliver(ulids, notify: notify ? tag : nil)
        }
        guard let entry = entries[tag] else { return .unknownTag(tag) }
        let ulids = sabotage == .ulidsNotRestored ? ULIDPair(local: destination, peer: source) : entry.ulids
        switch entry.inbound {
        case .discard: return .discard
        case .deliver:
            return .deliver(ulids, notify: stamps[entry.slot].stampIn(pair, at: now) ? tag : nil)
        case .deliverAndNotify:
            _ = stamps[entry.slot].stampIn(pair, at: now)
            return .deliver(ulids, notify: tag)
        }
    }
}

/// Faults that are put into the simulated performer on purpose: the invariants have to notice them.
public enum Sabotage: String, CaseIterable, Sendable {
    case none
    /// Payload with a tag is delivered with the addresses that it carries.
    case ulidsNotRestored = "ulids-not-restored"
    /// Entries stay in the data path when their context is gone.
    case entriesKept = "entries-kept"
    /// Some timers are never armed.
    case timersLost = "timers-lost"
    /// Effects that move payload to another pair are not carried out.
    case switchesLost = "switches-lost"
    /// No R1bis is ever sent.
    case recoveryLost = "recovery-lost"
    /// Payload that a path drops is stamped as if it had arrived.
    case lossUnseen = "loss-unseen"
    /// Nothing is ever said to be idle.
    case idlenessUnseen = "idleness-unseen"
    /// Keepalives and Probes do nothing while a context is recovered.
    case reachabilityRests = "reachability-rests"
    /// Nothing leaves from an address in a prefix that has taken another's place.
    case newPrefixesUnused = "new-prefixes-unused"
    /// No I1 is sent on other pairs than that of the ULIDs.
    case otherPairsUnasked = "other-pairs-unasked"
}
