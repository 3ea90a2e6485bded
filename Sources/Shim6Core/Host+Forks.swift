import REAP
import Shim6Wire

// Forked contexts: several for one ULID pair, each with its own locators (RFC 5533, section 4.2).
extension Host {
    /// The most flows that one context takes.
    public static var maximumFlows: Int { 64 }

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

    /// Why `.fork` would do nothing; nil if it would start an exchange.
    public func refusal(ofFork tag: ContextTag, _ flows: [Flow]) -> ForkRefusal? {
        guard let context = table[tag] else { return .unknownTag }
        guard let kept = context.kept else { return .notEstablished }
        guard form(towards: kept) == .payloadHeader else { return .noPayloadHeader }
        guard !flows.isEmpty else { return .noFlows }
        guard flows.count <= Self.maximumFlows else { return .tooManyFlows }
        let siblings = table.all.filter { $0.ulids == context.ulids }
        if siblings.contains(where: { !Set($0.flows).isDisjoint(with: flows) }) { return .taken }
        return hasRoom ? nil : .tableFull
    }

    /// Begins to make a context of their own for some flows. I1 goes where the packets of the context go that it is
    /// forked off, since that works; the ULID pair comes next.
    func fork(_ tag: ContextTag, _ flows: [Flow]) {
        guard refusal(ofFork: tag, flows) == nil, let origin = table[tag], let current = origin.kept?.machine.current
        else { return }
        var key = origin.key
        repeat { key.forkedInstance = random.next() } while key.forkedInstance == 0 || table[key] != nil
        var pairs = [current]
        if current != origin.ulidLocators { pairs.append(origin.ulidLocators) }
        let i1 = I1Sent(initiatorNonce: table.freshNonce(&random), pairs: pairs)
        let announced = localList(for: key.ulids.local)
        guard let context = create(key, flows: flows, announced, .i1Sent(i1), reason: .forked) else {
            return
        }
        sendI1(context)
    }
}
