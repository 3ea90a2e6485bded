import REAP
import Shim6Wire

/// Is told by peers about their changed locators, and hears that they know of ours (RFC 5533, section 10).
struct Updates {
    let registry: Registry
    let verification: PeerVerification

    /// Update Request (section 10.4).
    func receiveRequest(_ view: MessageView, _ locators: LocatorPair, _ turn: inout Turn) throws(Refusal) {
        let association = try registry.tagged(view, locators, turn)
        association.remind(locators, &turn)
        switch association.state {
        case .i1Sent, .eFailed, .noSupport:
            throw Refusal(.unexpectedInState)
        case .i2Sent(let sent):
            guard let known = sent.peer else { throw Refusal(.peerTagUnknown) }
            association.cross(sent, try updated(known, view, association, locators.source, &turn))
        case .i2bisSent(let sent):
            let known = sent.kept.reachability.peer
            let peer = try updated(known, view, association, locators.source, &turn)
            registry.replace(peer, of: sent.kept, association, &turn)
        case .established(let data):
            let peer = try updated(data.reachability.peer, view, association, locators.source, &turn)
            association.handle(.otherMessageReceived, &turn)
            registry.replace(peer, of: data, association, &turn)
        }
        guard let tag = association.state.peerTag, let nonce = view.requestNonce else { return }
        let acknowledgement = UpdateAcknowledgement(receiverTag: tag, requestNonce: nonce)
        association.send(.updateAcknowledgement(acknowledgement), over: locators.reversed, &turn)
    }

    /// The peer after an Update Request; unchanged by one that only repeats the latest.
    private func updated(
        _ known: Peer, _ view: MessageView, _ association: Association, _ source: IPv6Address, _ turn: inout Turn
    ) throws(Refusal) -> Peer {
        guard case .updateRequest(let request) = try ControlMessage(whole: view) else { return known }
        guard known.requestNonces.last != request.requestNonce else { return known }
        guard !known.requestNonces.contains(request.requestNonce) else { throw Refusal(.supersededUpdate) }
        let peer = try verification.updated(known, request, of: association.ulids, .peer(source), &turn)
        association.wasUpdated()
        return peer
    }

    /// Update Acknowledgement (section 10.5).
    func receiveAcknowledgement(_ view: MessageView, _ locators: LocatorPair, _ turn: inout Turn) throws(Refusal) {
        let association = try registry.tagged(view, locators, turn)
        association.remind(locators, &turn)
        if case .i1Sent = association.state { throw Refusal(.unexpectedInState) }
        guard association.acknowledged(view.requestNonce, &turn) else { throw Refusal(.unmatchedAcknowledgement) }
    }
}
