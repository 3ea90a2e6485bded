import DataPath
import KernelRows
import Shim6Core
import Shim6Wire

// What the data path and the network's routers tell of packets.
extension Engine {
    func readErrors() {
        sockets.readErrors { error in
            let heard = dataPath.hear(error)
            heard.messages.forEach(performer.tell)
            if let tag = heard.hinted ?? hinted(by: error) { handle(.hint(tag, .unreachable)) }
            guard let quoted = QuotedMessage(error) else { return }
            handle(
                .parameterProblem(
                    quoted: quoted.octets, source: quoted.locators.source, destination: quoted.locators.destination))
        }
    }

    /// The context that is not rehomed and whose packets a router says it cannot send on.
    private func hinted(by error: ICMPv6Error) -> ContextTag? {
        guard error.isPathGone, let pair = error.quotedPair,
            let context = host.snapshot(of: ULIDPair(local: pair.source, peer: pair.destination))
        else { return nil }
        return context.outgoing == pair ? context.localTag : nil
    }

    func readDataPath() {
        do {
            for event in try dataPath.takeEvents(at: .monotonicNow) { heed(event) }
        } catch {
            log.error("\(error)")
        }
    }

    private func heed(_ event: DataPathEvent) {
        switch event {
        case .trigger(let ulids):
            hasAnswered(ulids.peer, to: ulids.local)
            handle(.trigger(ulids))
        case .activity(let tag, let direction): handle(.activity(tag, direction))
        case .retransmission(let tag): handle(.hint(tag, .retransmission))
        case .unknownTag(let tag, let pair):
            handle(.unknownTag(tag, source: pair.source, destination: pair.destination))
        case .tell(let message): performer.tell(message)
        case .send(let octets, let pair): performer.send(octets, over: pair)
        }
    }
}
