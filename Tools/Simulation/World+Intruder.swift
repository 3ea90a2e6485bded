import REAP
import Shim6Core
import Shim6Wire

// What operators, and somebody on no path, do at the worst moment.
extension World {
    /// A context has just come into `state`: now and then something comes between, more often where it seldom is.
    func interfere(with state: ContextState, of ulids: ULIDPair, _ host: SimulatedHost) {
        guard scenario.isRandom, virtualSeconds < scenario.faultsEnd,
            let flow = flows.indices.first(where: {
                scenario.flows[$0].hosts.contains(host.number) && self.ulids(of: $0, at: host.number) == ulids
            })
        else { return }
        let (probability, longest) =
            switch state {
            case .i1Sent: (0.1, 10.0)
            case .i2Sent, .i2bisSent: (0.3, random.chance(0.5) ? 0.2 : 12)
            case .established: (0.02, 10)
            case .eFailed: (0.5, 60)
            case .noSupport: (0.8, 120)
            }
        guard random.chance(probability) else { return }
        let delay = random.seconds(0...longest)
        let number = host.number
        let action: Scenario.Action
        switch Int.random(in: 0..<10, using: &random) {
        case 0: action = .removeContext(host: number, flow: flow)
        case 1: action = .establish(host: number, flow: flow)
        case 2: action = .trigger(host: number, flow: flow)
        case 3:
            action = .stop(host: number, byCrash: false)
            schedule(.action(.start(host: number)), after: delay + 0.5)
        case 4, 5:
            // The peer, too, may have news of its locators.
            let changed = random.chance(0.5) ? number : scenario.flows[flow].hosts.first { $0 != number } ?? number
            let link = Int.random(in: hosts[changed].addresses.indices, using: &random)
            action = .removeLocator(host: changed, link: link)
            schedule(.action(.restoreLocator(host: changed, link: link)), after: delay + random.seconds(0.01...5))
        case 6, 7: action = .intrude(.replay, host: number, flow: flow)
        default: action = .intrude(Intrusion.allCases.randomElement(using: &random) ?? .bait, host: number, flow: flow)
        }
        schedule(.action(action), after: delay)
    }

    /// Does something to `host`, with whom the intruder thinks that another host has a context.
    func intrude(_ intrusion: Intrusion, _ host: SimulatedHost, _ flow: Int) {
        let ulids = ulids(of: flow, at: host.number)
        let (source, destination) = (ulids.peer, ulids.local)
        let guess = ContextTag(truncating: random.next())
        let nonce: UInt32 = random.next()
        let other: UInt32 = random.next()
        let validator = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
        func forge(_ message: ControlMessage, from source: IPv6Address = source) {
            guard let octets = try? message.encoded() else { return }
            inject(octets, from: source, to: destination, host)
        }
        // Whoever knows a tag is no peer, and whoever has the peer's address does not know the tag.
        let snapshot = host.daemon?.snapshot(of: ulids)
        let knowsTag = snapshot != nil && random.chance(0.5)
        let tag = knowsTag ? snapshot?.localTag ?? guess : guess
        let pretended = knowsTag ? intruder.address : source
        switch intrusion {
        case .replay: replay(to: host) { $0.source }
        case .replayFromElsewhere: replay(to: host) { _ in intruder.address }
        case .alter: alter(host)
        case .spoofedI1: forge(.i1(I1(initiatorTag: tag, initiatorNonce: nonce)))
        case .forgedI2:
            forge(
                .i2(
                    I2(
                        initiatorTag: tag, initiatorNonce: nonce, responderNonce: other, responderValidator: validator,
                        options: intruder.stranger.options(generation: other, [source, intruder.address]))))
        case .forgedI2bis:
            forge(
                .i2bis(
                    I2bis(
                        initiatorTag: tag, initiatorNonce: nonce, responderNonce: other, packetTag: tag,
                        responderValidator: validator,
                        options: intruder.stranger.options(generation: other, [source, intruder.address]))))
        case .forgedR1:
            forge(.r1(R1(initiatorNonce: nonce, responderNonce: other, responderValidator: validator)))
        case .forgedR2: forge(.r2(R2(responderTag: tag, initiatorNonce: nonce)))
        case .forgedR1bis:
            let tag = knowsTag ? snapshot?.peerTag ?? guess : guess
            forge(
                .r1bis(R1bis(packetTag: tag, responderNonce: other, responderValidator: validator)), from: pretended)
        case .forgedUpdate:
            let claim = intruder.stranger.options(generation: other, [intruder.address])
            forge(
                .updateRequest(UpdateRequest(receiverTag: tag, requestNonce: nonce, options: claim)), from: pretended)
        case .forgedAcknowledgement:
            forge(
                .updateAcknowledgement(UpdateAcknowledgement(receiverTag: tag, requestNonce: nonce)), from: pretended)
        case .forgedKeepalive: forge(.keepalive(Keepalive(receiverTag: tag)), from: pretended)
        case .forgedProbe: forge(.probe(madeUpProbe(tag, destination, to: intruder.address)), from: pretended)
        case .forgedError:
            forge(.error(ErrorMessage(code: .unknownMessageType, pointer: 40, packet: validator + validator)))
        case .forgedPayload:
            let payload = Payload(flow: flow, source: source, destination: destination, asksForReply: false)
            let packet = Packet(source: source, destination: destination, body: .payload(payload, tag: guess))
            schedule(.intrusion(packet, host: host.number), after: 0.01)
        case .forgedProblem: forgeProblem(.keepalive(Keepalive(receiverTag: tag)), about: ulids, host)
        case .forgedI1Problem: forgeProblem(.i1(I1(initiatorTag: tag, initiatorNonce: nonce)), about: ulids, host)
        case .bait:
            let tag = knowsTag ? snapshot?.peerTag ?? guess : guess
            let victim = owner(of: source)?.addresses.compactMap { $0 } ?? []
            intruder.bait = (tag, [intruder.address] + (knowsTag ? [] : victim))
            forge(.i1(I1(initiatorTag: tag, initiatorNonce: nonce)), from: intruder.address)
        case .taggedR1bis, .taggedKeepalive, .taggedAcknowledgement, .taggedError, .taggedProbe:
            snapshot.flatMap { tagged(intrusion, $0, nonce: nonce) }.map { forge($0) }
        }
    }

    /// What somebody can make who has seen both tags.
    private func tagged(_ intrusion: Intrusion, _ context: ContextSnapshot, nonce: UInt32) -> ControlMessage? {
        guard let peerTag = context.peerTag else { return nil }
        let (local, peer) = (context.ulids.local, context.ulids.peer)
        switch intrusion {
        case .taggedR1bis:
            return .r1bis(R1bis(packetTag: peerTag, responderNonce: nonce, responderValidator: [1, 2, 3, 4]))
        case .taggedKeepalive: return .keepalive(Keepalive(receiverTag: context.localTag))
        case .taggedAcknowledgement:
            return .updateAcknowledgement(
                UpdateAcknowledgement(receiverTag: context.localTag, requestNonce: nonce))
        case .taggedError:
            let quoted = ControlMessage.updateRequest(UpdateRequest(receiverTag: peerTag, requestNonce: nonce))
            return (try? quoted.encoded()).map {
                .error(
                    ErrorMessage(
                        code: .unknownMessageType, offset: 0, message: $0, source: local, destination: peer))
            }
        case .taggedProbe:
            let own = ProbeReport(source: peer, destination: local, nonce: nonce)
            let report = ProbeReport(source: local, destination: peer, nonce: nonce)
            let payload = PayloadReport(source: local, destination: peer, ageMilliseconds: 1)
            let state = [ProbeState.exploring, .inboundOk, .operational].randomElement(using: &random)
            return .probe(
                Probe(
                    receiverTag: context.localTag, state: state ?? .operational, sent: [own], received: [report],
                    payload: payload))
        default: return nil
        }
    }

    private func inject(_ octets: [UInt8], from source: IPv6Address, to destination: IPv6Address, _ host: SimulatedHost)
    {
        let packet = Packet(source: source, destination: destination, body: .control(octets))
        schedule(.intrusion(packet, host: host.number), after: random.seconds(0.001...0.05))
    }

    /// Lets control messages come in again.
    private func replay(to host: SimulatedHost, from source: (Intruder.Message) -> IPv6Address) {
        for _ in 0..<3 {
            guard let message = intruder.overheard[host.number].randomElement(using: &random) else { return }
            inject(message.octets, from: source(message), to: message.destination, host)
        }
    }

    /// Changes bits of a message that is too old to wait for an answer.
    private func alter(_ host: SimulatedHost) {
        guard let message = intruder.overheard[host.number].randomElement(using: &random),
            message.seconds + 30 < virtualSeconds
        else { return }
        var octets = message.octets
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let index = Int.random(in: octets.indices, using: &random)
            octets[index] ^= 1 << UInt8.random(in: 0...7, using: &random)
        }
        octets.rightChecksum()
        inject(octets, from: message.source, to: message.destination, host)
    }

    private func forgeProblem(_ message: ControlMessage, about ulids: ULIDPair, _ host: SimulatedHost) {
        guard let quoted = try? message.encoded() else { return }
        report(.parameterProblem(quoted: quoted, source: ulids.local, destination: ulids.peer), to: host)
    }

    // MARK: - By script

    /// Lets a message come in that no host has sent.
    func deliver(_ message: ForgedMessage) {
        guard let host = hosts.first(where: { $0.link(of: message.destination) != nil }) else { return }
        report(.packet(octets: message.octets, source: message.source, destination: message.destination), to: host)
    }

    /// Lets the peer's kernel say that it does not know the protocol of the last message.
    func refuseLast(of host: SimulatedHost) {
        for packet in record.reversed() where packet.host == host.number {
            guard case .control(let octets) = packet.content else { continue }
            report(.parameterProblem(quoted: octets, source: packet.source, destination: packet.destination), to: host)
            return
        }
    }

    // MARK: - The intruder's own messages

    /// Says that a Probe of `address` has come in at `target`, so that payload should go there.
    private func madeUpProbe(_ tag: ContextTag, _ address: IPv6Address, to target: IPv6Address) -> Probe {
        let report = ProbeReport(source: address, destination: target, nonce: random.next())
        let states: [ProbeState] = [.exploring, .inboundOk, .operational]
        return Probe(
            receiverTag: tag, state: states.randomElement(using: &random) ?? .operational,
            sent: [ProbeReport(source: target, destination: address, nonce: random.next())], received: [report])
    }

    /// What is sent to the intruder: he goes on with his exchange.
    func intruderReceives(_ packet: Packet, from host: SimulatedHost) {
        guard packet.destination == intruder.address, case .control(let octets) = packet.body,
            let view = try? MessageView(octets), let message = try? ControlMessage(view), let bait = intruder.bait
        else { return }
        let answer: ControlMessage
        switch message {
        case .r1(let r1):
            answer = .i2(
                I2(
                    initiatorTag: bait.tag, initiatorNonce: r1.initiatorNonce, responderNonce: r1.responderNonce,
                    responderValidator: r1.responderValidator,
                    options: intruder.stranger.options(bait.locators)))
        case .r2(let r2):
            let target = bait.locators.last ?? intruder.address
            answer = .probe(madeUpProbe(r2.responderTag, packet.source, to: target))
        default: return
        }
        guard let octets = try? answer.encoded() else { return }
        inject(octets, from: intruder.address, to: packet.source, host)
    }
}

extension [UInt8] {
    /// Puts the checksum of a control message right (RFC 5533, section 5.3).
    public mutating func rightChecksum() {
        guard count >= 8 else { return }
        self[4] = 0
        self[5] = 0
        // As far as the header says that the message goes.
        let length = Swift.min(8 + 8 * Int(self[1]), count)
        var sum = stride(from: 0, to: length - 1, by: 2).reduce(0) { $0 + (Int(self[$1]) << 8 | Int(self[$1 + 1])) }
        while sum > 0xffff { sum = (sum & 0xffff) + sum >> 16 }
        self[4] = UInt8(truncatingIfNeeded: ~sum >> 8)
        self[5] = UInt8(truncatingIfNeeded: ~sum)
    }
}
