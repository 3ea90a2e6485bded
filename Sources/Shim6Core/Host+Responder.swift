import REAP
import Shim6Wire

// Establishment as responder (RFC 5533, sections 7.9, 7.10, 7.13 and 7.14), and the responder's part of recovery.
extension Host {
    /// I1 (section 7.9). Nothing is remembered of it.
    func receiveI1(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) {
        let offer = try offer(view, locators)
        guard let nonce = view.initiatorNonce else { return }
        if let context = table[offer.key], deservesR2(offer, context) {
            guard context.canAnswer(at: now) else { throw .answerRate }
            context.counters.messagesIn &+= 1
            sendR2(context, nonce: nonce, over: locators.reversed)
            return
        }
        let challenge = try secrets.challenge(.establishment(offer), at: now, random: &random)
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
        case .i1Sent, .i2Sent, .i2bisSent: true
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
        try check(.establishment(offer), nonce: nonce, validator: validator)
        guard case .i2(let i2) = try message(view) else { return }
        try take(
            Introduction(
                reason: .i2Received, key: offer.key, locators: locators, tag: i2.initiatorTag, nonce: i2.initiatorNonce,
                options: i2.options, length: view.length))
    }

    /// Refuses a validator that this host has not made, or too long ago.
    func check(
        _ exchange: ValidatedExchange, nonce: UInt32, validator: ArraySlice<UInt8>
    ) throws(DropReason) {
        switch secrets.check(exchange, nonce: nonce, validator: validator, at: now) {
        case .stale: throw .staleResponderNonce
        case .forged: throw .badValidator
        case .genuine: break
        }
    }

    /// Takes in what a genuine I2 or I2bis says, and answers with R2.
    func take(_ introduction: Introduction) throws(DropReason) {
        // A new context has about as many.
        effects.reserveCapacity(12)
        if let context = table[introduction.key], !context.canAnswer(at: now) { throw .answerRate }
        let (context, isNew) = try accept(introduction)
        context.counters.messagesIn &+= 1
        // The validator shows that the peer gets what is sent there.
        context.kept?.reach.answers(at: introduction.locators.source)
        context.kept?.reach.received(introduction.length)
        sendR2(context, nonce: introduction.nonce, over: introduction.locators.reversed)
        if isNew { doubtUnusedULIDs(context, introduction.locators.reversed) }
        announceChanges(context)
    }

    /// Brings an introduction into the context of its ULIDs, which is made if there is none; tells whether the context
    /// became established by it.
    private func accept(_ introduction: Introduction) throws(DropReason) -> (Context, isNew: Bool) {
        let context = table[introduction.key]
        if let context, context.introductions.contains(introduction.id) {
            guard context.introductions.last == introduction.id, context.peerTag == introduction.tag else {
                throw .supersededIntroduction
            }
            reachability(context, .otherMessageReceived)
            return (context, false)
        }
        let reason = introduction.reason
        switch context?.state {
        case .i1Sent:
            guard let context else { break }
            becomeEstablished(context, try peer(introduction, context), reason: reason)
            context.remember(introduction)
            return (context, true)
        case .i2Sent(var sent):
            guard let context else { break }
            sent.peer = try peer(introduction, context)
            context.remember(introduction)
            change(context, to: .i2Sent(sent), reason: reason)
            removeConfused(with: context)
            return (context, false)
        case .established(let data):
            guard let context else { break }
            renew(context, try peer(introduction, context), from: data.peer)
            context.remember(introduction)
            reachability(context, .otherMessageReceived)
            return (context, false)
        case .i2bisSent(let sent):
            guard let context else { break }
            let peer = try peer(introduction, context)
            table.change(context) { sent.kept.replace(peer) }
            context.remember(introduction)
            install(context)
            removeConfused(with: context)
            return (context, false)
        case .eFailed, .noSupport, nil:
            break
        }
        guard hasRoom else { throw .contextTableFull }
        guard !table.isFull(for: introduction.key.ulids.peer) else { throw .tooManyContextsOfPeer }
        guard !table.isFull(forSiteOf: introduction.key.ulids.peer) else { throw .tooManyContextsOfSite }
        let peer = try peer(introduction, nil)
        let announced = localList(for: introduction.key.ulids.local)
        let state = Context.State.established(established(introduction.key.ulids, announced, peer))
        guard let context = create(introduction.key, announced, state, isOfPeer: true, reason: reason) else {
            throw .contextTableFull
        }
        context.remember(introduction)
        enteredEstablished(context)
        return (context, true)
    }

    /// An I2 or I2bis for an established context: the peer has lost its own and made a new one, has locators that this
    /// host does not know yet, or repeats itself. The R2 tells all that an Update Request on its way would have told.
    private func renew(_ context: Context, _ peer: Peer, from old: Peer) {
        if context.established?.update != nil {
            context.established?.update = nil
            disarm(context)
        }
        context.announced = localList(for: context.ulids.local)
        replace(peer, of: context)
        locatorsChanged(context)
    }

    /// What an introduction tells of the peer. Its source has to be the ULID, or a locator that is verified now or before.
    private func peer(_ introduction: Introduction, _ context: Context?) throws(DropReason) -> Peer {
        let (ulids, source) = (introduction.key.ulids, introduction.locators.source)
        let isKnown = source == ulids.peer || context?.peer?.hasLocator(source) == true
        // What cannot make it one needs no look at the proof.
        let listed = introduction.options.locatorList?.locators ?? []
        guard isKnown || listed.contains(where: { $0.locator == source }) else { throw .sourceNotALocator }
        let peer = try verifiedPeer(
            tag: introduction.tag, introduction.options, of: ulids, known: context?.peer, .peer(source))
        guard isKnown || peer.hasLocator(source) else { throw .sourceNotALocator }
        return peer
    }

    /// R2, always in answer to something (section 7.14).
    private func sendR2(_ context: Context, nonce: UInt32, over locators: LocatorPair) {
        context.answered(atMost: configuration.maximumContextAnswersPerSecond, at: now)
        func r2() -> ControlMessage {
            .r2(R2(responderTag: context.tag, initiatorNonce: nonce, options: locatorOptions(of: context)))
        }
        if let octets = encoded(r2()) { return transmit(octets, .r2, over: locators, of: context) }
        // The preferences follow by Update Request.
        context.announced = context.announced.withoutPreferences
        send(r2(), over: locators, of: context)
    }

    /// The ULIDs, locators and tag of an I1, I2 or I2bis. The local ULID has to be ours, or that of a context.
    func offer(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) -> Offer {
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
        guard offer.ulids.areUsable else { throw .ulidNotUsable }
        guard !lists.contains(offer.ulids.peer) else { throw .ownAddress }
        guard table[tag] == nil else { throw .ownTag }
        if let nonce = view.initiatorNonce, let own = table.negotiating(nonce), own.key == offer.key { throw .ownNonce }
        guard lists.contains(offer.ulids.local) || table[offer.key] != nil else { throw .ulidNotLocal }
        return offer
    }
}

extension Offer {
    var key: ContextKey { ContextKey(ulids: ulids, forkedInstance: forkedInstance) }
}

/// What I2 and I2bis have in common, once their validators are found genuine.
struct Introduction {
    /// Which of the two it was.
    var reason: StateReason
    var key: ContextKey
    /// The addresses of the packet.
    var locators: LocatorPair
    var tag: ContextTag
    var nonce: UInt32
    var options: LocatorOptions
    /// Octets of the message.
    var length: Int

    /// What tells one from all others that the peer makes.
    struct ID: Equatable {
        var tag: ContextTag
        var nonce: UInt32
    }

    var id: ID { ID(tag: tag, nonce: nonce) }
}

extension Context {
    private static let rememberedIntroductions = 8

    fileprivate func remember(_ introduction: Introduction) {
        if introductions.count == Self.rememberedIntroductions { introductions.removeFirst() }
        introductions.append(introduction.id)
    }

    /// Whether an R2 may go out: not more than one second's worth ahead of the time.
    fileprivate func canAnswer(at now: Instant) -> Bool { answersUsedUp < now + .seconds(1) }

    fileprivate func answered(atMost perSecond: Int, at now: Instant) {
        let interval = Duration.nanoseconds(1_000_000_000 / Int64(max(perSecond, 1)))
        answersUsedUp = max(answersUsedUp, now) + interval
    }
}
