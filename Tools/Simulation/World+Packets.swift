import REAP
import Shim6Core
import Shim6Wire

// Packets: sent, on their way, and taken in.
extension World {
    // MARK: - Traffic

    func tick(_ flow: Int, from end: Int) {
        guard !tally.isSilent else { return }
        let interval = scenario.flows[flow].interval
        schedule(.tick(flow: flow, end: end), after: random.seconds(interval * 0.5...interval * 1.5))
        guard modes[flow].sends(from: end) else { return }
        sendPayload(flow, from: hosts[scenario.flows[flow].hosts[end]], asksForReply: modes[flow] == .requests)
    }

    private func sendPayload(_ flow: Int, from host: SimulatedHost, asksForReply: Bool) {
        guard host.deafUntil <= now else { return }
        let ulids = ulids(of: flow, at: host.number)
        let payload = Payload(flow: flow, source: ulids.local, destination: ulids.peer, asksForReply: asksForReply)
        tally.sent(flow, from: ulids == flows[flow] ? 0 : 1)
        switch host.dataPath.send(payload, at: clock(of: host)) {
        case .send(let packet, let tag, let notify):
            if let tag { visitPayload(tag, .payloadSent, host) }
            if let tag, notify { reportSoon(.activity(tag, .outgoing), host) }
            transmit(packet, from: host)
        case .sendAndTrigger(let packet, let ulids):
            reportSoon(.trigger(ulids), host)
            transmit(packet, from: host)
        }
    }

    /// The ring buffer takes a moment.
    private func reportSoon(_ event: Event, _ host: SimulatedHost) {
        guard host.daemon != nil else { return }
        schedule(.report(event, host: host.number, run: host.run), after: 0.0002)
    }

    // MARK: - The network

    /// Sends a packet out of the link that has its source address, to the link that has its destination address.
    func transmit(_ packet: Packet, from host: SimulatedHost) {
        if scenario.isRandom, packet.destination == intruder.address { return intruderReceives(packet, from: host) }
        guard let fromLink = host.link(of: packet.source), let peer = owner(of: packet.destination),
            let toLink = peer.link(of: packet.destination)
        else {
            note("\(host.name) has no way for \(describe(packet))")
            if !scenario.isRandom { recordPacket(packet, path: nil, isLost: true, host) }
            return
        }
        let path = Network.Path(fromHost: host.number, fromLink: fromLink, toHost: peer.number, toLink: toLink)
        var delays = network.delivery(over: path, random: &random)
        if case .payload(let payload, let tag) = packet.body, network.drops(payload.flow, on: path) {
            delays = []
            if host.sabotage == .lossUnseen {
                _ = peer.dataPath.receive(tag, from: packet.source, to: packet.destination, at: clock(of: peer))
            }
        }
        note("\(host.name) sends \(describe(packet))\(delays.isEmpty ? " (lost)" : "")")
        if scenario.isRandom {
            overhear(packet, to: peer)
        } else {
            recordPacket(packet, path: path, isLost: delays.isEmpty, host)
        }
        for delay in delays { schedule(.arrival(packet, path), after: delay) }
    }

    private func overhear(_ packet: Packet, to host: SimulatedHost) {
        guard case .control(let octets) = packet.body else { return }
        let message = Intruder.Message(
            octets: octets, source: packet.source, destination: packet.destination, seconds: virtualSeconds)
        intruder.overhear(message, to: host.number)
    }

    private func recordPacket(_ packet: Packet, path: Network.Path?, isLost: Bool, _ host: SimulatedHost) {
        let content: SentPacket.Content
        switch packet.body {
        case .control(let octets): content = .control(octets)
        case .payload(let payload, let tag): content = .payload(flow: payload.flow, hasTag: tag != nil)
        case .parameterProblem: content = .parameterProblem
        }
        record.append(
            SentPacket(
                seconds: virtualSeconds, host: host.number, source: packet.source, destination: packet.destination,
                path: path, content: content, isLost: isLost))
    }

    // MARK: - Taken in

    func arrive(_ packet: Packet, _ host: SimulatedHost) {
        guard host.deafUntil <= now else { return }
        switch packet.body {
        case .control(let octets): controlArrives(octets, packet, host)
        case .parameterProblem(let quoted, let source, let destination):
            report(.parameterProblem(quoted: quoted, source: source, destination: destination), to: host)
        case .payload(let payload, let tag): payloadArrives(payload, tag, packet, host)
        }
    }

    private func controlArrives(_ octets: [UInt8], _ packet: Packet, _ host: SimulatedHost) {
        if host.daemon != nil {
            let view = try? MessageView(octets)
            if view?.type == .probe {
                probesArrived[LocatorPair(source: packet.source, destination: packet.destination)] = now
            }
            if host.sabotage == .reachabilityRests, view?.type == .probe || view?.type == .keepalive,
                let tag = view?.contextTag, host.shadows[tag]?.state == .i2bisSent
            {
                return
            }
            report(.packet(octets: octets, source: packet.source, destination: packet.destination), to: host)
        } else if let legacy = scenario.legacy, host.number == legacy.host, host.run == 0,
            legacy.answersParameterProblem
        {
            let body = Packet.Body.parameterProblem(
                quoted: octets, source: packet.source, destination: packet.destination)
            transmit(Packet(source: packet.destination, destination: packet.source, body: body), from: host)
        }
    }

    private func payloadArrives(
        _ payload: Payload, _ tag: ContextTag?, _ packet: Packet, _ host: SimulatedHost
    ) {
        switch host.dataPath.receive(tag, from: packet.source, to: packet.destination, at: clock(of: host)) {
        case .deliver(let ulids, let notify):
            touch(ulids, host)
            if let tag = host.dataPath.tag(of: ulids) { visitPayload(tag, .payloadReceived, host) }
            if tag != nil { coverage.visit(host.shadow(of: ulids)?.state, .taggedPayload) }
            checkRecovery(payload, isKnown: true, host)
            if let notify { reportSoon(.activity(notify, .incoming), host) }
            deliver(payload, to: ulids, host)
        case .unknownTag(let tag):
            coverage.visit(nil, .taggedPayload)
            checkRecovery(payload, isKnown: false, host)
            reportSoon(.unknownTag(tag, source: packet.source, destination: packet.destination), host)
        case .discard:
            if let tag { coverage.visit(host.shadows[tag]?.state, .taggedPayload) }
        }
    }

    /// To the sockets of a ULID pair: the one that it was sent with, or the shim is broken.
    private func deliver(_ payload: Payload, to ulids: ULIDPair, _ host: SimulatedHost) {
        guard ulids == ULIDPair(local: payload.destination, peer: payload.source), host.owned.contains(ulids.local)
        else {
            fail("payload for \(payload.destination) from \(payload.source) was delivered as \(ulids) on \(host.name)")
            return
        }
        tally.delivered(payload.flow, from: payload.source == flows[payload.flow].local ? 0 : 1)
        if payload.asksForReply { sendPayload(payload.flow, from: host, asksForReply: false) }
    }

    private func visitPayload(_ tag: ContextTag, _ happening: Coverage.Happening, _ host: SimulatedHost) {
        guard let shadow = host.shadows[tag], shadow.state == .established else { return }
        coverage.visit(shadow.reachability, happening)
    }

    // MARK: - Idleness, as the kernel's inbound policies see it

    private func touch(_ ulids: ULIDPair, _ host: SimulatedHost) {
        guard let tag = host.dataPath.tag(of: ulids) else { return }
        host.idleWatches[tag]?.touched = now
    }

    func checkIdle(_ tag: ContextTag, _ host: SimulatedHost) {
        guard let watch = host.idleWatches[tag] else { return }
        let due = watch.touched + .seconds(watch.seconds)
        if due > now {
            schedule(.idleCheck(tag, host: host.number, run: host.run), at: due)
        } else {
            host.idleWatches[tag] = nil
            if host.sabotage != .idlenessUnseen { report(.idle(tag), to: host) }
        }
    }

    /// Tells what uses an idle context.
    func answer(_ tag: ContextTag, _ host: SimulatedHost) {
        let isUsed = scenario.sessionsOutlastSilence && host.asked.insert(tag).inserted && tag.rawValue & 1 == 0
        reportSoon(.use(tag, isUsed ? .session : .none), host)
    }
}
