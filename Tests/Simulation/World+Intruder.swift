import REAP
import Shim6Core
import Shim6Wire

// What operators and somebody on the path do at the worst moment.
extension World {
    /// A context has just come into `state`: now and then something comes between, more often where it seldom is.
    func interfere(with state: ContextState, of ulids: ULIDPair, _ host: SimulatedHost) {
        guard scenario.isRandom, virtualSeconds < Scenario.faultsEnd,
            let flow = (0..<flows.count).first(where: { self.ulids(of: $0, at: host.number) == ulids })
        else { return }
        let (probability, longest) =
            switch state {
            case .i1Sent: (0.1, 10.0)
            case .i2Sent, .i2bisSent: (0.3, random.chance(0.5) ? 0.2 : 12)
            case .established: (0.02, 10)
            case .eFailed: (0.5, 60)
            case .noSupport: (0.8, 500)
            }
        guard random.chance(probability) else { return }
        let delay = random.seconds(0...longest)
        let number = host.number
        let link = Int.random(in: 0...1, using: &random)
        let action: Scenario.Action
        switch Int.random(in: 0..<9, using: &random) {
        case 0: action = .removeContext(host: number, flow: flow)
        case 1: action = .establish(host: number, flow: flow)
        case 2: action = .trigger(host: number, flow: flow)
        case 3: action = .forgeProblem(host: number, flow: flow)
        case 4:
            action = .stop(host: number, byCrash: false)
            schedule(.action(.start(host: number)), after: delay + 0.5)
        case 5, 6:
            // The peer, too, may have news of its locators.
            let changed = random.chance(0.5) ? number : 1 - number
            action = .removeLocator(host: changed, link: link)
            schedule(.action(.restoreLocator(host: changed, link: link)), after: delay + random.seconds(0.01...5))
        default: action = .replay(host: number)
        }
        schedule(.action(action), after: delay)
    }

    /// Lets control messages come in again. An I2 is left out, since its validator makes it good for a minute, and so
    /// is an Update Request for an established context: with both, one who reads the packets can do as he likes.
    func replay(to host: SimulatedHost) {
        for _ in 0..<3 {
            guard let message = host.received.randomElement(using: &random), let view = try? MessageView(message.octets)
            else { return }
            let context = view.contextTag.flatMap { host.shadows[$0] }
            if view.type == .i2 || (view.type == .updateRequest && context?.state == .established) { continue }
            report(
                .packet(octets: message.octets, source: message.source, destination: message.destination), to: host)
        }
    }

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

    /// Lets a Parameter Problem come in that quotes something else than an I1, which no host believes.
    func forgeProblem(to host: SimulatedHost, _ flow: Int) {
        let keepalive = Keepalive(receiverTag: ContextTag(truncating: random.next()))
        guard let quoted = try? ControlMessage.keepalive(keepalive).encoded() else { return }
        let ulids = ulids(of: flow, at: host.number)
        report(.parameterProblem(quoted: quoted, source: ulids.local, destination: ulids.peer), to: host)
    }
}
