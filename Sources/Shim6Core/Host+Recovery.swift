import REAP
import Shim6Wire

// Recovery of contexts that one side has lost (RFC 5533, sections 7.5 and 7.17 to 7.20).
extension Host {
    /// Tells the sender of a packet that its tag means nothing here (section 7.17). `locators` are those of the answer.
    /// Nothing is remembered of it.
    func sendR1bis(_ tag: ContextTag, over locators: LocatorPair) throws(DropReason) {
        guard recoveryLimit.take(for: locators.destination, at: now, random: &random) else {
            throw .answerRate
        }
        let challenge = try secrets.challenge(.recovery(packetTag: tag, locators.reversed), at: now, random: &random)
        let r1bis = R1bis(packetTag: tag, responderNonce: challenge.nonce, responderValidator: challenge.validator)
        guard let octets = encoded(.r1bis(r1bis)) else { return }
        emit(.send(octets: octets, source: locators.source, destination: locators.destination))
        tally.messagesOut[.r1bis, default: 0] &+= 1
    }

    /// Payload with a tag that the data path does not know (section 12.2).
    func unknownTag(_ tag: ContextTag, _ locators: LocatorPair) {
        // The context may have been made since the packet came.
        if let context = table[tag], context.slot != nil { return }
        count(.unknownPayloadTag)
        guard !lists.contains(locators.source) else { return count(.ownAddress) }
        guard (try? MessageView.checkAddresses(source: locators.source, destination: locators.destination)) != nil
        else { return }
        answer { () throws(DropReason) in try sendR1bis(tag, over: locators.reversed) }
    }

    /// R1bis (section 7.18). Its addresses have to be locators of the context, but not those that payload uses: section
    /// 7.5 wants the answer to a Probe on another pair to have an effect. An own address need not be one that the peer
    /// knows: that it does not may be what the R1bis is about.
    func receiveR1bis(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) {
        guard let tag = view.packetTag,
            let context = table.sending(tag).first(where: {
                isPeerLocator(locators.source, of: $0)
                    && (isLocalLocator(locators.destination, of: $0) || lists.contains(locators.destination))
            })
        else { throw .unmatchedR1bis }
        switch context.state {
        case .i1Sent, .i2Sent, .i2bisSent, .eFailed, .noSupport:
            throw .unexpectedInState
        case .established(let data):
            guard case .r1bis(let r1bis) = try message(view) else { return }
            context.counters.messagesIn &+= 1
            try sendI2bis(context, data, answering: r1bis, over: locators.reversed)
        }
    }

    private func sendI2bis(
        _ context: Context, _ data: Established, answering r1bis: R1bis, over locators: LocatorPair
    ) throws(DropReason) {
        let nonce = table.freshNonce(&random)
        let announced = context.announced
        // The whole list again, the newest: what the peer had it may have lost.
        context.announced = localList(for: context.ulids.local)
        let message: [UInt8]
        do {
            message = try introduction(of: context, over: locators) { options in
                .i2bis(
                    I2bis(
                        initiatorTag: context.tag, initiatorNonce: nonce, responderNonce: r1bis.responderNonce,
                        packetTag: r1bis.packetTag, responderValidator: r1bis.responderValidator,
                        ulidPair: context.ulidPairOption(over: locators),
                        forkedInstance: context.forkedInstanceOption, options: options))
            }
        } catch {
            context.announced = announced
            throw error
        }
        let request = OutstandingRequest(initiatorNonce: nonce, message: message, locators: locators, sentAt: now)
        disarm(context)
        suspend(context)
        data.update = nil
        change(context, to: .i2bisSent(I2bisSent(request: request, kept: data)), reason: .r1bisReceived)
        sendRequest(context)
        armRequest(context)
    }

    /// I2bis (section 7.20), with the checks of I2.
    func receiveI2bis(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) {
        guard let tag = view.packetTag, let nonce = view.responderNonce, let validator = view.responderValidator
        else { throw .parse(.missingResponderValidator) }
        try check(.recovery(packetTag: tag, locators), nonce: nonce, validator: validator)
        let offer = try offer(view, locators)
        guard case .i2bis(let i2bis) = try message(view) else { return }
        try take(
            Introduction(
                reason: .i2bisReceived, key: offer.key, locators: locators, tag: i2bis.initiatorTag,
                nonce: i2bis.initiatorNonce, options: i2bis.options, length: view.length))
    }

    /// The peer has the context again. Payload stays where it is.
    func becomeRecovered(_ context: Context, _ kept: Established, _ peer: Peer) {
        disarm(context)
        let keepaliveTimeout = kept.peer.keepaliveTimeout
        table.change(context) { kept.replace(peer) }
        change(context, to: .established(kept), reason: .r2Received)
        tally.recovered &+= 1
        if peer.keepaliveTimeout != keepaliveTimeout {
            reachability(context, .configured(reapConfiguration(for: peer)))
        }
        resume(context)
        locatorsChanged(context)
    }

    /// No R2 comes: the I1 that follows may go where the I2bis went, for there the R1bis came from.
    func fallBack(_ context: Context, from sent: I2bisSent) {
        var pairs = [sent.request.locators]
        if pairs[0] != context.ulidLocators { pairs.append(context.ulidLocators) }
        let i1 = I1Sent(initiatorNonce: sent.request.initiatorNonce, pairs: pairs)
        change(context, to: .i1Sent(i1), reason: .noAnswerToI2bis)
        sendI1(context)
    }
}
