import REAP
import Shim6Core
import Shim6Wire

// What must hold after every step.
extension World {
    func checkHost(_ host: SimulatedHost) {
        guard let daemon = host.daemon, failure == nil else { return }
        let snapshots = daemon.contexts
        if snapshots.count > flows.count {
            fail("\(host.name) has \(snapshots.count) contexts for \(flows.count) flows")
        }
        if host.shadows.count != snapshots.count { fail("\(host.name) told of \(host.shadows.count) contexts") }
        var armed: [Timer: Instant] = [:]
        var slots: Set<UInt32> = []
        for snapshot in snapshots {
            armed.merge(snapshot.timers) { first, _ in first }
            if let slot = snapshot.slot, !slots.insert(slot).inserted {
                fail("two contexts of \(host.name) share a slot")
            }
            checkTold(snapshot, host)
            checkTimers(snapshot, host)
            checkLocators(snapshot, host)
            checkDatapath(snapshot, host)
            checkTags(snapshot, host)
        }
        if armed != host.armed { fail("\(host.name) has timers without owner, or the other way round") }
        if host.datapath.entries.count != slots.count {
            fail("\(host.name) has \(host.datapath.entries.count) data path entries for \(slots.count) contexts")
        }
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
        func isArmed(_ timer: Timer) -> Bool { snapshot.timers[timer] != nil }
        let tag = snapshot.localTag
        let context = isArmed(.context(tag))
        let reap = REAPTimer.allCases.filter { isArmed(.reap(tag, $0)) }
        let isRight: Bool
        switch snapshot.state {
        case .i1Sent, .i2Sent, .i2bisSent, .eFailed, .noSupport: isRight = context && reap.isEmpty
        case .established:
            switch snapshot.reachability {
            case .operational: isRight = reap.isEmpty || reap == [.send, .keepalive]
            case .exploring: isRight = reap == [.probe]
            case .inboundOk: isRight = reap == [.send, .probe]
            case nil: isRight = false
            }
            if context != snapshot.updatePending { fail("Update Request and its timer do not go together") }
        }
        if !isRight { fail("\(host.name) in \(snapshot.state) has context timer \(context), REAP timers \(reap)") }
    }

    /// Payload uses locators that belong to the hosts and are verified, or the ULIDs.
    private func checkLocators(_ snapshot: ContextSnapshot, _ host: SimulatedHost) {
        let peer = hosts[1 - host.number]
        for locator in snapshot.peerLocators where !peer.owned.contains(locator.address) {
            fail("\(host.name) took \(locator.address) for a locator of its peer")
        }
        guard let outgoing = snapshot.outgoing else { return }
        if !host.owned.contains(outgoing.source) || !peer.owned.contains(outgoing.destination) {
            fail("\(host.name) sends payload on \(outgoing)")
        }
    }

    private func checkDatapath(_ snapshot: ContextSnapshot, _ host: SimulatedHost) {
        guard let entry = host.datapath.entries[snapshot.localTag] else {
            if snapshot.slot != nil { fail("\(host.name) has no data path entry for a context") }
            return
        }
        guard snapshot.state == .established else { return }
        if entry.outgoing != snapshot.outgoing || entry.peerTag != snapshot.peerTag || entry.inbound != .deliver {
            fail("the data path of \(host.name) differs from its context")
        }
    }

    /// Two established contexts of one ULID pair agree on their tags.
    private func checkTags(_ snapshot: ContextSnapshot, _ host: SimulatedHost) {
        guard snapshot.state == .established, let other = counterpart(of: snapshot, host) else { return }
        if other.state == .established, other.peerTag != snapshot.localTag || other.localTag != snapshot.peerTag {
            fail("the hosts are both established but do not agree on tags")
        }
    }

    private func counterpart(of snapshot: ContextSnapshot, _ host: SimulatedHost) -> ContextSnapshot? {
        hosts[1 - host.number].daemon?.snapshot(
            of: ULIDPair(local: snapshot.ulids.peer, peer: snapshot.ulids.local))
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

    /// Once the network is whole, everything that can work works.
    func checkLiveness() {
        for (index, flow) in flows.enumerated() where canWork(flow) {
            for (host, way) in tally.flows[index].enumerated() {
                // The last ones may still be on their way.
                if way.measuredSent < 20 || way.measuredDelivered < way.measuredSent - 3 {
                    fail(
                        "flow \(index) from \(hosts[host].name): \(way.measuredDelivered) of \(way.measuredSent) arrived on a whole network"
                    )
                }
            }
        }
    }

    /// Whether the ULIDs are still addresses, so that even plain packets arrive, or both hosts have a context and know a
    /// locator of each other that is left. A host whose table is too small for all flows may have lost one that its peer goes on with.
    private func canWork(_ flow: ULIDPair) -> Bool {
        if scenario.configurations.contains(where: { $0.maximumContexts < flows.count }) { return false }
        if hosts[0].link(of: flow.local) != nil, hosts[1].link(of: flow.peer) != nil { return true }
        guard let snapshot = hosts[0].daemon?.snapshot(of: flow), let other = counterpart(of: snapshot, hosts[0])
        else { return false }
        return [snapshot, other].allSatisfy { context in
            context.state == .established && context.localLocators.contains { $0.available }
        }
    }

    /// After long silence nothing is left. A run in which little happened shows nothing.
    func checkEnd() {
        if deliveries < 200 || virtualSeconds < 600 { fail("\(deliveries) deliveries in \(virtualSeconds) s") }
        for host in hosts {
            checkHost(host)
            if let contexts = host.daemon?.contexts, !contexts.isEmpty {
                fail("\(host.name) still has \(contexts.map(\.state)) after silence")
            }
            if !host.armed.isEmpty || !host.idleWatches.isEmpty || !host.datapath.entries.isEmpty {
                fail("\(host.name) has timers, watches or entries left after silence")
            }
        }
    }
}
