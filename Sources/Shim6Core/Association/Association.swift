import REAP
import Shim6Wire

/// One context (RFC 5533, section 6.1) with its exchanges. It knows nothing of other contexts: what concerns them, its
/// owner does.
final class Association {
    private(set) var common: Common
    private(set) var state: AssociationState
    private(set) var stateSince: Instant
    var answering = Answering()
    /// By what its owner finds it now.
    var indexed: AssociationState.Index

    init(_ common: Common, _ state: AssociationState) {
        self.common = common
        self.state = state
        stateSince = common.createdAt
        indexed = state.index
    }

    var tag: ContextTag { common.tag }
    var key: ContextKey { common.key }
    var ulids: ULIDPair { common.key.ulids }

    /// The data of ESTABLISHED; nil in other states.
    var established: Established? {
        if case .established(let established) = state { established } else { nil }
    }

    /// Whether an address belongs to Ls(peer). The ULID does, also while it is withdrawn as a locator.
    func isPeerLocator(_ address: IPv6Address) -> Bool { address == ulids.peer || state.hasVerified(address) }

    /// Whether an address belongs to Ls(local), as the peer knows it or may know it already.
    func isLocalLocator(_ address: IPv6Address) -> Bool {
        address == ulids.local || common.announced.contains(address)
            || established?.update?.list.contains(address) == true
    }

    // MARK: - States

    /// Tells of a new context, and gives the data path its entry.
    func open(_ reason: StateReason, _ turn: inout Turn) {
        common.publish(.state(from: nil, to: state.name, reason: reason), &turn)
        install(&turn)
    }

    /// Ends the context. Nothing is sent (RFC 5533, section 9). Returns the slot that it had.
    func close(_ reason: StateReason, _ turn: inout Turn) -> UInt32? {
        common.disarm(&turn)
        common.cancelResuming(&turn)
        unwatch(&turn)
        common.uninstall(&turn)
        common.publish(.state(from: state.name, to: nil, reason: reason), &turn)
        turn.emit(.forget(ulids))
        return common.releaseSlot()
    }

    /// Becomes a negative cache entry (RFC 5533, section 7.8). Returns the slot that it had.
    func holdDown(_ failure: NegotiationFailure, _ turn: inout Turn) -> UInt32? {
        let wait: Duration
        switch failure {
        case .silence(let reason):
            wait = turn.host.configuration.noR1HolddownTime
            change(to: .eFailed, reason, &turn)
        case .noSupport:
            wait = turn.host.configuration.icmpHolddownTime
            change(to: .noSupport, .noShim6, &turn)
        }
        common.arm(after: wait, &turn)
        return common.releaseSlot()
    }

    /// Moves to another state, tells so, and brings the data path up to date.
    private func change(to state: AssociationState, _ reason: StateReason, _ turn: inout Turn) {
        let old = self.state.name
        self.state = state
        if state.name != old {
            stateSince = turn.now
            common.publish(.state(from: old, to: state.name, reason: reason), &turn)
        }
        install(&turn)
    }

    /// Brings the data path's entry up to date with the state (RFC 5533, sections 11 and 12.2).
    private func install(_ turn: inout Turn) {
        switch state {
        case .i1Sent: common.install(.discard, nil, &turn)
        case .i2Sent: common.install(.deliverAndNotify, nil, &turn)
        case .established(let established): common.install(.deliver, established.destination(turn.host), &turn)
        case .i2bisSent(let sent): common.install(.deliverAndNotify, sent.kept.destination(turn.host), &turn)
        case .eFailed, .noSupport: common.uninstall(&turn)
        }
    }

    /// `Timer.context` has run out: I1, I2, I2bis, Update Request or a holddown has run its time.
    func timerFired(_ turn: inout Turn) -> TimerOutcome {
        guard common.timerFired(at: turn.now) else { return .goesOn }
        switch state {
        case .i1Sent(var sent):
            guard sent.repeats(&common, &turn) else { return retry(sent, .noAnswerToI1, &turn) }
            state = .i1Sent(sent)
        case .i2Sent(var sent):
            // The same nonce: a late R2 is as good as one to the next I1. 5533-7.12-03
            guard sent.request.retry(&common, &turn) else { return retry(sent.i1, .noAnswerToI2, &turn) }
            state = .i2Sent(sent)
        case .i2bisSent(var sent):
            if sent.request.retry(&common, &turn) {
                state = .i2bisSent(sent)
            } else {
                unwatch(&turn)
                begin(sent.i1(ulids), .noAnswerToI2bis, &turn)  // 5533-7.19-03
            }
        case .established(let established): established.updateTimer(&common, &turn)
        case .eFailed, .noSupport: return .isOver
        }
        return .goesOn
    }

    private func retry(_ sent: I1Sent, _ reason: StateReason, _ turn: inout Turn) -> TimerOutcome {
        guard let next = sent.next(atMost: turn.host.configuration.i1RetriesMax) else {
            return .fails(.silence(reason))
        }
        begin(next, reason, &turn)
        return .goesOn
    }

    // MARK: - Establishment and recovery

    /// Sends the first I1 and waits for R1 or R2.
    func begin(_ turn: inout Turn) {
        if case .i1Sent(let sent) = state { sent.send(&common, &turn) }
    }

    private func begin(_ sent: I1Sent, _ reason: StateReason, _ turn: inout Turn) {
        change(to: .i1Sent(sent), reason, &turn)
        sent.send(&common, &turn)
    }

    /// Answers R1 with I2 (section 7.11).
    func answer(_ r1: R1, over locators: LocatorPair, _ turn: inout Turn) throws(DropReason) {
        guard case .i1Sent(let i1) = state else { throw .unexpectedInState }  // 5533-7.11-05, 5533-7.11-06
        common.counters.messagesIn &+= 1
        let request = try OutstandingRequest(answering: r1, to: i1, over: locators, &common, &turn)
        change(to: .i2Sent(I2Sent(request: request, i1: i1)), .r1Received, &turn)
        request.begin(&common, &turn)
    }

    /// Answers R1bis with I2bis (section 7.18).
    func answer(
        _ r1bis: R1bis, nonce: UInt32, over locators: LocatorPair, _ turn: inout Turn
    ) throws(DropReason) {
        guard let kept = state.kept else { throw .unexpectedInState }
        if case .i2bisSent(let sent) = state, !sent.request.givesWay(to: locators.reversed, at: turn.now) {
            throw .unexpectedInState
        }
        guard !kept.doubtsR1bis(to: locators.source, common, turn) else { throw .doubtfulR1bis }
        common.counters.messagesIn &+= 1
        var announced = common.announced
        var request = try OutstandingRequest(answering: r1bis, nonce: nonce, over: locators, &common, &turn)
        if case .i2bisSent(let sent) = state {
            request.replaces(sent.request)
            announced = sent.announcedBefore
        } else {
            kept.dropUpdate(&common, &turn)
            turn.emit(.unwatchIdle(tag, ulids))
        }
        let sent = I2bisSent(request: request, kept: kept, announcedBefore: announced)
        change(to: .i2bisSent(sent), .r1bisReceived, &turn)
        request.begin(&common, &turn)
    }

    /// Something that came in on `locators` shows that the peer has the context.
    func remind(_ locators: LocatorPair?, _ turn: inout Turn) { state.remind(locators, &common, &turn) }

    /// The I1 with this nonce was answered with R2.
    func answered(i1 nonce: UInt32, _ turn: inout Turn) {
        if case .i1Sent(var sent) = state {
            sent.repeatSoon(&common, &turn)
            state = .i1Sent(sent)
        }
        if answering.repeats(nonce) { doubtAnswer(&turn) }
    }

    /// The peer repeats what was answered: it may be that nothing arrives from here.
    func doubtAnswer(_ turn: inout Turn) {
        guard common.stamps(turn)?.hasPayload == true else { return }
        state.kept?.handle(.suspected(.answerLost), &common, &turn)
    }

    /// Ends a negotiation well, by an R2 or by an I2 of the peer. `watch` follows.
    func establish(_ peer: Peer, _ reason: StateReason, _ turn: inout Turn) {
        let roundTrip = reason == .r2Received ? state.roundTrip(since: stateSince, at: turn.now) : nil
        common.disarm(&turn)
        let established = Established(
            peer, ulids: ulids, announced: common.announced, roundTrip: roundTrip, &turn)
        change(to: .established(established), reason, &turn)
    }

    /// The peer has the context again. Payload stays where it is. `watch` follows.
    func recover(_ sent: I2bisSent, _ peer: Peer, length: Int, _ turn: inout Turn) {
        received(length)
        common.disarm(&turn)
        // It may answer an I1, which told no list.
        if !sent.request.elsewhere.pairs.isEmpty { common.announced = sent.announcedBefore }
        let keepaliveTimeout = sent.kept.reachability.peer.keepaliveTimeout
        sent.kept.replace(peer)
        change(to: .established(sent.kept), .r2Received, &turn)
        guard peer.keepaliveTimeout != keepaliveTimeout else { return }
        sent.kept.handle(.configured(turn.host.reapConfiguration(for: peer)), &common, &turn)
    }

    /// An I2 of the peer that crossed ours tells of it before its R2.
    func cross(_ sent: I2Sent, _ peer: Peer) {
        var sent = sent
        sent.peer = peer
        state = .i2Sent(sent)
    }

    /// Sends R2, always in answer to something (section 7.14).
    func sendR2(nonce: UInt32, over locators: LocatorPair, _ turn: inout Turn) {
        guard let octets = answering.r2(nonce: nonce, &common, turn) else { return }
        transmit(octets, .r2, over: locators, &turn)
    }

    // MARK: - Messages

    /// Sends a message of the context that is neither Keepalive nor Probe.
    func send(_ message: ControlMessage, over locators: LocatorPair, _ turn: inout Turn) {
        guard let octets = try? message.encoded() else { return }
        transmit(octets, message.type, over: locators, &turn)
    }

    private func transmit(_ octets: [UInt8], _ type: MessageType, over locators: LocatorPair, _ turn: inout Turn) {
        common.transmit(octets, type, over: locators, &turn)
        handle(.otherMessageSent, &turn)
    }

    /// A message has come in: of the peer if it has a `length`, which then gets what is sent to `locator`.
    func received(_ length: Int? = nil, provenAt locator: IPv6Address? = nil) {
        common.counters.messagesIn &+= 1
        if let length { state.kept?.received(length, provenAt: locator) }
    }

    /// A message with the context's tag has come in.
    func receivedTagged(_ length: Int, at now: Instant) {
        common.lastTagged = now
        received(length)
    }

}

// What happens while it is established, or is recovered.
extension Association {
    /// Begins to watch an established context: its traffic, its peer.
    func watch(_ turn: inout Turn) {
        guard let established else { return }
        common.watchIdle(for: turn.host.configuration.idleTimeout, &turn)
        common.publish(.peerLocators(established.reachability.peer.locators), &turn)
        established.handle(.established, &common, &turn)
        // A recovered one that explores is told on which pair it was answered.
        guard established.reachability.machine.state == .operational else { return }
        established.handle(.otherMessageReceived, &common, &turn)
    }

    /// Stops watching a context that is about to end, or to begin anew.
    private func unwatch(_ turn: inout Turn) {
        state.kept?.stop(&common, &turn)
        if established != nil { turn.emit(.unwatchIdle(tag, ulids)) }
    }

    /// Hands an event to the REAP machine, if there is one. It goes on while a lost context is recovered: else an R1bis that
    /// somebody makes up would stop it.
    func handle(_ event: REAPEvent, _ turn: inout Turn) { state.kept?.handle(event, &common, &turn) }

    /// Payload that the data path was asked to report.
    func payload(_ direction: Direction, _ turn: inout Turn) {
        switch state {
        case .i2Sent, .i2bisSent: if direction == .incoming { remind(common.stamps(turn)?.incoming, &turn) }
        case .i1Sent, .established, .eFailed, .noSupport: break
        }
        state.kept?.payload(direction, &common, &turn)
    }

    /// `Timer.resume` has run out: the peer has had time to move its payload.
    func resumePayload(_ turn: inout Turn) {
        guard common.resumeFired(at: turn.now) else { return }
        let before = state.kept?.reachability.lastInBefore
        common.resumeFlows(since: before, &turn)
    }

    /// Nothing came in for the idle timeout: if nothing went out either, asks who needs the context still.
    func askUse(_ turn: inout Turn) { established?.askUse(common, &turn) }

    /// Whether an idle context stays, now that it is known what uses its ULIDs. One that is not idle does.
    func isNeeded(for use: ULIDUse, _ turn: Turn) -> Bool { established?.isNeeded(for: use, common, turn) ?? true }

    /// The REAP machine has to know which locators may be used now.
    func locatorsChanged(_ turn: inout Turn) { state.kept?.locatorsChanged(&common, &turn) }

    /// Locators of this host have come or gone, or what is said of them is now something else.
    func localLocatorsChanged(_ turn: inout Turn) {
        locatorsChanged(&turn)
        announceChanges(&turn)
    }

    /// Tells the peer what it does not know yet of this host's locators.
    func announceChanges(_ turn: inout Turn) { established?.announceChanges(&common, &turn) }

    /// Our Send Timeout is now another.
    func sendTimeoutChanged(_ turn: inout Turn) { established?.sendTimeoutChanged(&common, &turn) }

    /// The messages that established the context took this pair.
    func wasEstablished(over locators: LocatorPair, _ turn: inout Turn) {
        established?.established(over: locators, &common, &turn)
    }

    /// Puts in what the peer of an established or kept context says of itself now, and returns what it said before.
    /// `peerChanged` follows.
    func replace(_ kept: Established, _ peer: Peer) -> Peer {
        defer { kept.replace(peer) }
        return kept.reachability.peer
    }

    /// Tells the data path, the REAP machine, and whoever listens, what differs from `old`.
    func peerChanged(from old: Peer, _ turn: inout Turn) {
        install(&turn)
        state.kept?.peerChanged(from: old, &common, &turn)
    }

    /// The R2 to come tells all that an Update Request on its way would have told: this list.
    func renew(_ list: LocalList, _ turn: inout Turn) {
        established?.dropUpdate(&common, &turn)
        common.announced = list
    }

    /// An Update Request has come in, and was not only a repetition.
    func wasUpdated() { common.counters.updatesReceived &+= 1 }

    /// Update Acknowledgement. False if nothing waits for it.
    func acknowledged(_ nonce: UInt32?, _ turn: inout Turn) -> Bool {
        established?.acknowledged(nonce, &common, &turn) ?? false
    }

    /// The peer has refused the Update Request with this nonce.
    func updateRefused(_ code: ErrorMessage.Code, of nonce: UInt32, _ turn: inout Turn) {
        established?.refused(code, of: nonce, &common, &turn)
    }
}
