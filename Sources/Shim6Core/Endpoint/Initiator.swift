import REAP
import Shim6Wire

/// Why no context can be made for a ULID pair.
public enum EstablishmentRefusal: String, Error, Sendable {
    /// Multicast, link-local, loopback or unspecified, or both of this host.
    case unusable = "ULIDs unusable"
    /// The local address is not among the local locators.
    case notLocal = "local ULID not a local locator"
    case exists = "context exists"
    case tableFull = "context table full"
}

/// Begins: establishment as initiator (RFC 5533, sections 7.7, 7.8, 7.11, 7.12 and 7.16), and the initiator's part of
/// recovery (section 7.18).
struct Initiator {
    let registry: Registry
    let verification: PeerVerification

    /// Why `establish` of this pair would do nothing; nil if it would start an exchange.
    func refusal(of ulids: ULIDPair, _ turn: Turn) -> EstablishmentRefusal? {
        let lists = turn.host.lists
        guard ulids.areUsable, !lists.contains(ulids.peer) else { return .unusable }
        guard lists.contains(ulids.local) else { return .notLocal }
        if let association = registry.table[ContextKey(ulids: ulids)], !association.state.isHolddown { return .exists }
        return registry.hasRoom(turn) ? nil : .tableFull
    }

    /// The heuristic fired. A negative cache entry holds it back, and so do many negotiations: packets with forged
    /// sources can make it fire, and must not fill the table.
    func trigger(_ ulids: ULIDPair, _ turn: inout Turn) {
        guard registry.table[ContextKey(ulids: ulids)] == nil else { return }
        if registry.table.isBusy { return refuse(ulids, &turn) }
        establish(ulids, .trigger, &turn)
    }

    /// Makes a context, also if a negative cache entry is there.
    func establish(_ ulids: ULIDPair, _ reason: StateReason, _ turn: inout Turn) {
        switch refusal(of: ulids, turn) {
        case .exists: return
        case .unusable, .notLocal, .tableFull: return refuse(ulids, &turn)
        case nil: break
        }
        let i1 = I1Sent(initiatorNonce: registry.table.freshNonce(&turn.random), pairs: [ulids.locators])
        let announced = turn.list(for: ulids.local)
        registry.create(ContextKey(ulids: ulids), announced, .i1Sent(i1), reason, &turn)?.begin(&turn)
    }

    private func refuse(_ ulids: ULIDPair, _ turn: inout Turn) {
        turn.host.tally.triggersRefused &+= 1
        turn.emit(.forget(ulids))
    }

    /// R1 (section 7.11).
    func receiveR1(_ view: MessageView, _ locators: LocatorPair, _ turn: inout Turn) throws(Refusal) {
        // 5533-7.11-07
        guard let association = registry.negotiating(view.initiatorNonce, locators) else {
            throw Refusal(.unmatchedNonce)
        }
        guard case .r1(let r1) = try ControlMessage(whole: view) else { return }
        do {
            try association.answer(r1, over: locators.reversed, &turn)
        } catch {
            throw Refusal(error)
        }
        registry.table.update(association)
    }

    /// R2 (section 7.16), which answers I1, I2 or I2bis.
    func receiveR2(_ view: MessageView, _ locators: LocatorPair, _ turn: inout Turn) throws(Refusal) {
        guard let association = registry.negotiating(view.initiatorNonce, locators) else {
            throw Refusal(.unmatchedNonce)
        }
        guard case .r2(let r2) = try ControlMessage(whole: view) else { return }
        let known = association.state.peer
        try registry.checkTag(r2.responderTag, known: known?.tag)
        // 5533-7.16-07
        let peer = try verification.peer(
            r2.responderTag, r2.options, of: association.ulids, known: known, .answer(locators.source), &turn)
        if case .i2bisSent(let sent) = association.state {
            association.recover(sent, peer, length: view.length, &turn)
            turn.host.tally.recovered &+= 1
            registry.watch(association, &turn)
            association.locatorsChanged(&turn)
            association.handle(.otherMessageAnswered(locators.reversed), &turn)
        } else {
            association.establish(peer, .r2Received, &turn)
            turn.host.tally.established &+= 1
            registry.watch(association, &turn)
            association.received(view.length, provenAt: locators.source)
            association.wasEstablished(over: locators.reversed, &turn)
        }
        association.announceChanges(&turn)
    }

    /// R1bis (section 7.18). Its addresses have to be locators of the context, but not those that payload uses: section
    /// 7.5 wants the answer to a Probe on another pair to have an effect. An own address need not be one that the peer
    /// knows: that it does not may be what the R1bis is about.
    func receiveR1bis(_ view: MessageView, _ locators: LocatorPair, _ turn: inout Turn) throws(Refusal) {
        let lists = turn.host.lists
        guard let tag = view.packetTag,
            let association = registry.table.sending(tag).first(where: {
                $0.isPeerLocator(locators.source)
                    && ($0.isLocalLocator(locators.destination) || lists.contains(locators.destination))
            })
        else { throw Refusal(.unmatchedR1bis) }
        guard association.state.kept != nil else { throw Refusal(.unexpectedInState) }
        guard case .r1bis(let r1bis) = try ControlMessage(whole: view) else { return }
        do {
            // The same again where another I2bis was sent: the R2 to either is good.
            let nonce = association.state.index.nonce ?? registry.table.freshNonce(&turn.random)
            try association.answer(r1bis, nonce: nonce, over: locators.reversed, &turn)
        } catch {
            throw Refusal(error)
        }
        registry.table.update(association)
    }

    /// I1, I2, I2bis, an Update Request or a holddown has run its time.
    func timer(_ association: Association, _ turn: inout Turn) {
        switch association.timerFired(&turn) {
        case .goesOn: registry.table.update(association)
        case .fails(let failure): registry.holdDown(association, failure, &turn)
        case .isOver: registry.remove(association, .holddownOver, &turn)
        }
    }

    /// An ICMPv6 Parameter Problem: only one that quotes an I1 which waits for its answer has an effect (section 7.8).
    func parameterProblem(_ quoted: [UInt8], _ locators: LocatorPair, _ turn: inout Turn) {
        guard let view = try? MessageView(quoted), view.type == .i1,
            let association = registry.negotiating(view.initiatorNonce, locators.reversed),
            case .i1Sent = association.state, association.tag == view.contextTag
        else { return turn.count(.unmatchedParameterProblem) }
        registry.holdDown(association, .noSupport, &turn)
    }
}
