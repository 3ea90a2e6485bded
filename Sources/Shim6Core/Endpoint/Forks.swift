import REAP
import Shim6Wire

/// Why no context can be forked off another.
public enum ForkRefusal: String, Error, Sendable {
    case unknownTag = "no context has this tag"
    /// The peer has to know the ULID pair's default context, or another fork of it.
    case notEstablished = "context not established"
    /// Without the payload header nothing in a packet says which context it is of.
    case noPayloadHeader = "this host sends, or the peer takes, no payload header that tells contexts apart"
    case noFlows = "no flows"
    case tooManyFlows = "too many flows"
    case taken = "flow belongs to another forked context"
    case tableFull = "context table full"
}

/// Forked contexts: several for one ULID pair, each with its own locators (RFC 5533, section 4.2).
struct Forks {
    let registry: Registry

    /// The most flows that one context takes.
    static let maximumFlows = 64

    /// Why `fork` would do nothing; nil if it would start an exchange.
    func refusal(of tag: ContextTag, _ flows: [Flow], _ turn: Turn) -> ForkRefusal? {
        guard let association = registry.table[tag] else { return .unknownTag }
        guard let kept = association.state.kept else { return .notEstablished }
        guard turn.host.form(towards: kept.reachability.peer) == .payloadHeader else { return .noPayloadHeader }
        guard !flows.isEmpty else { return .noFlows }
        guard flows.count <= Self.maximumFlows else { return .tooManyFlows }
        let siblings = registry.table.all.filter { $0.ulids == association.ulids }
        if siblings.contains(where: { !Set($0.common.flows).isDisjoint(with: flows) }) { return .taken }
        return registry.hasRoom(turn) ? nil : .tableFull
    }

    /// Begins to make a context of their own for some flows. I1 goes where the packets of the context go that it is
    /// forked off, since that works; the ULID pair comes next.
    func fork(_ tag: ContextTag, _ flows: [Flow], _ turn: inout Turn) {
        guard refusal(of: tag, flows, turn) == nil, let origin = registry.table[tag], let kept = origin.state.kept
        else { return }
        var key = origin.key
        repeat {
            key.forkedInstance = turn.random.next()
        } while key.forkedInstance == 0 || registry.table[key] != nil
        let i1 = I1Sent(
            initiatorNonce: registry.table.freshNonce(&turn.random), first: kept.reachability.machine.current,
            origin.ulids)
        let announced = turn.list(for: key.ulids.local)
        registry.create(key, flows: flows, announced, .i1Sent(i1), .forked, &turn)?.begin(&turn)
    }
}
