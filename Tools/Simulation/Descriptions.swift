import REAP
import Shim6Core
import Shim6Wire

// For the trace of a failed run.
extension World {
    func describe(_ address: IPv6Address) -> String {
        for host in hosts {
            if let link = host.link(of: address) { return "\(host.name.lowercased())\(link + 1)" }
            if host.owned.contains(address) { return "\(host.name.lowercased())?" }
        }
        if address == intruder.address { return "intruder" }
        return address.description
    }

    func describe(_ pair: LocatorPair) -> String { "\(describe(pair.source))>\(describe(pair.destination))" }

    func describe(_ packet: Packet) -> String {
        let pair = describe(LocatorPair(source: packet.source, destination: packet.destination))
        switch packet.body {
        case .control(let octets): return "\(pair) \(describe(octets))"
        case .payload(let payload, let tag):
            return "\(pair) payload of flow \(payload.flow)\(tag == nil ? "" : " with tag")"
        case .parameterProblem: return "\(pair) Parameter Problem"
        }
    }

    func describe(_ octets: [UInt8]) -> String {
        guard let view = try? MessageView(octets) else { return "octets that are no message" }
        guard view.type == .probe, case .probe(let probe)? = try? ControlMessage(view) else { return "\(view.type)" }
        let reports = probe.received.map { describe(LocatorPair(source: $0.source, destination: $0.destination)) }
        return "probe \(probe.state) reporting \(reports)"
    }

    /// The contexts and the drops of all hosts.
    public var status: [String] {
        hosts.flatMap { host -> [String] in
            guard let daemon = host.daemon else { return ["\(host.name) has no daemon"] }
            let contexts = daemon.contexts.map { context in
                let ulids = LocatorPair(source: context.ulids.local, destination: context.ulids.peer)
                let local = context.localLocators.map { describe($0.address) + ($0.available ? "" : " gone") }
                let peer = context.peerLocators.map { describe($0.address) }
                return """
                    \(host.name) \(describe(ulids)) \(context.state.rawValue) \(context.localTag.rawValue) \
                    peer \(context.peerTag?.rawValue ?? 0) \(context.reachability?.rawValue ?? "-") \
                    on \(context.outgoing.map(describe) ?? "-") local \(local) peer \(peer) \
                    update pending \(context.updatePending)
                    """
            }
            let drops = daemon.counters.drops.map { "\($0.key.name) \($0.value)" }.sorted()
            return contexts + ["\(host.name) dropped \(drops)"]
        }
    }

    func describe(_ event: Event) -> String {
        switch event {
        case .packet(let octets, let source, let destination):
            "\(describe(LocatorPair(source: source, destination: destination))) \(describe(octets))"
        case .timer(.context(let tag)): "timer of \(tag.rawValue)"
        case .timer(.reap(let tag, let timer)): "\(timer) timer of \(tag.rawValue)"
        case .activity(let tag, let direction): "payload \(direction.rawValue) of \(tag.rawValue)"
        case .localLocators(let locators): "locators \(locators.map { describe($0.address) })"
        default: "\(event)"
        }
    }

    func describe(_ notice: Notice) -> String {
        switch notice.kind {
        case .state(let from, let to, let reason):
            "\(from?.rawValue ?? "IDLE") to \(to?.rawValue ?? "IDLE"): \(reason.rawValue)"
        case .reachability(let from, let to, let reason, _, _): "\(from) to \(to): \(reason)"
        case .switched(let from, let to, let reason):
            "payload moves from \(describe(from)) to \(describe(to)): \(reason)"
        case .switchRefused(let pair, let reason): "payload does not move to \(describe(pair)): \(reason.rawValue)"
        case .damped: "the return to a better pair is damped"
        case .probeSent(let pair, _, let state): "probe \(state) sent on \(describe(pair))"
        case .probeReceived(let pair, _, let state, let reports):
            "probe \(state) received on \(describe(pair)), \(reports) reports"
        case .keepaliveSent(let pair): "keepalive sent on \(describe(pair))"
        case .peerLocators(let locators): "peer locators \(locators.map { describe($0.address) })"
        case .locatorsAnnounced(let locators, let withdrawn):
            "announced \(locators.map { describe($0.address) }), withdrawn \(withdrawn.map(describe))"
        case .locatorsAcknowledged: "locators acknowledged"
        case .firstPayload(let direction, let pair): "first payload \(direction.rawValue) on \(describe(pair))"
        case .confused: "context confusion"
        }
    }
}
