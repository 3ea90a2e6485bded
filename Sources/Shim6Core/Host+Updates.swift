import REAP
import Shim6Wire

// Telling peers about changed locators, and being told (RFC 5533, section 10).
extension Host {
    /// The host's locators are now others.
    func localLocators(_ locators: [LocalLocator]) {
        guard lists.replace(locators) else { return }
        for context in table.all where context.established != nil {
            locatorsChanged(context)
            announceChanges(context)
        }
    }

    /// Starts an Update Request if the peer's idea of Ls(local) is out of date. One that is on its way already gives way
    /// to the newer one (section 10.3).
    func announceChanges(_ context: Context) {
        guard let data = context.established else { return }
        let list = localList(for: context.ulids.local)
        guard list != data.update?.list ?? context.announced else { return }
        disarm(context)
        guard list.announcement != nil else {
            // Without a locator there is nothing to tell and nowhere to tell it from.
            context.established?.update = nil
            return
        }
        announce(list, whole: false, context)
    }

    /// Begins to tell a list to the peer. `whole`: with everything in it, whatever the peer may know.
    ///
    /// - Parameter timing: whether our Send Timeout is news to it too.
    func announce(_ list: LocalList, whole: Bool, timing: Bool = false, _ context: Context) {
        disarm(context)
        let timing = timing || context.established?.update?.announcesTiming == true
        context.established?.update = PendingUpdate(
            requestNonce: random.next(), list: list, isWhole: whole, announcesTiming: timing)
        sendUpdateRequest(context)
    }

    /// Our Send Timeout is now another: peers are told, since their Keepalives have to come in time.
    func sendTimeout(_ timeout: Duration) {
        configuration.reap.sendTimeout = timeout
        for context in table.all {
            guard let data = context.established else { continue }
            reachability(context, .configured(reapConfiguration(for: data.peer)))
            let list = localList(for: context.ulids.local)
            guard list.announcement != nil else { continue }
            announce(list, whole: false, timing: true, context)
        }
    }

    /// Sends the pending Update Request and waits for the acknowledgement.
    private func sendUpdateRequest(_ context: Context) {
        guard let data = context.established, let update = data.update else { return }
        let backoff = Backoff(initial: configuration.updateTimeout, maximum: configuration.maxUpdateTimeout)
        arm(context, after: backoff.wait(before: update.retransmissions + 1, random: &random))
        var request = UpdateRequest(
            receiverTag: data.peer.tag, requestNonce: update.requestNonce, options: news(update, context))
        let isTooLong = request.options.locatorPreferences != nil && encoded(.updateRequest(request)) == nil
        // The preferences follow when the list is acknowledged (section 5.1).
        if isTooLong { request.options.locatorPreferences = nil }
        guard let length = try? ControlMessage.updateRequest(request).encodedLength(),
            let locators = updateLocators(context, data, attempt: update.retransmissions, length: length)
        else { return }
        if isTooLong { context.established?.update?.list = update.list.withoutPreferences }
        if update.sentAt == nil, let announcement = update.list.announcement {
            let withdrawn = context.announced.addresses.filter { !update.list.contains($0) }
            publish(.locatorsAnnounced(announcement.locators, withdrawn: withdrawn), context)
        }
        context.established?.update?.sentAt = now
        context.counters.updatesSent &+= 1
        send(.updateRequest(request), over: locators, of: context)
    }

    /// What the peer does not know yet, or may not know: not the parameters that came with I2 or R2, and of a list that it
    /// has just the preferences.
    private func news(_ update: PendingUpdate, _ context: Context) -> LocatorOptions {
        // 5534-5.3-04
        var options = with(update.list.options(keepaliveTimeout: update.announcesTiming ? wholeSendTimeout : nil))
        guard !update.isWhole, let known = context.announced.announcement else { return options }
        options.cgaParameters = nil
        if known.generation == update.list.announcement?.generation {
            options.locatorList = nil
            options.cgaSignature = nil
            options.locatorPreferences = update.list.preferences
        }
        return options
    }

    /// Locators for an Update Request: those of payload at first, then all others in turn, since either side may have
    /// lost the former. The ULID is a source even while it is withdrawn: the peer takes it as one.
    /// Where the peer has not answered before, messages of this `length` may go only now and then.
    private func updateLocators(
        _ context: Context, _ data: Established, attempt: Int, length: Int
    ) -> LocatorPair? {
        let current = data.machine.current
        var sources = available(context.announced)
        if lists.contains(context.ulids.local) { sources.append(context.ulids.local) }
        // The peer refuses a request from an address that it does not know, but by R1bis, and the I2bis makes it known.
        if sources.isEmpty { sources = lists.locators.map(\.address) }
        var candidates = explorationOrder(
            local: sources, peer: destinations(of: data.peer), failed: current)
        if sources.contains(current.source) {
            candidates.removeAll { $0 == current }
            candidates.insert(current, at: 0)
        }
        return candidates.indices.lazy.map { candidates[(attempt + $0) % candidates.count] }.first {
            data.reach.admits(length, to: $0.destination, configuration, at: now)
        }
    }

    /// The Update Request has not been acknowledged in time. It is repeated for as long as the context lives
    /// (section 10.2).
    func updateTimer(_ context: Context) {
        context.established?.update?.retransmissions += 1
        sendUpdateRequest(context)
    }

    /// Payload has moved to another pair: an Update Request that may have got lost on the old one follows at once.
    func repeatUpdateRequest(_ context: Context) {
        guard context.established?.update != nil else { return }
        context.established?.update?.retransmissions = 0
        sendUpdateRequest(context)
    }

    /// Update Request (section 10.4).
    func receiveUpdateRequest(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) {
        let context = try tagged(view, locators)
        switch context.state {
        case .i1Sent, .eFailed, .noSupport:
            throw .unexpectedInState
        case .i2Sent:
            answerWithRequest(context)
            guard case .i2Sent(var sent) = context.state, let known = sent.peer else { throw .peerTagUnknown }
            sent.peer = try updated(known, view, context, locators.source)
            table.change(context) { context.state = .i2Sent(sent) }
        case .i2bisSent:
            answerWithRequest(context)
            guard case .i2bisSent(let sent) = context.state else { return }
            let peer = try updated(sent.kept.peer, view, context, locators.source)
            table.change(context) { sent.kept.replace(peer) }
        case .established(let data):
            let peer = try updated(data.peer, view, context, locators.source)
            reachability(context, .otherMessageReceived)
            replace(peer, of: context)
        }
        guard let tag = context.peerTag, let nonce = view.requestNonce else { return }
        let acknowledgement = UpdateAcknowledgement(receiverTag: tag, requestNonce: nonce)
        send(.updateAcknowledgement(acknowledgement), over: locators.reversed, of: context)
    }

    /// The peer after an Update Request; unchanged by one that only repeats the latest.
    private func updated(
        _ known: Peer, _ view: MessageView, _ context: Context, _ source: IPv6Address
    ) throws(DropReason) -> Peer {
        guard case .updateRequest(let request) = try message(view) else { return known }
        guard known.requestNonces.last != request.requestNonce else { return known }
        guard !known.requestNonces.contains(request.requestNonce) else { throw .supersededUpdate }
        var peer = known
        try take(request.options, into: &peer, of: context.ulids, .peer(source))
        try takePreferences(request.options, into: &peer)
        peer.requestNonces = (peer.requestNonces + [request.requestNonce]).suffix(Peer.rememberedRequests)
        context.counters.updatesReceived &+= 1
        return peer
    }

    /// Update Acknowledgement (section 10.5). From now on the new locators may be sources.
    func receiveUpdateAcknowledgement(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) {
        let context = try tagged(view, locators)
        switch context.state {
        case .i1Sent, .eFailed, .noSupport:
            throw .unexpectedInState
        case .i2Sent, .i2bisSent:
            answerWithRequest(context)
            throw .unmatchedAcknowledgement
        case .established(let data):
            guard let update = data.update, update.sentAt != nil, update.requestNonce == view.requestNonce else {
                throw .unmatchedAcknowledgement
            }
            disarm(context)
            context.established?.update = nil
            context.announced = update.list
            publish(.locatorsAcknowledged, context)
            reachability(context, .otherMessageReceived)
            locatorsChanged(context)
            announceChanges(context)
        }
    }
}
