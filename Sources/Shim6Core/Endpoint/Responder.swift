import REAP
import Shim6Wire

/// Answers those who begin: establishment as responder (RFC 5533, sections 7.9, 7.10, 7.13 and 7.14), and the
/// responder's part of recovery (sections 7.17 and 7.20).
struct Responder {
    private let registry: Registry
    private let verification: PeerVerification
    private var secrets: ResponderSecrets
    /// Of R1bis.
    private var recoveryLimit: SourceLimit

    init(_ configuration: HostConfiguration, _ registry: Registry, _ verification: PeerVerification) {
        self.registry = registry
        self.verification = verification
        secrets = ResponderSecrets(lifetime: configuration.validatorMinLifetime)
        recoveryLimit = SourceLimit(perSecond: configuration.maximumAnswersPerSecond)
    }

    // MARK: - Messages

    /// I1 (section 7.9). Nothing is remembered of it.
    mutating func receiveI1(
        _ view: MessageView, _ locators: LocatorPair, _ turn: inout Turn
    ) throws(Refusal) {
        let offer = try offer(view, locators, turn)
        guard let nonce = view.initiatorNonce else { return }
        if let association = registry.table[offer.key], deservesR2(offer, association) {
            guard association.answering.canAnswer(at: turn.now) else { throw Refusal(.answerRate) }
            association.received()
            association.sendR2(nonce: nonce, over: locators.reversed, &turn)
            return association.answered(i1: nonce, &turn)
        }
        let challenge = try challenge(.establishment(offer), &turn)
        let r1 = R1(
            initiatorNonce: nonce, responderNonce: challenge.nonce, responderValidator: challenge.validator)
        guard let octets = try? ControlMessage.r1(r1).encoded() else { return }
        turn.send(octets, .r1, over: locators.reversed)
    }

    /// Whether an I1 is answered from a context. Elsewhere than from the peer's locators it never is: R2 tells our tag.
    private func deservesR2(_ offer: Offer, _ association: Association) -> Bool {
        guard association.isPeerLocator(offer.locators.source),
            association.isLocalLocator(offer.locators.destination)
        else { return false }
        return switch association.state {
        case .i1Sent, .i2Sent, .i2bisSent: true
        case .established(let data): data.reachability.peer.tag == offer.initiatorTag
        case .eFailed, .noSupport: false
        }
    }

    /// I2 (section 7.13). Cheap checks come first: only this host's own validator opens the way to the options, and
    /// only a packet that could make a difference the way to cryptography.
    func receiveI2(_ view: MessageView, _ locators: LocatorPair, _ turn: inout Turn) throws(Refusal) {
        let offer = try offer(view, locators, turn)
        try check(.establishment(offer), view, turn)
        guard case .i2(let i2) = try ControlMessage(whole: view) else { return }
        try take(
            Introduction(
                reason: .i2Received, key: offer.key, locators: locators, tag: i2.initiatorTag,
                nonce: i2.initiatorNonce, options: i2.options, length: view.length), &turn)
    }

    /// I2bis (section 7.20), with the checks of I2.
    func receiveI2bis(_ view: MessageView, _ locators: LocatorPair, _ turn: inout Turn) throws(Refusal) {
        guard let tag = view.packetTag else { throw Refusal(.parse(.missingResponderValidator)) }
        try check(.recovery(packetTag: tag, locators), view, turn)
        let offer = try offer(view, locators, turn)
        guard case .i2bis(let i2bis) = try ControlMessage(whole: view) else { return }
        try take(
            Introduction(
                reason: .i2bisReceived, key: offer.key, locators: locators, tag: i2bis.initiatorTag,
                nonce: i2bis.initiatorNonce, options: i2bis.options, length: view.length), &turn)
    }

    /// Tells the sender of a packet that its tag means nothing here (section 7.17). `locators` are those of the answer.
    /// Nothing is remembered of it.
    mutating func sendR1bis(_ tag: ContextTag, over locators: LocatorPair, _ turn: inout Turn) throws(Refusal) {
        guard recoveryLimit.take(for: locators.destination, at: turn.now, random: &turn.random) else {
            throw Refusal(.answerRate)
        }
        let challenge = try challenge(.recovery(packetTag: tag, locators.reversed), &turn)
        let r1bis = R1bis(packetTag: tag, responderNonce: challenge.nonce, responderValidator: challenge.validator)
        guard let octets = try? ControlMessage.r1bis(r1bis).encoded() else { return }
        turn.send(octets, .r1bis, over: locators)
    }

    // MARK: - Checks

    /// The ULIDs, locators and tag of an I1, I2 or I2bis. The local ULID has to be ours, or that of a context.
    private func offer(
        _ view: MessageView, _ locators: LocatorPair, _ turn: Turn
    ) throws(Refusal) -> Offer {
        let offer = try Offer(view, locators)
        let (host, table) = (turn.host, registry.table)
        guard !host.lists.contains(offer.ulids.peer) else { throw Refusal(.ownAddress) }
        guard table[offer.initiatorTag] == nil else { throw Refusal(.ownTag) }
        if let nonce = view.initiatorNonce, let own = table.negotiating(nonce), own.key == offer.key {
            throw Refusal(.ownNonce)
        }
        guard host.lists.contains(offer.ulids.local) || table[offer.key] != nil else { throw Refusal(.ulidNotLocal) }
        return offer
    }

    private mutating func challenge(
        _ exchange: ValidatedExchange, _ turn: inout Turn
    ) throws(Refusal) -> (nonce: UInt32, validator: [UInt8]) {
        do {
            return try secrets.challenge(exchange, at: turn.now, random: &turn.random)
        } catch {
            throw Refusal(error)
        }
    }

    /// Refuses a validator that this host has not made, or too long ago.
    private func check(
        _ exchange: ValidatedExchange, _ view: MessageView, _ turn: Turn
    ) throws(Refusal) {
        guard let nonce = view.responderNonce, let validator = view.responderValidator else {
            throw Refusal(.parse(.missingResponderValidator))
        }
        switch secrets.check(exchange, nonce: nonce, validator: validator, at: turn.now) {
        case .stale: throw Refusal(.staleResponderNonce)
        case .forged: throw Refusal(.badValidator)
        case .genuine: break
        }
    }

    // MARK: - Introductions

    /// Takes in what a genuine I2 or I2bis says, and answers with R2.
    private func take(_ introduction: Introduction, _ turn: inout Turn) throws(Refusal) {
        turn.expectMany()
        let known = registry.table[introduction.key]
        if let known, !known.answering.canAnswer(at: turn.now) { throw Refusal(.answerRate) }
        let isRepeated = known?.answering.isNewest(introduction.id) == true
        let (association, isNew) = try accept(introduction, known, &turn)
        // The validator shows that the peer gets what is sent there.
        association.received(introduction.length, provenAt: introduction.locators.source)
        association.sendR2(nonce: introduction.nonce, over: introduction.locators.reversed, &turn)
        if isNew { association.wasEstablished(over: introduction.locators.reversed, &turn) }
        if isRepeated { association.doubtAnswer(&turn) }
        association.announceChanges(&turn)
    }

    /// Brings an introduction into the context of its ULIDs, which is made if there is none; tells whether the context
    /// became established by it.
    private func accept(
        _ introduction: Introduction, _ known: Association?, _ turn: inout Turn
    ) throws(Refusal) -> (Association, isNew: Bool) {
        if let known, let isNewest = known.answering.isNewest(introduction.id) {
            guard isNewest, known.state.peerTag == introduction.tag else { throw Refusal(.supersededIntroduction) }
            known.handle(.otherMessageAnswered(introduction.locators.reversed), &turn)
            return (known, false)
        }
        guard let known, !known.state.isHolddown else { return (try welcome(introduction, &turn), true) }
        // 5533-7.13-14, 5533-7.13-19, 5533-7.20-16
        let peer = try peer(introduction, known, &turn)
        known.answering.remember(introduction.id)
        switch known.state {
        case .i1Sent:
            // 5533-7.13-13, 5533-7.20-11
            known.establish(peer, introduction.reason, &turn)
            turn.host.tally.established &+= 1
            registry.watch(known, &turn)
            return (known, true)
        case .i2Sent(let sent):
            // 5533-7.13-17, 5533-7.20-14
            known.cross(sent, peer)
            registry.table.update(known)
            registry.removeConfused(with: known, &turn)
        case .established(let data):
            // The peer has lost its context and made a new one, has locators that this host does not know yet, or
            // repeats itself.
            known.renew(turn.list(for: known.ulids.local), &turn)
            // 5533-7.13-16, 5533-7.20-13
            registry.replace(peer, of: data, known, &turn)
            known.locatorsChanged(&turn)
            known.handle(.otherMessageAnswered(introduction.locators.reversed), &turn)
        case .i2bisSent(let sent):
            // 5533-7.13-18, 5533-7.20-15
            registry.replace(peer, of: sent.kept, known, &turn)
        case .eFailed, .noSupport: break
        }
        return (known, false)
    }

    /// Makes a context for a peer that has introduced itself.
    private func welcome(_ introduction: Introduction, _ turn: inout Turn) throws(Refusal) -> Association {
        let ulids = introduction.key.ulids
        try registry.checkRoom(for: ulids.peer, turn)
        // 5533-7.13-11, 5533-7.20-09
        let peer = try peer(introduction, nil, &turn)
        let announced = turn.list(for: ulids.local)
        let established = Established(peer, ulids: ulids, announced: announced, roundTrip: nil, &turn)
        let association = registry.create(
            introduction.key, announced, .established(established), isOfPeer: true, introduction.reason, &turn)
        guard let association else { throw Refusal(.contextTableFull) }
        association.answering.remember(introduction.id)
        turn.host.tally.established &+= 1
        registry.watch(association, &turn)
        return association
    }

    /// What an introduction tells of the peer. Its source has to be the ULID, or a locator that is verified now or
    /// before.
    private func peer(
        _ introduction: Introduction, _ known: Association?, _ turn: inout Turn
    ) throws(Refusal) -> Peer {
        let (ulids, source) = (introduction.key.ulids, introduction.locators.source)
        let isKnown = source == ulids.peer || known?.state.hasVerified(source) == true
        // What cannot make it one needs no look at the proof.
        let listed = introduction.options.locatorList?.locators ?? []
        guard isKnown || listed.contains(where: { $0.locator == source }) else {
            throw Refusal(.sourceNotALocator)
        }
        let before = known?.state.peer
        try registry.checkTag(introduction.tag, known: before?.tag)
        let peer = try verification.peer(
            introduction.tag, introduction.options, of: ulids, known: before, .peer(source), &turn)
        guard isKnown || peer.hasLocator(source) else { throw Refusal(.sourceNotALocator) }
        return peer
    }
}
