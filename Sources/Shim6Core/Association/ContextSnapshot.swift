import REAP
import Shim6Wire

/// Everything there is to show of one context at one moment.
public struct ContextSnapshot: Sendable, Equatable {
    public var state: ContextState
    /// CT(local).
    public var localTag: ContextTag
    /// CT(peer); nil until it is known.
    public var peerTag: ContextTag?
    public var ulids: ULIDPair
    public var forkedInstance: UInt32
    /// Of a forked context that this host has asked for: the packets that are its own.
    public var flows: [Flow]
    public var slot: UInt32?

    /// Ls(local) as the peer knows it.
    public var localLocators: [LocalLocatorStatus]
    /// Generation of that list; nil if none was sent.
    public var localGeneration: UInt32?
    /// Ls(peer), verified.
    public var peerLocators: [VerifiedLocator]
    /// Generation of the peer's latest list; nil if it sent none.
    public var peerGeneration: UInt32?
    /// Whether an Update Request waits for its acknowledgement.
    public var updatePending: Bool

    /// The pair that outgoing payload carries; nil before the context was established.
    public var outgoing: LocatorPair?
    /// The pair of the last payload that came in: source is the peer's locator.
    public var incoming: LocatorPair?
    public var isRehomed: Bool
    /// The forms of rehomed payload that the peer accepts, if this host can send none of them: payload stays with the
    /// ULIDs.
    public var unsuitableForms: PayloadForms?

    /// Nil unless established.
    public var reachability: REAPState?
    /// Own Send Timeout as it is in force.
    public var sendTimeout: Duration
    /// The peer's Send Timeout if it announced one, else 15 seconds.
    public var keepaliveTimeout: Duration
    public var lastIn: Instant?
    public var lastOut: Instant?
    /// The timers that are armed.
    public var timers: [Timer: Instant]

    public var createdAt: Instant
    /// When the state was entered.
    public var stateSince: Instant
    /// When the context became established; nil before.
    public var establishedAt: Instant?
    /// When outgoing payload last moved to another pair.
    public var lastSwitch: Instant?
    public var counters: ContextCounters
    /// Why it moved.
    public var lastSwitchReason: UseReason?
    /// The round-trip time as Probes show it.
    public var roundTrip: Duration?

    /// A pair of locators that payload could use.
    public struct Candidate: Sendable, Equatable {
        public var pair: LocatorPair
        public var evidence: PairEvidence
    }
}

/// What lists and counts show of one context: little work for each of a great many.
public struct ContextOutline: Sendable, Equatable {
    public var state: ContextState
    public var localTag: ContextTag
    public var ulids: ULIDPair
    /// Nil unless established.
    public var reachability: REAPState?
    public var outgoing: LocatorPair?
    public var incoming: LocatorPair?
    public var isRehomed: Bool
}

extension ContextSnapshot {
    public var outline: ContextOutline {
        ContextOutline(
            state: state, localTag: localTag, ulids: ulids, reachability: reachability, outgoing: outgoing,
            incoming: incoming, isRehomed: isRehomed)
    }
}

/// A locator of this host in one context.
public struct LocalLocatorStatus: Hashable, Sendable {
    public var address: IPv6Address
    /// Nil only for the ULID itself when the host sends no list.
    public var method: VerificationMethod?
    /// Whether the host still has it.
    public var available: Bool
}

extension ContextOutline {
    init(_ association: Association, _ host: Surroundings) {
        let (common, kept) = (association.common, association.state.kept)
        self.init(
            state: association.state.name, localTag: common.tag, ulids: common.ulids,
            reachability: kept?.reachability.machine.state,
            outgoing: kept == nil ? nil : common.entry?.outgoing,
            incoming: common.slot.flatMap { host.activity[$0].snapshot.incoming },
            isRehomed: common.entry?.isRehomed ?? false)
    }
}

extension ContextSnapshot {
    init(_ association: Association, _ host: Surroundings) {
        let (common, kept, peer) = (association.common, association.state.kept, association.state.peer)
        let established = association.established
        let machine = kept?.reachability.machine
        let stamps = common.slot.map { host.activity[$0].snapshot }
        let reap = host.reapConfiguration(for: peer)
        var timers: [Timer: Instant] = [:]
        if let deadline = common.deadline { timers[.context(common.tag)] = deadline }
        if let deadline = common.resumesAt { timers[.resume(common.tag)] = deadline }
        for timer in REAPTimer.allCases {
            if let deadline = machine?.deadline(of: timer) { timers[.reap(common.tag, timer)] = deadline }
        }
        self.init(
            state: association.state.name, localTag: common.tag, peerTag: peer?.tag, ulids: common.ulids,
            forkedInstance: common.key.forkedInstance, flows: common.flows, slot: common.slot,
            localLocators: Self.status(of: common.announced, host),
            localGeneration: common.announced.announcement?.generation, peerLocators: peer?.locators ?? [],
            peerGeneration: peer?.generation, updatePending: established?.update != nil,
            outgoing: kept == nil ? nil : common.entry?.outgoing, incoming: stamps?.incoming,
            isRehomed: common.entry?.isRehomed ?? false,
            unsuitableForms: common.entry?.form == nil ? established?.reachability.peer.forms : nil,
            reachability: machine?.state, sendTimeout: reap.effectiveSendTimeout(spacing: stamps?.spacingIn),
            keepaliveTimeout: reap.keepaliveTimeout, lastIn: stamps?.lastIn, lastOut: stamps?.lastOut,
            timers: timers, createdAt: common.createdAt, stateSince: association.stateSince,
            establishedAt: kept?.since, lastSwitch: common.lastSwitch, counters: common.counters,
            lastSwitchReason: common.lastSwitchReason, roundTrip: machine?.roundTripTime)
    }

    private static func status(of list: LocalList, _ host: Surroundings) -> [LocalLocatorStatus] {
        guard let announcement = list.announcement else {
            return [LocalLocatorStatus(address: list.ulid, method: nil, available: host.lists.contains(list.ulid))]
        }
        return announcement.locators.map {
            LocalLocatorStatus(address: $0.address, method: $0.method, available: host.lists.contains($0.address))
        }
    }
}
