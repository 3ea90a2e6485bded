import REAP
import Shim6Wire

/// Owns the associations: makes them, within the limits, and removes them. What concerns several of them is done here.
final class Registry {
    let table: AssociationTable
    private let maximumPerPeerTag: Int

    init(_ configuration: HostConfiguration) {
        table = AssociationTable(configuration)
        maximumPerPeerTag = configuration.maximumContextsPerPeerTag
    }

    /// Makes an association with a fresh tag; nil if there is no slot. A negative cache entry for the same ULIDs ends,
    /// and so does a context that makes room.
    func create(
        _ key: ContextKey, flows: [Flow] = [], _ announced: LocalList, _ state: AssociationState,
        isOfPeer: Bool = false, _ reason: StateReason, _ turn: inout Turn
    ) -> Association? {
        if let holddown = table[key] { remove(holddown, reason, &turn) }
        if table.isFull, let (association, spareness) = spare(turn) {
            if spareness.kind == .unused {
                turn.host.tally.contextsEvicted &+= 1
                remove(association, .madeRoom, &turn)
            } else {
                turn.host.tally.idleContextsEvicted &+= 1
                remove(association, .idleMadeRoom, &turn)
            }
        }
        guard let slot = table.takeSlot() else { return nil }
        turn.host.activity.clear(slot: slot)
        // 5533-7.20-08
        let common = Common(
            tag: table.freshTag(&turn.random), key: key, flows: flows, slot: slot, announced: announced,
            isOfPeer: isOfPeer, at: turn.now)
        let association = Association(common, state)
        table.insert(association)
        association.open(reason, &turn)
        return association
    }

    /// Whether there is a place for one more context, or one that can be made free.
    func hasRoom(_ turn: Turn) -> Bool { !table.isFull || spare(turn) != nil }

    /// The context that makes room: of those that peers have made one that was never used, or one that is kept though it
    /// is idle.
    private func spare(_ turn: Turn) -> (Association, Spareness)? {
        table.spare(at: turn.now) { association in
            guard let established = association.established else { return nil }
            let common = association.common
            if common.isOfPeer, common.stamps(turn)?.hasPayload == false {
                return Spareness(kind: .unused, since: common.createdAt)
            }
            return established.hold(common, turn).map {
                Spareness(kind: $0.use == .session ? .idle : .idleWithoutSession, since: $0.since)
            }
        }
    }

    /// Checks whether a peer may have a context for this address.
    func checkRoom(for peer: IPv6Address, _ turn: Turn) throws(Refusal) {
        guard hasRoom(turn) else { throw Refusal(.contextTableFull) }
        guard !table.isFull(for: peer) else { throw Refusal(.tooManyContextsOfPeer) }
        guard !table.isFull(forSiteOf: peer) else { throw Refusal(.tooManyContextsOfSite) }
    }

    /// Checks whether a peer may introduce itself with a tag. `known` is the one that it has in the context already.
    func checkTag(_ tag: ContextTag, known: ContextTag?) throws(Refusal) {
        guard table[tag] == nil else { throw Refusal(.ownTag) }
        guard known == tag || table.sending(tag).count < maximumPerPeerTag else {
            throw Refusal(.tooManyContextsOfPeer)
        }
    }

    /// The context that an R1 or R2 answers: the same Initiator Nonce, and the locator pair of our I1 or I2 (RFC 5533,
    /// section 12.4).
    func negotiating(_ nonce: UInt32?, _ locators: LocatorPair) -> Association? {
        guard let nonce, let association = table.negotiating(nonce), association.state.awaitsAnswer(on: locators)
        else { return nil }
        return association
    }

    /// The context with the Receiver Context Tag of an Update, Keepalive or Probe. The packet's addresses have to be
    /// locators of it, since tags are reused (section 12.4).
    func tagged(_ view: MessageView, _ locators: LocatorPair, _ turn: Turn) throws(Refusal) -> Association {
        guard let tag = view.contextTag, let association = table[tag], !association.state.isHolddown else {
            throw Refusal(.unknownTag)
        }
        // Before the peer has introduced itself its locators are not known; what the state says is answer enough.
        let isFromPeer = association.state.peerTag == nil || association.isPeerLocator(locators.source)
        // 5533-10.4-03, 5533-10.5-03
        guard isFromPeer, association.isLocalLocator(locators.destination) else {
            throw Refusal(.locatorsOutsideSets)
        }
        association.receivedTagged(view.length, at: turn.now)
        return association
    }

    /// What every new or recovered context needs. It comes before an R2 goes out (RFC 5533, section 7.14).
    func watch(_ association: Association, _ turn: inout Turn) {
        table.update(association)
        // 5533-7.14-01, 5533-7.15-01, 5533-7.16-09
        removeConfused(with: association, &turn)
        association.watch(&turn)
    }

    /// Puts newly verified data of the peer into an established or kept context.
    func replace(_ peer: Peer, of kept: Established, _ association: Association, _ turn: inout Turn) {
        let old = association.replace(kept, peer)
        table.update(association)
        // 5533-7.14-01, 5533-7.15-01
        removeConfused(with: association, &turn)
        association.peerChanged(from: old, &turn)
    }

    /// Removes contexts whose CT(peer) the peer has given to this one: it has lost them (RFC 5533, section 7.15).
    func removeConfused(with association: Association, _ turn: inout Turn) {
        guard let tag = association.state.peerTag else { return }
        for other in table.others(sending: tag, than: association) {
            guard let known = other.state.kept?.reachability.peer,
                known.locators.contains(where: { association.state.hasVerified($0.address) })
            else { continue }
            other.common.publish(.confused, &turn)
            // 5533-7.6-03, 5533-7.15-05, 5533-7.15-08
            remove(other, .confusion, &turn)
        }
    }

    /// Turns a negotiation into a negative cache entry (section 7.8).
    func holdDown(_ association: Association, _ failure: NegotiationFailure, _ turn: inout Turn) {
        table.release(association.holdDown(failure, &turn))
        table.update(association)
        guard table.holddowns.count > table.maximumHolddowns, let first = table.firstHolddown else { return }
        turn.host.tally.holddownsEvicted &+= 1
        remove(first, .tooManyHolddowns, &turn)
    }

    /// Ends a context.
    func remove(_ association: Association, _ reason: StateReason, _ turn: inout Turn) {
        table.release(association.close(reason, &turn))
        table.remove(association)
    }
}
