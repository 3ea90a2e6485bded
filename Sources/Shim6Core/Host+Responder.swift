import REAP
import Shim6Wire

// Establishment as responder (RFC 5533, sections 7.9, 7.10, 7.13 and 7.14).
extension Host {
    /// I1 (section 7.9). Nothing is remembered of it.
    func receiveI1(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) {
        let offer = try offer(view, locators)
        guard let nonce = view.initiatorNonce else { return }
        if let context = table[offer.key], deservesR2(offer, context) {
            context.counters.messagesIn &+= 1
            sendR2(context, nonce: nonce, over: locators.reversed)
            return
        }
        let challenge = try secrets.challenge(offer, at: now, random: &random)
        let r1 = R1(
            initiatorNonce: nonce, responderNonce: challenge.nonce, responderValidator: challenge.validator)
        guard let octets = encoded(.r1(r1)) else { return }
        emit(.send(octets: octets, source: locators.destination, destination: locators.source))
        tally.messagesOut[.r1, default: 0] &+= 1
    }

    /// Whether an I1 is answered from a context. Elsewhere than from the peer's locators it never is: R2 tells our tag.
    private func deservesR2(_ offer: Offer, _ context: Context) -> Bool {
        guard isPeerLocator(offer.locators.source, of: context),
            isLocalLocator(offer.locators.destination, of: context)
        else { return false }
        return switch context.state {
        case .i1Sent, .i2Sent: true
        case .established(let data): data.peer.tag == offer.initiatorTag
        case .eFailed, .noSupport: false
        }
    }

    /// I2 (section 7.13). Cheap checks come first: only this host's own validator opens the way to the options, and only
    /// a packet that could make a difference the way to cryptography.
    func receiveI2(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) {
        let offer = try offer(view, locators)
        guard let nonce = view.responderNonce, let validator = view.responderValidator else {
            throw .parse(.missingResponderValidator)
        }
        switch secrets.check(offer, nonce: nonce, validator: validator, at: now) {
        case .stale: throw .staleResponderNonce
        case .forged: throw .badValidator
        case .genuine: break
        }
        guard case .i2(let i2) = try message(view) else { return }
        let context = try accept(i2, offer)
        context.counters.messagesIn &+= 1
        sendR2(context, nonce: i2.initiatorNonce, over: locators.reversed)
        announceChanges(context)
    }

    /// Brings a genuine I2 into the context of its ULIDs, which is made if there is none.
    private func accept(_ i2: I2, _ offer: Offer) throws(DropReason) -> Context {
        let context = table[offer.key]
        switch context?.state {
        case .i1Sent:
            guard let context else { break }
            becomeEstablished(context, try peer(i2, offer, context), reason: "I2 received")
            return context
        case .i2Sent(var sent):
            guard let context else { break }
            if sent.peer?.sent(i2) == true { return context }
            sent.peer = try peer(i2, offer, context)
            change(context, to: .i2Sent(sent), reason: "I2 received")
            removeConfused(with: context)
            return context
        case .established(let data):
            guard let context else { break }
            if !data.peer.sent(i2) { renew(context, try peer(i2, offer, context), from: data.peer) }
            reachability(context, .otherMessageReceived)
            return context
        case .eFailed, .noSupport, nil:
            break
        }
        guard !table.isFull else { throw .contextTableFull }
        guard !table.isFull(for: offer.ulids.peer) else { throw .tooManyContextsOfPeer }
        let peer = try peer(i2, offer, nil)
        let announced = localList(for: offer.ulids.local)
        let state = Context.State.established(established(offer.ulids, announced, peer))
        guard let context = create(offer.key, announced, state, reason: "I2 received") else { throw .contextTableFull }
        enteredEstablished(context)
        return context
    }

    /// An I2 for an established context: the peer has lost its own and made a new one, or repeats itself.
    private func renew(_ context: Context, _ peer: Peer, from old: Peer) {
        if peer.tag != old.tag {
            // The peer knows nothing of an Update Request on its way; the R2 tells it all.
            context.established?.update = nil
            disarm(context)
            context.announced = localList(for: context.ulids.local)
        }
        replace(peer, of: context)
        locatorsChanged(context)
    }

    /// What an I2 tells of the peer. Its source has to be the ULID, or a locator that is verified now or before.
    private func peer(_ i2: I2, _ offer: Offer, _ context: Context?) throws(DropReason) -> Peer {
        var peer = try verifiedPeer(tag: i2.initiatorTag, i2.options, of: offer.ulids, known: context?.peer)
        let source = offer.locators.source
        guard source == offer.ulids.peer || peer.hasLocator(source) || context?.peer?.hasLocator(source) == true else {
            throw .sourceNotALocator
        }
        peer.i2Nonce = i2.initiatorNonce
        return peer
    }

    /// R2, always in answer to something (section 7.14).
    private func sendR2(_ context: Context, nonce: UInt32, over locators: LocatorPair) {
        let r2 = R2(responderTag: context.tag, initiatorNonce: nonce, options: locatorOptions(of: context))
        send(.r2(r2), over: locators, of: context)
    }

    /// The ULIDs, locators and tag of an I1 or I2. The local ULID has to be ours, or that of a context.
    private func offer(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) -> Offer {
        guard let tag = view.contextTag else { throw .unexpectedInState }
        var offer = Offer(
            initiatorTag: tag, ulids: ULIDPair(local: locators.destination, peer: locators.source), locators: locators,
            forkedInstance: 0)
        do {
            if let option = view.option(.ulidPair) {
                let pair = try ULIDPairOption(option)
                offer.ulids = ULIDPair(local: pair.receiver, peer: pair.sender)
            }
            offer.forkedInstance = try view.option(.forkedInstance)?.forkedInstance() ?? 0
        } catch {
            throw .parse(error.reason)
        }
        guard offer.forkedInstance == 0 else { throw .forkedInstance }
        guard offer.ulids.areUsable else { throw .ulidNotUsable }
        guard lists.contains(offer.ulids.local) || table[offer.key] != nil else { throw .ulidNotLocal }
        return offer
    }
}

extension Offer {
    var key: ContextKey { ContextKey(ulids: ulids, forkedInstance: forkedInstance) }
}

extension Peer {
    /// Whether all that this I2 tells is known from an earlier copy of it.
    fileprivate func sent(_ i2: I2) -> Bool { tag == i2.initiatorTag && i2Nonce == i2.initiatorNonce }
}
