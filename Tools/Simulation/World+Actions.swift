import REAP
import Shim6Core
import Shim6Wire

// What the scenario does.
extension World {
    func act(_ action: Scenario.Action) {
        switch action {
        case .cutLink(let half): network.cutLinks.insert(half)
        case .healLink(let half): network.cutLinks.remove(half)
        case .cutPath(let path): network.cutPaths.insert(path)
        case .healPath(let path): network.cutPaths.remove(path)
        case .dropPayload(let path, let flow):
            network.payloadCuts.insert(Network.PayloadCut(path: path, flow: flow))
        case .passPayload(let path, let flow):
            network.payloadCuts.remove(Network.PayloadCut(path: path, flow: flow))
        case .dropPayloadInUse(let flow): dropPayloadInUse(of: flow)
        case .loss(let probability): network.loss = probability
        case .duplication(let probability): network.duplication = probability
        case .spread(let seconds): network.spread = seconds
        case .removeLocator(let host, let link): setAddress(of: hosts[host], link, present: false)
        case .restoreLocator(let host, let link): setAddress(of: hosts[host], link, present: true)
        case .renumber(let host, let link):
            hosts[host].giveAddress(to: link)
            reportLocators(of: hosts[host])
        case .renumberUnannounced(let host, let link):
            hosts[host].keepDeadAddress(of: link)
            hosts[host].giveAddress(to: link)
            reportLocators(of: hosts[host])
        case .prefer(let host, let link, let preference):
            hosts[host].preferences[link] = preference
            reportLocators(of: hosts[host])
        case .stop(let host, let byCrash): stop(hosts[host], byCrash: byCrash)
        case .start(let host): start(hosts[host])
        case .reboot(let host, let seconds): reboot(hosts[host], seconds: seconds)
        case .stall(let host, let seconds, let deaf): stall(hosts[host], seconds: seconds, deaf: deaf)
        case .jump(let host, let seconds): jump(hosts[host], seconds: seconds)
        case .removeContext(let host, let flow):
            if let tag = hosts[host].daemon?.snapshot(of: ulids(of: flow, at: host))?.localTag {
                report(.remove(tag), to: hosts[host])
            }
        case .fork(let host, let flow):
            if let tag = hosts[host].daemon?.snapshot(of: ulids(of: flow, at: host))?.localTag {
                report(.fork(tag, [Shim6Core.Flow(protocolNumber: 17)]), to: hosts[host])
            }
        case .hint(let host, let flow, let hint):
            guard scenario.flows[flow].hosts.contains(host) else { return }
            if let tag = hosts[host].daemon?.snapshot(of: ulids(of: flow, at: host))?.localTag {
                report(.hint(tag, hint), to: hosts[host])
            }
        case .establish(let host, let flow): report(.establish(ulids(of: flow, at: host)), to: hosts[host])
        case .trigger(let host, let flow): report(.trigger(ulids(of: flow, at: host)), to: hosts[host])
        case .intrude(let intrusion, let host, let flow): intrude(intrusion, hosts[host], flow)
        case .forge(let make): make(record).map(deliver)
        case .refuseLast(let host): refuseLast(of: hosts[host])
        case .sendTimeout(let host, let timeout): report(.sendTimeout(timeout), to: hosts[host])
        case .mode(let flow, let mode): modes[flow] = mode
        case .heal: heal()
        case .measure: tally.isMeasuring = true
        case .silence:
            if scenario.isRandom { checkLiveness() }
            tally.isMeasuring = false
            modes = modes.map { _ in .silent }
            tally.isSilent = true
            network.payloadCuts = []
        case .finish: isFinished = true
        }
    }

    private func heal() {
        network.heal()
        modes = modes.map { _ in .bothWays }
        for host in hosts {
            for link in host.addresses.indices where host.addresses[link] == nil {
                setAddress(of: host, link, present: true)
            }
        }
    }

    /// A flow whose contexts could use other pairs has to do without the present ones from now on.
    private func dropPayloadInUse(of flow: Int) {
        var cuts: [Network.PayloadCut] = []
        for number in scenario.flows[flow].hosts {
            let host = hosts[number]
            guard let context = host.daemon?.snapshot(of: ulids(of: flow, at: number)), context.state == .established,
                context.localLocators.count(where: \.available) > 1, context.peerLocators.count > 1,
                context.unsuitableForms == nil, let pair = context.outgoing, let link = host.link(of: pair.source),
                let peer = owner(of: pair.destination), let peerLink = peer.link(of: pair.destination)
            else { return }
            let path = Network.Path(fromHost: number, fromLink: link, toHost: peer.number, toLink: peerLink)
            cuts.append(Network.PayloadCut(path: path, flow: flow))
        }
        network.payloadCuts.formUnion(cuts)
    }

    /// Takes the address from a link, or puts it back.
    private func setAddress(of host: SimulatedHost, _ link: Int, present: Bool) {
        if present, host.addresses[link] == nil {
            host.addresses[link] = host.parked[link]
        } else if !present, let address = host.addresses[link] {
            host.parked[link] = address
            host.addresses[link] = nil
        }
        reportLocators(of: host)
    }

    private func reportLocators(of host: SimulatedHost) {
        report(.localLocators(host.locators), to: host)
    }

    private func start(_ host: SimulatedHost) {
        host.start(random: SeededGenerator(seed: random.next()))
        reportLocators(of: host)
    }

    private func stop(_ host: SimulatedHost, byCrash: Bool) {
        if !byCrash, host.daemon != nil { process(.shutdown, host) }
        host.stop()
    }

    private func reboot(_ host: SimulatedHost, seconds: Double) {
        // A daemon that was not there before is not there afterwards.
        guard host.daemon != nil else { return }
        host.clear()
        host.deafUntil = max(host.deafUntil, now + .seconds(seconds))
        schedule(.action(.start(host: host.number)), after: seconds)
    }

    private func stall(_ host: SimulatedHost, seconds: Double, deaf: Bool) {
        let end = now + .seconds(seconds)
        if deaf { host.deafUntil = max(host.deafUntil, end) }
        guard host.daemon != nil, end > host.stalledUntil else { return }
        host.stalledUntil = end
        schedule(.resume(host: host.number, run: host.run), at: end)
    }

    /// After a stall, what came in is taken in before any timer.
    func resume(_ host: SimulatedHost) {
        guard host.stalledUntil <= now else { return }
        let backlog = host.backlog
        let lateTimers = host.lateTimers
        host.backlog = []
        host.lateTimers = []
        for event in backlog where failure == nil { process(event, host) }
        for (timer, deadline) in lateTimers where failure == nil { timerDue(timer, deadline, host) }
    }

    private func jump(_ host: SimulatedHost, seconds: Double) {
        host.clockLead += .seconds(seconds)
        // In an order that is the same in every process.
        let armed = host.armed.sorted { "\($0)" < "\($1)" }
        for (timer, deadline) in armed { scheduleTimer(timer, deadline, host) }
    }
}
