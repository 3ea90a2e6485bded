import Locators
import REAP
import Shim6Wire

// Establishment as initiator (RFC 5533, sections 7.7, 7.8, 7.11, 7.12 and 7.16).
extension Host {
    /// Why no context can be made for a ULID pair.
    public enum Refusal: String, Error, Sendable {
        /// Multicast, link-local, loopback or unspecified, or both of this host.
        case unusable = "ULIDs unusable"
        /// The local address is not among the local locators.
        case notLocal = "local ULID not a local locator"
        case exists = "context exists"
        case tableFull = "context table full"
    }

    /// Why `.establish` of this pair would do nothing; nil if it would start an exchange.
    public func refusal(of ulids: ULIDPair) -> Refusal? {
        guard ulids.areUsable, !lists.contains(ulids.peer) else { return .unusable }
        guard lists.contains(ulids.local) else { return .notLocal }
        switch table[ContextKey(ulids: ulids)]?.state {
        case .i1Sent, .i2Sent, .established, .i2bisSent: return .exists
        case .eFailed, .noSupport, nil: return hasRoom ? nil : .tableFull
        }
    }

    /// The heuristic fired. A negative cache entry holds it back, and so do many negotiations: packets with forged sources
    /// can make it fire, and must not fill the table.
    func trigger(_ ulids: ULIDPair) {
        guard table[ContextKey(ulids: ulids)] == nil else { return }
        if table.isBusy { return refuse(ulids) }
        initiate(ulids, reason: .trigger)
    }

    private func refuse(_ ulids: ULIDPair) {
        tally.triggersRefused &+= 1
        emit(.forget(ulids))
    }

    /// An operator knows better than the negative cache.
    func establish(_ ulids: ULIDPair) {
        initiate(ulids, reason: .askedFor)
    }

    private func initiate(_ ulids: ULIDPair, reason: StateReason) {
        switch refusal(of: ulids) {
        case .exists:
            return
        case .unusable, .notLocal, .tableFull:
            return refuse(ulids)
        case nil:
            break
        }
        let i1 = I1Sent(initiatorNonce: table.freshNonce(&random), pairs: [ulids.locators])
        guard let context = create(ContextKey(ulids: ulids), localList(for: ulids.local), .i1Sent(i1), reason: reason)
        else { return }
        sendI1(context)
    }

    /// Sends I1 and waits for R1 or R2.
    func sendI1(_ context: Context) {
        guard case .i1Sent(let sent) = context.state else { return }
        let locators = sent.pairs[sent.retransmissions % sent.pairs.count]
        let i1 = I1(
            initiatorTag: context.tag, initiatorNonce: sent.initiatorNonce,
            ulidPair: context.ulidPairOption(over: locators), forkedInstance: context.forkedInstanceOption)
        send(.i1(i1), over: locators, of: context)
        let backoff = Backoff(initial: configuration.i1Timeout)
        arm(context, after: backoff.wait(before: sent.retransmissions + 1, random: &random))
    }

    /// R1 (section 7.11).
    func receiveR1(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) {
        let context = try negotiating(view, locators)
        guard case .r1(let r1) = try message(view) else { return }
        switch context.state {
        case .i1Sent(let sent):
            context.counters.messagesIn &+= 1
            try sendI2(context, answering: r1, to: sent, over: locators.reversed)
        case .i2Sent, .established, .i2bisSent, .eFailed, .noSupport:
            throw .unexpectedInState
        }
    }

    private func sendI2(
        _ context: Context, answering r1: R1, to i1: I1Sent, over locators: LocatorPair
    ) throws(DropReason) {
        let message = try introduction(of: context, over: locators) { options in
            .i2(
                I2(
                    initiatorTag: context.tag, initiatorNonce: i1.initiatorNonce, responderNonce: r1.responderNonce,
                    responderValidator: r1.responderValidator, ulidPair: context.ulidPairOption(over: locators),
                    forkedInstance: context.forkedInstanceOption, options: options))
        }
        let request = OutstandingRequest(
            initiatorNonce: i1.initiatorNonce, message: message, locators: locators, sentAt: now)
        change(context, to: .i2Sent(I2Sent(request: request, i1: i1)), reason: .r1Received)
        sendRequest(context)
        armRequest(context)
    }

    /// An I2 or I2bis with what this host has to say of itself. What does not fit beside a long validator, the ULIDs and a
    /// long key follows by Update Request: first the preferences, then as much of the list as it takes.
    func introduction(
        of context: Context, over locators: LocatorPair, _ message: (LocatorOptions) -> ControlMessage
    ) throws(DropReason) -> [UInt8] {
        if let octets = encoded(message(locatorOptions(of: context))) { return octets }
        func octets(_ list: LocalList) -> [UInt8]? {
            encoded(message(with(list.options(keepaliveTimeout: announcedKeepaliveTimeout))))
        }
        let announced = context.announced
        if let kept = announced.shortened(keeping: locators.source, where: { octets($0) != nil }) {
            let part =
                kept.count == announced.announcement?.locators.count
                ? announced.withoutPreferences
                : lists.part(kept, of: announced, identity: identity, random: &random)
            if let part, let octets = octets(part) {
                context.announced = part
                return octets
            }
        }
        guard let octets = encoded(message(with(LocatorOptions(keepaliveTimeout: announcedKeepaliveTimeout)))) else {
            throw .validatorTooLong
        }
        context.announced = LocalList(ulid: context.ulids.local)
        return octets
    }

    /// Sends the I2 or I2bis, again or for the first time; its timer stays as it is.
    func sendRequest(_ context: Context) {
        context.request?.sentAt = now
        guard let request = context.request else { return }
        let type: MessageType = context.name == .i2bisSent ? .i2bis : .i2
        transmit(request.message, type, over: request.locators, of: context)
    }

    func armRequest(_ context: Context) {
        guard let request = context.request else { return }
        let timeout = context.name == .i2bisSent ? configuration.i2bisTimeout : configuration.i2Timeout
        arm(context, after: Backoff(initial: timeout).wait(before: request.retransmissions + 1, random: &random))
    }

    /// Payload or a control message in I2-SENT or I2BIS-SENT shows that the peer has the context and its R2 was lost
    /// (section 12.2). A stream of payload gets no stream of I2 messages.
    func answerWithRequest(_ context: Context) {
        guard let request = context.request, request.sentAt + .milliseconds(500) <= now else { return }
        context.request?.isRepeated = true
        sendRequest(context)
    }

    /// R2 (section 7.16).
    func receiveR2(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) {
        let context = try negotiating(view, locators)
        guard case .r2(let r2) = try message(view) else { return }
        switch context.state {
        case .i1Sent, .i2Sent, .i2bisSent:
            let peer = try verifiedPeer(
                tag: r2.responderTag, r2.options, of: context.ulids, known: context.peer, .answer(locators.source))
            context.counters.messagesIn &+= 1
            if case .i2bisSent(let sent) = context.state {
                sent.kept.reach.received(view.length)
                becomeRecovered(context, sent.kept, peer)
            } else {
                becomeEstablished(context, peer, roundTrip: roundTrip(of: context), reason: .r2Received)
                context.established?.reach.answers(at: locators.source)
                context.established?.reach.received(view.length)
                doubtUnusedULIDs(context, locators.reversed)
            }
            announceChanges(context)
        case .established, .eFailed, .noSupport:
            throw .unexpectedInState
        }
    }

    /// How long the R2 that came in now took. Nil where it could be the answer to an earlier message of the same kind.
    private func roundTrip(of context: Context) -> Duration? {
        switch context.state {
        case .i1Sent(let sent): sent.retransmissions == 0 ? now - context.stateSince : nil
        case .i2Sent(let sent):
            sent.request.retransmissions == 0 && !sent.request.isRepeated ? now - sent.request.sentAt : nil
        case .established, .i2bisSent, .eFailed, .noSupport: nil
        }
    }

    /// A new context uses the ULID pair. If its messages took another one, that had a reason: both are tried at once, or
    /// where it was the peer's wish as soon as there is payload.
    func doubtUnusedULIDs(_ context: Context, _ locators: LocatorPair) {
        guard locators != context.ulidLocators else { return }
        if context.isOfPeer { return postpone(.establishedElsewhere, context) }
        reachability(context, .suspected(.establishedElsewhere))
    }

    /// The negotiation that an R1 or R2 answers: the same Initiator Nonce, and the locator pair of our I1 or I2
    /// (section 12.4).
    private func negotiating(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) -> Context {
        guard let nonce = view.initiatorNonce, let context = table.negotiating(nonce),
            context.awaitsAnswer(on: locators)
        else { throw .unmatchedNonce }
        return context
    }

    /// I1, I2, I2bis or a holddown has run its time.
    func negotiationTimer(_ context: Context) {
        switch context.state {
        case .i1Sent(let sent):
            retryI1(context, sent, reason: .noAnswerToI1)
        case .i2Sent(let sent):
            // The same nonce: a late R2 is as good as one to the next I1.
            if !repeatRequest(context, atMost: configuration.i2RetriesMax) {
                retryI1(context, sent.i1, reason: .noAnswerToI2)
            }
        case .i2bisSent(let sent):
            if !repeatRequest(context, atMost: configuration.i2bisRetriesMax) { fallBack(context, from: sent) }
        case .eFailed, .noSupport:
            remove(context, reason: .holddownOver)
        case .established:
            break
        }
    }

    /// Sends the I2 or I2bis once more; false if that was done often enough.
    private func repeatRequest(_ context: Context, atMost limit: Int) -> Bool {
        guard let request = context.request, request.retransmissions < limit else { return false }
        context.request?.retransmissions += 1
        sendRequest(context)
        armRequest(context)
        return true
    }

    /// Sends I1 once more, or gives up. An I1 after fruitless I2 messages counts as a retransmission too: a peer that
    /// sends R1 but never R2 does not keep this going for ever.
    private func retryI1(_ context: Context, _ sent: I1Sent, reason: StateReason) {
        guard sent.retransmissions < configuration.i1RetriesMax else {
            holdDown(context, .eFailed, for: configuration.noR1HolddownTime, reason: reason)
            return
        }
        var sent = sent
        sent.retransmissions += 1
        change(context, to: .i1Sent(sent), reason: reason)
        sendI1(context)
    }

    /// Turns a negotiation into a negative cache entry (section 7.8).
    private func holdDown(_ context: Context, _ state: Context.State, for time: Duration, reason: StateReason) {
        change(context, to: state, reason: reason)
        table.releaseSlot(of: context)
        arm(context, after: time)
        if table.holddowns.count > table.maximumHolddowns,
            let first = table.holddowns.values.min(by: { ($0.deadline ?? now) < ($1.deadline ?? now) })
        {
            tally.holddownsEvicted &+= 1
            remove(first, reason: .tooManyHolddowns)
        }
    }

    /// An ICMPv6 Parameter Problem: only one that quotes an I1 which waits for its answer has an effect (section 7.8).
    func parameterProblem(_ quoted: [UInt8], _ locators: LocatorPair) {
        guard let view = try? MessageView(quoted), view.type == .i1, let nonce = view.initiatorNonce,
            let context = table.negotiating(nonce), case .i1Sent = context.state, context.tag == view.contextTag,
            context.awaitsAnswer(on: locators.reversed)
        else {
            count(.unmatchedParameterProblem)
            return
        }
        holdDown(context, .noSupport, for: configuration.icmpHolddownTime, reason: .noShim6)
    }
}

extension ULIDPair {
    var areUsable: Bool { local.canBeLocator && peer.canBeLocator && local != peer }
}

extension Context {
    /// The option that names the ULIDs in a message on a pair which does not (section 7.7).
    func ulidPairOption(over locators: LocatorPair) -> ULIDPairOption? {
        locators == ulidLocators ? nil : ULIDPairOption(sender: ulids.local, receiver: ulids.peer)
    }

    /// Nil for the default context.
    var forkedInstanceOption: UInt32? { key.forkedInstance == 0 ? nil : key.forkedInstance }
}
