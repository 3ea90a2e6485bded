import REAP
import Shim6Core
import Shim6Wire

// What must hold after every step.
extension World {
    /// After a step that concerned the contexts with these tags. Now and then, and always when `everything` is asked for,
    /// those that it did not concern are looked at as well: nothing may have happened to them.
    func checkHost(_ host: SimulatedHost, _ tags: Set<ContextTag>, everything: Bool) {
        guard let daemon = host.daemon, failure == nil else { return }
        let counters = daemon.counters
        if counters.contexts.used + counters.holddowns.used != host.shadows.count {
            fail("\(host.name) told of \(host.shadows.count) contexts")
        }
        if host.dataPath.entries.count != counters.contexts.used {
            fail("\(host.name) has \(host.dataPath.entries.count) data path entries for \(counters.contexts.used)")
        }
        stepsUntilWholeCheck -= 1
        if everything || stepsUntilWholeCheck < 0 {
            stepsUntilWholeCheck = 50
            checkAll(host, daemon.contexts)
        } else {
            for tag in tags {
                if let snapshot = daemon.snapshot(of: tag) {
                    check(snapshot, host)
                } else if Timer.all(of: tag).contains(where: { host.armed[$0] != nil }) {
                    fail("\(host.name) has a timer of a context that is gone")
                }
            }
        }
    }

    private func checkAll(_ host: SimulatedHost, _ snapshots: [ContextSnapshot]) {
        // Each local ULID can have a context with the intruder's as well.
        if scenario.isRandom, snapshots.count > 2 * flows.count {
            fail("\(host.name) has \(snapshots.count) contexts for \(flows.count) flows")
        }
        var timers = 0
        var slots: Set<UInt32> = []
        var tags: Set<ContextTag> = []
        for snapshot in snapshots {
            timers += snapshot.timers.count
            if !tags.insert(snapshot.localTag).inserted { fail("two contexts of \(host.name) share a tag") }
            if let slot = snapshot.slot, !slots.insert(slot).inserted {
                fail("two contexts of \(host.name) share a slot")
            }
            check(snapshot, host)
        }
        if timers != host.armed.count { fail("\(host.name) has timers without owner") }
        if host.dataPath.entries.count != slots.count {
            fail("\(host.name) has \(host.dataPath.entries.count) data path entries for \(slots.count) contexts")
        }
    }

    private func check(_ snapshot: ContextSnapshot, _ host: SimulatedHost) {
        checkTold(snapshot, host)
        checkTimers(snapshot, host)
        checkLocators(snapshot, host)
        checkDataPath(snapshot, host)
    }

    /// The notices tell the truth.
    private func checkTold(_ snapshot: ContextSnapshot, _ host: SimulatedHost) {
        guard let shadow = host.shadows[snapshot.localTag], shadow.state == snapshot.state,
            shadow.ulids == snapshot.ulids, snapshot.reachability == nil || snapshot.reachability == shadow.reachability
        else {
            fail("the notices of \(host.name) and its contexts differ")
            return
        }
    }

    /// A timer is armed if, and only if, the state needs it.
    private func checkTimers(_ snapshot: ContextSnapshot, _ host: SimulatedHost) {
        let tag = snapshot.localTag
        if Timer.all(of: tag).contains(where: { snapshot.timers[$0] != host.armed[$0] }) {
            fail("\(host.name) has timers without owner, or the other way round")
        }
        let context = snapshot.timers[.context(tag)] != nil
        let reap = REAPTimer.allCases.filter { snapshot.timers[.reap(tag, $0)] != nil }
        let isRight: Bool
        switch snapshot.state {
        case .i1Sent, .i2Sent, .eFailed, .noSupport: isRight = context && reap.isEmpty
        case .i2bisSent, .established:
            switch snapshot.reachability {
            case .operational:
                // The Failback Timer comes and goes beside the others.
                let others = reap.filter { $0 != .failback }
                isRight = others.isEmpty || others == [.send, .keepalive]
            case .exploring: isRight = reap == [.probe]
            case .inboundOk: isRight = reap == [.send, .probe]
            case nil: isRight = false
            }
            if context != (snapshot.updatePending || snapshot.state == .i2bisSent) {
                fail("Update Request and its timer do not go together")
            }
        }
        if !isRight { fail("\(host.name) in \(snapshot.state) has context timer \(context), REAP timers \(reap)") }
    }

    /// Payload uses locators that belong to the hosts and are verified, or the ULIDs. The intruder may claim what he
    /// likes for himself, but no payload goes there.
    private func checkLocators(_ snapshot: ContextSnapshot, _ host: SimulatedHost) {
        guard let peer = owner(of: snapshot.ulids.peer) else {
            if scenario.isRandom, snapshot.ulids.peer != intruder.address {
                fail("\(host.name) has a context with nobody")
            }
            if let outgoing = snapshot.outgoing, outgoing.destination != snapshot.ulids.peer {
                fail("\(host.name) sends the intruder's payload on \(outgoing)")
            }
            return
        }
        for locator in snapshot.peerLocators where !peer.owned.contains(locator.address) {
            fail("\(host.name) took \(locator.address) for a locator of its peer")
        }
        guard let outgoing = snapshot.outgoing else { return }
        if !host.owned.contains(outgoing.source) || !peer.owned.contains(outgoing.destination) {
            fail("\(host.name) sends payload on \(outgoing)")
        }
    }

    private func checkDataPath(_ snapshot: ContextSnapshot, _ host: SimulatedHost) {
        guard let entry = host.dataPath.entries[snapshot.localTag] else {
            if snapshot.slot != nil { fail("\(host.name) has no data path entry for a context") }
            return
        }
        guard
            let inbound = [.established: .deliver, .i2bisSent: .deliverAndNotify][snapshot.state]
                as DataPathEntry.Inbound?
        else { return }
        if entry.outgoing != snapshot.outgoing || entry.peerTag != snapshot.peerTag || entry.inbound != inbound {
            fail("the data path of \(host.name) differs from its context")
        }
    }

    /// A payload packet has come in with a tag that the host does not have, or was delivered. What was lost has to be
    /// recovered at once when no message is lost, except at first: a negotiation that began on a broken network may wait
    /// to repeat itself, and then for its holddown to end.
    func checkRecovery(_ payload: Payload, isKnown: Bool, _ host: SimulatedHost) {
        let way = WayOfFlow(flow: payload.flow, to: host.number)
        guard !isKnown else {
            unknownSince[way] = nil
            return
        }
        // A host that has lost a context whose ULID it has no more cannot show that it was its own.
        guard hasRoom, host.link(of: ulids(of: payload.flow, at: host.number).local) != nil else { return }
        let since = unknownSince[way] ?? now
        unknownSince[way] = since
        if virtualSeconds > scenario.faultsEnd + 220, since + .seconds(15) < now {
            fail("flow \(payload.flow) has met an unknown tag on \(host.name) for 15 s")
        }
    }

    /// Payload moves only to a pair on which a Probe reached the peer in this exploration, between verified locators.
    func checkSwitch(to pair: LocatorPair, _ tag: ContextTag, _ host: SimulatedHost) {
        guard let shadow = host.shadows[tag], let snapshot = host.daemon?.snapshot(of: tag) else { return }
        guard let arrival = probesArrived[pair], arrival >= shadow.leftOperational else {
            fail("\(host.name) moved payload to \(pair), on which no Probe got through")
            return
        }
        let isVerified =
            pair.destination == snapshot.ulids.peer
            || snapshot.peerLocators.contains { $0.address == pair.destination && $0.method != nil }
        if !isVerified { fail("\(host.name) moved payload to \(pair.destination), which is not verified") }
    }

    // MARK: - At the end

    /// Two contexts of one ULID pair agree on their tags, if payload uses them.
    private func checkTags() {
        for flow in flows {
            guard let first = owner(of: flow.local)?.daemon?.snapshot(of: flow),
                let second = owner(of: flow.peer)?.daemon?.snapshot(of: flow.reversed),
                first.state == .established, second.state == .established
            else { continue }
            let doDiffer = first.peerTag != second.localTag || first.localTag != second.peerTag
            if doDiffer, first.isRehomed || second.isRehomed {
                fail("the contexts of \(flow) are established but do not agree on tags")
            }
        }
    }

    /// Once the network is whole, everything that can work works.
    func checkLiveness() {
        checkTags()
        for (index, flow) in flows.enumerated() where canWork(flow) {
            for (end, way) in tally.flows[index].enumerated() {
                // The last ones may still be on their way.
                if way.measuredSent < 15 || way.measuredDelivered < way.measuredSent - 3 {
                    fail(
                        "flow \(index) from its end \(end): \(way.measuredDelivered) of \(way.measuredSent) arrived on a whole network"
                    )
                }
            }
        }
    }

    /// A host whose table is too small for all flows may have lost one that its peer goes on with.
    private var hasRoom: Bool { scenario.configurations.allSatisfy { $0.maximumContexts >= 2 * flows.count } }

    /// Whether the ULIDs are still addresses, so that even plain packets arrive, or one host has a context and knows a locator
    /// of the other that is left: then the other recovers it, or gets to know where this one is now.
    private func canWork(_ flow: ULIDPair) -> Bool {
        guard hasRoom else { return false }
        guard let first = owner(of: flow.local), let second = owner(of: flow.peer) else { return false }
        if first.link(of: flow.local) != nil, second.link(of: flow.peer) != nil { return true }
        let ends = [(first, flow), (second, flow.reversed)]
        let contexts = ends.compactMap { $0.daemon?.snapshot(of: $1) }
            .filter { $0.state == .established || $0.state == .i2bisSent }
        // A host that has lost a context whose ULID it has no more cannot show that it was its own.
        let isLost = ends.contains { host, ulids in
            host.link(of: ulids.local) == nil && !contexts.contains { $0.ulids == ulids }
        }
        return !isLost
            && contexts.contains { context in
                owner(of: context.ulids.local)?.addresses.contains { $0 != nil } == true
                    && context.peerLocators.contains { owner(of: $0.address)?.link(of: $0.address) != nil }
            }
    }

    /// After long silence nothing is left. A run in which little happened shows nothing.
    func checkEnd() {
        if deliveries < 200 || virtualSeconds < 600 { fail("\(deliveries) deliveries in \(virtualSeconds) s") }
        for host in hosts {
            checkHost(host, [], everything: true)
            if let contexts = host.daemon?.contexts, !contexts.isEmpty {
                fail("\(host.name) still has \(contexts.map(\.state)) after silence")
            }
            if !host.armed.isEmpty || !host.idleWatches.isEmpty || !host.dataPath.entries.isEmpty {
                fail("\(host.name) has timers, watches or entries left after silence")
            }
        }
    }
}

extension Timer {
    static func all(of tag: ContextTag) -> [Timer] {
        [.context(tag), .resume(tag)] + REAPTimer.allCases.map { .reap(tag, $0) }
    }

    /// The context that it belongs to.
    var tag: ContextTag {
        switch self {
        case .context(let tag), .resume(let tag), .reap(let tag, _): tag
        }
    }
}
