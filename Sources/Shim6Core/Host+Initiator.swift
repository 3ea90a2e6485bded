import REAP
import Shim6Wire

// Establishment as initiator (RFC 5533, sections 7.7, 7.8, 7.11, 7.12 and 7.16).
extension Host {
    /// Why no context can be made for a ULID pair.
    public enum Refusal: String, Error, Sendable {
        /// Multicast, link-local, loopback or unspecified, or both the same.
        case unusable = "ULIDs unusable"
        /// The local address is not among the local locators.
        case notLocal = "local ULID not a local locator"
        case exists = "context exists"
        case tableFull = "context table full"
    }

    /// Why `.establish` of this pair would do nothing; nil if it would start an exchange.
    public func refusal(of ulids: ULIDPair) -> Refusal? {
        guard ulids.areUsable else { return .unusable }
        guard lists.contains(ulids.local) else { return .notLocal }
        switch table[ContextKey(ulids: ulids)]?.state {
        case .i1Sent, .i2Sent, .established: return .exists
        case .eFailed, .noSupport, nil: return table.isFull ? .tableFull : nil
        }
    }

    /// The heuristic fired. A negative cache entry holds it back.
    func trigger(_ ulids: ULIDPair) {
        guard table[ContextKey(ulids: ulids)] == nil else { return }
        initiate(ulids, reason: "trigger")
    }

    /// An operator knows better than the negative cache.
    func establish(_ ulids: ULIDPair) {
        initiate(ulids, reason: "asked for by the operator")
    }

    private func initiate(_ ulids: ULIDPair, reason: String) {
        switch refusal(of: ulids) {
        case .exists:
            return
        case .unusable, .notLocal, .tableFull:
            tally.triggersRefused &+= 1
            emit(.forget(ulids))
            return
        case nil:
            break
        }
        let state = Context.State.i1Sent(I1Sent(initiatorNonce: table.freshNonce(&random)))
        guard let context = create(ContextKey(ulids: ulids), localList(for: ulids.local), state, reason: reason) else {
            return
        }
        sendI1(context)
    }

    /// Sends I1 over the ULID pair and waits for R1 or R2.
    func sendI1(_ context: Context) {
        guard case .i1Sent(let sent) = context.state else { return }
        let i1 = I1(initiatorTag: context.tag, initiatorNonce: sent.initiatorNonce)
        send(.i1(i1), over: context.ulidLocators, of: context)
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
            try sendI2(context, answering: r1, to: sent)
        case .i2Sent, .established, .eFailed, .noSupport:
            throw .unexpectedInState
        }
    }

    private func sendI2(_ context: Context, answering r1: R1, to i1: I1Sent) throws(DropReason) {
        var i2 = I2(
            initiatorTag: context.tag, initiatorNonce: i1.initiatorNonce, responderNonce: r1.responderNonce,
            responderValidator: r1.responderValidator, options: locatorOptions(of: context))
        var octets = encoded(.i2(i2))
        if octets == nil {
            // A very long validator takes the place of the list, which follows by Update Request.
            i2.options = with(LocatorOptions(keepaliveTimeout: announcedKeepaliveTimeout))
            octets = encoded(.i2(i2))
            if octets != nil { context.announced = LocalList(ulid: context.ulids.local) }
        }
        guard let octets else { throw .validatorTooLong }
        let state = Context.State.i2Sent(
            I2Sent(
                initiatorNonce: i1.initiatorNonce, message: octets, sentAt: now,
                i1Retransmissions: i1.retransmissions))
        change(context, to: state, reason: "R1 received")
        retransmitI2(context)
        armI2(context)
    }

    /// Sends the I2 again, whatever the reason; its timer stays as it is.
    func retransmitI2(_ context: Context) {
        guard case .i2Sent(var sent) = context.state else { return }
        sent.sentAt = now
        context.state = .i2Sent(sent)
        transmit(sent.message, .i2, over: context.ulidLocators, of: context)
    }

    private func armI2(_ context: Context) {
        guard case .i2Sent(let sent) = context.state else { return }
        let backoff = Backoff(initial: configuration.i2Timeout)
        arm(context, after: backoff.wait(before: sent.retransmissions + 1, random: &random))
    }

    /// Payload or a control message in I2-SENT shows that the peer has the context and its R2 was lost (section 12.2).
    /// A stream of payload gets no stream of I2 messages.
    func answerInI2Sent(_ context: Context) {
        guard case .i2Sent(let sent) = context.state, sent.sentAt + .milliseconds(500) <= now else { return }
        retransmitI2(context)
    }

    /// R2 (section 7.16).
    func receiveR2(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) {
        let context = try negotiating(view, locators)
        guard case .r2(let r2) = try message(view) else { return }
        switch context.state {
        case .i1Sent, .i2Sent:
            let peer = try verifiedPeer(
                tag: r2.responderTag, r2.options, of: context.ulids, known: context.peer)
            context.counters.messagesIn &+= 1
            becomeEstablished(context, peer, reason: "R2 received")
            announceChanges(context)
        case .established, .eFailed, .noSupport:
            throw .unexpectedInState
        }
    }

    /// The negotiation that an R1 or R2 answers: the same Initiator Nonce, and the locator pair of our I1 or I2
    /// (section 12.4).
    private func negotiating(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) -> Context {
        guard let nonce = view.initiatorNonce, let context = table.negotiating(nonce),
            context.ulidLocators == locators.reversed
        else { throw .unmatchedNonce }
        return context
    }

    /// I1, I2 or a holddown has run its time.
    func negotiationTimer(_ context: Context) {
        switch context.state {
        case .i1Sent(let sent):
            retryI1(context, sent, reason: "no answer to I1")
        case .i2Sent(var sent):
            guard sent.retransmissions < configuration.i2RetriesMax else {
                // The same nonce: a late R2 is as good as one to the next I1.
                let i1 = I1Sent(initiatorNonce: sent.initiatorNonce, retransmissions: sent.i1Retransmissions)
                retryI1(context, i1, reason: "no answer to I2")
                return
            }
            sent.retransmissions += 1
            context.state = .i2Sent(sent)
            retransmitI2(context)
            armI2(context)
        case .eFailed, .noSupport:
            remove(context, reason: "holddown over")
        case .established:
            break
        }
    }

    /// Sends I1 once more, or gives up. An I1 after fruitless I2 messages counts as a retransmission too: a peer that
    /// sends R1 but never R2 does not keep this going for ever.
    private func retryI1(_ context: Context, _ sent: I1Sent, reason: String) {
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
    private func holdDown(_ context: Context, _ state: Context.State, for time: Duration, reason: String) {
        change(context, to: state, reason: reason)
        table.releaseSlot(of: context)
        arm(context, after: time)
        if table.holddowns.count > table.maximumHolddowns,
            let first = table.holddowns.values.min(by: { ($0.deadline ?? now) < ($1.deadline ?? now) })
        {
            remove(first, reason: "too many holddowns")
        }
    }

    /// An ICMPv6 Parameter Problem: only one that quotes an I1 which waits for its answer has an effect (section 7.8).
    func parameterProblem(_ quoted: [UInt8], _ locators: LocatorPair) {
        guard let view = try? MessageView(quoted), view.type == .i1, let nonce = view.initiatorNonce,
            let context = table.negotiating(nonce), case .i1Sent = context.state, context.tag == view.contextTag,
            context.ulidLocators == locators
        else {
            count(.unmatchedParameterProblem)
            return
        }
        holdDown(context, .noSupport, for: configuration.icmpHolddownTime, reason: "peer does not know Shim6")
    }
}

extension LocatorPair {
    /// The pair of a packet that goes the other way.
    var reversed: LocatorPair { LocatorPair(source: destination, destination: source) }
}

extension ULIDPair {
    var areUsable: Bool { local.canBeLocator && peer.canBeLocator && local != peer }
}
