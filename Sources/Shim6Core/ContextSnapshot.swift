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
    /// The forms of rehomed payload that the peer accepts, if this host can send none of them: payload stays with the ULIDs.
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

extension Host {
    /// All contexts, in the order of their tags.
    public var contexts: [ContextSnapshot] { table.all.map(snapshot(of:)) }

    /// The tags of all contexts, in no order.
    public var tags: [ContextTag] { table.tags }

    /// How many contexts are in each state.
    public var contextsByState: [ContextState: Int] { table.countByState }

    /// The context with this CT(local) in short.
    public func outline(of tag: ContextTag) -> ContextOutline? {
        guard let context = table[tag] else { return nil }
        return ContextOutline(
            state: context.name, localTag: context.tag, ulids: context.ulids,
            reachability: context.established?.machine.state,
            outgoing: context.kept == nil ? nil : context.entry?.outgoing,
            incoming: context.slot.flatMap { activity[$0].snapshot.incoming },
            isRehomed: context.entry?.isRehomed ?? false)
    }

    /// The context with this CT(local).
    public func snapshot(of tag: ContextTag) -> ContextSnapshot? { table[tag].map(snapshot(of:)) }

    /// The default context of this ULID pair, or a forked one.
    public func snapshot(of ulids: ULIDPair, forkedInstance: UInt32 = 0) -> ContextSnapshot? {
        table[ContextKey(ulids: ulids, forkedInstance: forkedInstance)].map(snapshot(of:))
    }

    /// The usable local locators, best first.
    public var localLocators: [LocalLocator] { lists.locators }

    public var counters: HostCounters {
        var counters = tally
        counters.contexts = HostCounters.TableUse(
            used: table.activeCount, limit: table.maximumContexts,
            evictions: tally.triggersRefused &+ tally.contextsEvicted)
        counters.holddowns = HostCounters.TableUse(
            used: table.holddowns.count, limit: table.maximumHolddowns, evictions: tally.holddownsEvicted)
        counters.proofs = HostCounters.TableUse(proofs)
        counters.refusals = HostCounters.TableUse(refusals)
        counters.keys = verifier.keys
        counters.paths = HostCounters.TableUse(paths.pairs)
        counters.locatorFates = HostCounters.TableUse(paths.locators)
        return counters
    }

    private func snapshot(of context: Context) -> ContextSnapshot {
        let established = context.established
        let kept = context.kept
        let peer = context.peer
        let stamps = context.slot.map { activity[$0].snapshot }
        let outgoing = kept == nil ? nil : context.entry?.outgoing
        var timers: [Timer: Instant] = [:]
        if let deadline = context.deadline { timers[.context(context.tag)] = deadline }
        if let deadline = context.resumesAt { timers[.resume(context.tag)] = deadline }
        for timer in REAPTimer.allCases {
            if let deadline = established?.machine.deadline(of: timer) { timers[.reap(context.tag, timer)] = deadline }
        }
        return ContextSnapshot(
            state: context.name, localTag: context.tag, peerTag: peer?.tag, ulids: context.ulids,
            forkedInstance: context.key.forkedInstance, flows: context.flows, slot: context.slot,
            localLocators: localStatus(of: context),
            localGeneration: context.announced.announcement?.generation, peerLocators: peer?.locators ?? [],
            peerGeneration: peer?.generation, updatePending: established?.update != nil, outgoing: outgoing,
            incoming: stamps?.incoming, isRehomed: context.entry?.isRehomed ?? false,
            unsuitableForms: context.entry?.form == nil ? established?.peer.forms : nil,
            reachability: established?.machine.state,
            sendTimeout: reapConfiguration(for: peer).effectiveSendTimeout(spacing: stamps?.spacingIn),
            keepaliveTimeout: reapConfiguration(for: peer).keepaliveTimeout, lastIn: stamps?.lastIn,
            lastOut: stamps?.lastOut, timers: timers, createdAt: context.createdAt, stateSince: context.stateSince,
            establishedAt: kept?.since, lastSwitch: context.lastSwitch,
            counters: context.counters, lastSwitchReason: context.lastSwitchReason,
            roundTrip: established?.machine.roundTripTime)
    }

    /// The pairs that an exploration would try now for the context with this CT(local), in its order, with what Probes have
    /// shown of each; none unless it is established.
    public func candidates(of tag: ContextTag) -> [ContextSnapshot.Candidate] {
        guard let machine = table[tag]?.established?.machine else { return [] }
        return machine.order(paths, at: now).map {
            ContextSnapshot.Candidate(pair: $0, evidence: machine.evidence[$0] ?? PairEvidence())
        }
    }

    private func localStatus(of context: Context) -> [LocalLocatorStatus] {
        guard let announcement = context.announced.announcement else {
            let ulid = context.ulids.local
            return [LocalLocatorStatus(address: ulid, method: nil, available: lists.contains(ulid))]
        }
        return announcement.locators.map {
            LocalLocatorStatus(address: $0.address, method: $0.method, available: lists.contains($0.address))
        }
    }
}
