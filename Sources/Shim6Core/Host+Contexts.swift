import REAP
import Shim6Wire

// The life of a context: made, moved from state to state, established, removed.
extension Host {
    /// Makes a context with a fresh tag; nil if there is no slot. A negative cache entry for the same ULIDs ends, and so
    /// does a context that makes room.
    func create(
        _ key: ContextKey, flows: [Flow] = [], _ announced: LocalList, _ state: Context.State, isOfPeer: Bool = false,
        reason: StateReason
    ) -> Context? {
        if let holddown = table[key] { remove(holddown, reason: reason) }
        if table.isFull, let spare {
            tally.contextsEvicted &+= 1
            remove(spare, reason: .madeRoom)
        }
        guard let slot = table.takeSlot() else { return nil }
        activity.clear(slot: slot)
        let context = Context(
            tag: table.freshTag(&random), key: key, flows: flows, slot: slot, announced: announced, state: state,
            isOfPeer: isOfPeer, at: now)
        table.insert(context)
        publish(.state(from: nil, to: context.name, reason: reason), context)
        install(context)
        return context
    }

    /// Whether there is a place for one more context, or one that can be made free.
    var hasRoom: Bool { !table.isFull || spare != nil }

    /// The context that makes room: of those that peers have made, one that was never used.
    private var spare: Context? {
        table.spare(at: now) { $0.isOfPeer && $0.established != nil && !hasCarriedPayload($0) }
    }

    /// Whether payload of a context ever passed, either way.
    func hasCarriedPayload(_ context: Context) -> Bool {
        guard let slot = context.slot else { return false }
        return activity[slot].snapshot.hasPayload
    }

    /// Moves a context to another state, tells so, and brings the data path up to date.
    func change(_ context: Context, to state: Context.State, reason: StateReason) {
        let old = context.name
        table.change(context) { context.state = state }
        if context.name != old {
            context.stateSince = now
            publish(.state(from: old, to: context.name, reason: reason), context)
        }
        install(context)
    }

    /// The local list for contexts of a ULID.
    func localList(for ulid: IPv6Address) -> LocalList {
        lists.list(for: ulid, identity: identity, random: &random)
    }

    /// The data of ESTABLISHED at its beginning: payload uses the ULID pair (RFC 5533, section 1.3).
    func established(
        _ ulids: ULIDPair, _ announced: LocalList, _ peer: Peer, roundTrip: Duration? = nil
    ) -> Established {
        var configuration = reapConfiguration(for: peer)
        configuration.roundTrip = roundTrip
        let machine = REAPMachine(
            current: LocatorPair(source: ulids.local, destination: ulids.peer), peerTag: peer.tag,
            local: available(announced), peer: destinations(of: peer),
            configuration: configuration, paths: paths, random: &random)
        return Established(peer: peer, machine: machine, since: now)
    }

    /// Ends a negotiation well. `roundTrip` is how long the peer took to answer, if that is known.
    func becomeEstablished(_ context: Context, _ peer: Peer, roundTrip: Duration? = nil, reason: StateReason) {
        disarm(context)
        let data = established(context.ulids, context.announced, peer, roundTrip: roundTrip)
        change(context, to: .established(data), reason: reason)
        enteredEstablished(context)
    }

    /// What every new established context needs. It comes before an R2 goes out (RFC 5533, section 7.14).
    func enteredEstablished(_ context: Context) {
        tally.established &+= 1
        resume(context)
    }

    /// Begins to watch an established context: its tag, its traffic, its peer.
    func resume(_ context: Context) {
        removeConfused(with: context)
        emit(.watchIdle(context.tag, context.ulids, seconds: idleSeconds(configuration.idleTimeout)))
        if let peer = context.peer { publish(.peerLocators(peer.locators), context) }
        reachability(context, .established)
        reachability(context, .otherMessageReceived)
    }

    /// Stops watching an established context, which is about to end or to be recovered.
    func suspend(_ context: Context) {
        guard let data = context.established else { return }
        for case .cancel(let timer) in data.machine.stop() { emit(.cancel(.reap(context.tag, timer))) }
        emit(.unwatchIdle(context.tag, context.ulids))
    }

    /// Removes contexts whose CT(peer) the peer has given to this one: it has lost them (RFC 5533, section 7.15).
    func removeConfused(with context: Context) {
        guard let tag = context.peerTag else { return }
        for other in table.sending(tag) where other !== context {
            guard let peer = context.peer, let known = other.kept?.peer,
                known.locators.contains(where: { peer.hasLocator($0.address) })
            else { continue }
            publish(.confused, other)
            remove(other, reason: .confusion)
        }
    }

    /// Ends a context. Nothing is sent (RFC 5533, section 9).
    func remove(_ context: Context, reason: StateReason) {
        disarm(context)
        if context.resumesAt != nil { emit(.cancel(.resume(context.tag))) }
        suspend(context)
        uninstall(context)
        table.remove(context)
        publish(.state(from: context.name, to: nil, reason: reason), context)
        emit(.forget(context.ulids))
    }

    /// Nothing came in for the idle timeout: it ends the context only if nothing went out either.
    func idle(_ tag: ContextTag) {
        guard let context = table[tag], let data = context.established, let slot = context.slot else { return }
        let stamps = activity[slot].snapshot
        let last = [data.since, stamps.lastIn, stamps.lastOut].compactMap { $0 }.max() ?? now
        let left = last + configuration.idleTimeout - now
        if left <= .zero {
            remove(context, reason: .idle)
        } else {
            emit(.watchIdle(tag, context.ulids, seconds: idleSeconds(left)))
        }
    }

    /// Whole seconds, rounded up.
    private func idleSeconds(_ time: Duration) -> Int {
        let (seconds, attoseconds) = time.components
        return Int(clamping: attoseconds > 0 ? seconds + 1 : max(seconds, 1))
    }

    /// Brings the data path's entry up to date with the context's state (RFC 5533, sections 11 and 12.2).
    func install(_ context: Context) {
        guard let slot = context.slot else { return }
        var entry = DataPathEntry(
            localTag: context.tag, peerTag: nil, slot: slot, ulids: context.ulids, outgoing: context.ulidLocators,
            inbound: .discard, forkedInstance: context.key.forkedInstance)
        // Until the peer knows the context its packets go with those of the default context.
        if context.kept != nil { entry.flows = context.flows }
        switch context.state {
        case .i1Sent:
            break
        case .i2Sent:
            entry.inbound = .deliverAndNotify
        case .established(let data):
            entry.inbound = .deliver
            use(data, in: &entry)
        case .i2bisSent(let sent):
            entry.inbound = .deliverAndNotify
            use(sent.kept, in: &entry)
        case .eFailed, .noSupport:
            uninstall(context)
            return
        }
        guard entry != context.entry else { return }
        context.entry = entry
        emit(.install(entry))
    }

    private func use(_ data: Established, in entry: inout DataPathEntry) {
        entry.peerTag = data.peer.tag
        entry.peerLocators = data.peer.candidates
        entry.form = form(towards: data)
        if entry.form != nil { entry.outgoing = data.machine.current }
    }

    /// The best form of rehomed payload that this host sends and the peer accepts.
    func form(towards data: Established) -> PayloadForms? {
        configuration.sentForms.first(where: data.peer.forms.contains)
    }

    private func uninstall(_ context: Context) {
        guard let entry = context.entry else { return }
        context.entry = nil
        emit(.remove(entry))
    }
}
