import REAP
import Shim6Wire

/// An established context: its reachability, and the Update Request that tells the peer about changed locators (RFC
/// 5533, section 10). It belongs to one context, and is no value because it is too much to be copied at every event.
final class Established {
    private(set) var reachability: Reachability
    let since: Instant
    /// The Update Request that is not acknowledged yet.
    @Rare private(set) var update: PendingUpdate? = nil
    /// What the context was kept for when it was idle for the first or the next time.
    private var heldFor: ULIDUse?
    /// When an R1bis was doubted, for the first and the last time in a row.
    private var doubt: (first: Instant, last: Instant)?

    /// Payload uses the ULID pair at first (RFC 5533, section 1.3). `roundTrip` is how long the peer took to answer, if
    /// that is known.
    init(_ peer: Peer, ulids: ULIDPair, announced: LocalList, roundTrip: Duration?, _ turn: inout Turn) {
        reachability = Reachability(peer, ulids: ulids, announced: announced, roundTrip: roundTrip, &turn)
        since = turn.now
    }

    // MARK: Reachability

    /// Hands an event to the REAP machine and does what it asks for.
    func handle(_ event: REAPEvent, _ common: inout Common, _ turn: inout Turn) {
        if reachability.handle(event, &common, &turn) { moved(&common, &turn) }
    }

    /// Payload that the data path was asked to report.
    func payload(_ direction: Direction, _ common: inout Common, _ turn: inout Turn) {
        if reachability.payload(direction, &common, &turn) { moved(&common, &turn) }
    }

    /// Locators of this host or the peer have come or gone.
    func locatorsChanged(_ common: inout Common, _ turn: inout Turn) {
        if reachability.locatorsChanged(&common, &turn) { moved(&common, &turn) }
    }

    /// The messages that established the context took this pair.
    func established(over locators: LocatorPair, _ common: inout Common, _ turn: inout Turn) {
        if reachability.established(over: locators, &common, &turn) { moved(&common, &turn) }
    }

    /// A message of `length` octets has come in, which may show that the peer gets what is sent to `locator`.
    func received(_ length: Int, provenAt locator: IPv6Address?) {
        reachability.received(length, provenAt: locator)
    }

    /// Ends all timers.
    func stop(_ common: inout Common, _ turn: inout Turn) { reachability.stop(common, &turn) }

    // MARK: Peer

    /// Puts in what the peer says of itself now.
    func replace(_ peer: Peer) { reachability.replace(peer) }

    /// Tells the REAP machine, and whoever listens, what differs from `old`.
    func peerChanged(from old: Peer, _ common: inout Common, _ turn: inout Turn) {
        let peer = reachability.peer
        if peer.keepaliveTimeout != old.keepaliveTimeout || peer.timing != old.timing {
            handle(.configured(turn.host.reapConfiguration(for: peer)), &common, &turn)
        }
        if peer.locators != old.locators {
            common.publish(.peerLocators(peer.locators), &turn)
            locatorsChanged(&common, &turn)
        }
    }

    /// What the data path has to know.
    func destination(_ host: Surroundings) -> Common.Destination {
        let peer = reachability.peer
        return Common.Destination(
            peerTag: peer.tag, peerLocators: peer.candidates, form: host.form(towards: peer),
            pair: reachability.machine.current)
    }

    // MARK: Idleness

    /// Nothing came in for the idle timeout: if nothing went out either, asks who needs the context still (RFC 5533,
    /// section 9). It is watched on in any case: the answer may be lost, and payload still needs the idle policy.
    func askUse(_ common: Common, _ turn: inout Turn) {
        guard let last = lastUse(common, turn) else { return }
        let timeout = turn.host.configuration.idleTimeout
        let left = last + timeout - turn.now
        common.watchIdle(for: left > .zero ? left : timeout, &turn)
        if left <= .zero { turn.emit(.askUse(common.tag, common.ulids)) }  // 5533-9-02, 5533-9-03
    }

    /// Whether the context stays. While payload uses the ULIDs it can be made anew; where they are dead it cannot, so
    /// a rehomed one stays for whatever may still send.
    func isNeeded(for use: ULIDUse, _ common: Common, _ turn: Turn) -> Bool {
        guard idleSince(common, turn) != nil else { return true }
        let isNeeded =
            switch use {
            case .session: true
            case .localAddress, .unknown: isRehomed(common, turn)
            case .none: false
            }
        heldFor = isNeeded ? use : nil
        return isNeeded
    }

    /// What an idle context is kept for, and since when it was not used; nil if it is not idle or nobody has said yet
    /// what it is for.
    func hold(_ common: Common, _ turn: Turn) -> (use: ULIDUse, since: Instant)? {
        guard let heldFor, let since = idleSince(common, turn) else { return nil }
        return (heldFor, since)
    }

    private func isRehomed(_ common: Common, _ turn: Turn) -> Bool {
        if common.entry?.isRehomed == true { return true }
        guard let incoming = common.stamps(turn)?.incoming else { return false }
        return incoming != common.ulids.locators.reversed
    }

    private func lastUse(_ common: Common, _ turn: Turn) -> Instant? {
        common.stamps(turn).map { max(since, $0.lastIn ?? since, $0.lastOut ?? since) }
    }

    /// When the context was last used, if that is longer ago than the idle timeout.
    private func idleSince(_ common: Common, _ turn: Turn) -> Instant? {
        lastUse(common, turn).flatMap { $0 + turn.host.configuration.idleTimeout <= turn.now ? $0 : nil }
    }

    /// Whether an R1bis to the own locator `locator` is doubted, since packets with this context's tag have come in within
    /// Send Timeout: then the peer has the context, or has just lost it and will say so again. One that is repeated for
    /// Send Timeout is believed. This deviates from RFC 5533, section 7.18, which believes everybody who has seen the tag.
    /// Plain payload between the ULIDs proves nothing, for it goes on when the context is lost. And where the peer may not
    /// know the locator, that may be all that it says.
    func doubtsR1bis(to locator: IPv6Address, _ common: Common, _ turn: Turn) -> Bool {
        guard locator == common.ulids.local || common.announced.contains(locator) else { return false }
        let stamps = common.stamps(turn)
        var latest = common.lastTagged
        if let pair = stamps?.incoming, common.key.forkedInstance != 0 || pair != common.ulids.locators.reversed {
            latest = [latest, stamps?.lastIn].compactMap { $0 }.max()
        }
        let timeout = reachability.machine.configuration.effectiveSendTimeout(spacing: stamps?.spacingIn)
        guard let latest, turn.now - latest < timeout else { return false }
        // Somebody who goes on making up messages with the tag must not keep a lost context lost.
        let doubt = doubt.flatMap { turn.now - $0.last < timeout ? $0 : nil }
        let first = doubt?.first ?? turn.now
        let doubts = turn.now - first < timeout
        self.doubt = doubts ? (first, turn.now) : nil
        return doubts
    }

    // MARK: Updates

    /// Locators of this host have come or gone, or what is said of them is now something else.
    func localLocatorsChanged(_ common: inout Common, _ turn: inout Turn) {
        locatorsChanged(&common, &turn)
        announceChanges(&common, &turn)
    }

    /// Starts an Update Request if the peer's idea of Ls(local) is out of date. One that is on its way already gives
    /// way to the newer one (section 10.3).
    func announceChanges(_ common: inout Common, _ turn: inout Turn) {
        let list = turn.list(for: common.ulids.local)
        guard list != update?.list ?? common.announced else { return }
        // Without a locator there is nothing to tell and nowhere to tell it from.
        guard list.announcement != nil else { return dropUpdate(&common, &turn) }
        announce(list, whole: false, &common, &turn)
    }

    /// Our Send Timeout is now another: the peer is told, since its Keepalives have to come in time.
    func sendTimeoutChanged(_ common: inout Common, _ turn: inout Turn) {
        handle(.configured(turn.host.reapConfiguration(for: reachability.peer)), &common, &turn)
        let list = turn.list(for: common.ulids.local)
        guard list.announcement != nil else { return }
        announce(list, whole: false, timing: true, &common, &turn)
    }

    /// Begins to tell a list to the peer. `whole`: with everything in it, whatever the peer may know.
    ///
    /// - Parameter timing: whether our Send Timeout is news to it too.
    private func announce(
        _ list: LocalList, whole: Bool, timing: Bool = false, _ common: inout Common, _ turn: inout Turn
    ) {
        common.disarm(&turn)
        let timing = timing || update?.announcesTiming == true
        update = PendingUpdate(
            requestNonce: turn.random.next(), list: list, isWhole: whole, announcesTiming: timing)
        reachability.untold = turn.host.available(list).filter { !common.announced.contains($0) }
        sendUpdateRequest(&common, &turn)
        // An exploration may go on from the new ones.
        locatorsChanged(&common, &turn)
    }

    /// Ends an Update Request that is on its way, if there is one.
    func dropUpdate(_ common: inout Common, _ turn: inout Turn) {
        common.disarm(&turn)
        update = nil
        reachability.untold = []
    }

    /// Sends the pending Update Request and waits for the acknowledgement. Where the peer has not answered before, such
    /// messages may go only now and then.
    private func sendUpdateRequest(_ common: inout Common, _ turn: inout Turn) {
        guard let update else { return }
        let host = turn.host
        common.arm(after: update.wait(&turn), &turn)
        let (message, isShortened) = update.request(
            to: reachability.peer.tag, knowing: common.announced, host)
        let paths = update.paths(
            common, current: reachability.machine.current, isLost: reachability.machine.state != .operational,
            to: host.destinations(of: reachability.peer), host)
        guard let length = try? message.encodedLength(),
            let path = paths.first(where: { reachability.admits(length, to: $0.destination, turn) })
        else { return }
        let isFirst = update.sentAt == nil
        self.update?.sent(isShortened: isShortened, at: turn.now)
        if isFirst, let announcement = update.list.announcement {
            let withdrawn = common.announced.addresses.filter { !update.list.contains($0) }
            common.publish(.locatorsAnnounced(announcement.locators, withdrawn: withdrawn), &turn)
        }
        common.counters.updatesSent &+= 1
        guard let octets = try? message.encoded() else { return }
        common.transmit(octets, .updateRequest, over: path, &turn)
        handle(.otherMessageSent, &common, &turn)
    }

    /// Update Acknowledgement (section 10.5). From now on the new locators may be sources. False if nothing waits for
    /// it.
    func acknowledged(_ nonce: UInt32?, _ common: inout Common, _ turn: inout Turn) -> Bool {
        guard let update, update.isAnswered(by: nonce) else { return false }
        dropUpdate(&common, &turn)
        common.announced = update.list
        common.publish(.locatorsAcknowledged, &turn)
        handle(.otherMessageReceived, &common, &turn)
        localLocatorsChanged(&common, &turn)
        return true
    }

    /// The peer has refused the Update Request with this nonce.
    func refused(_ code: ErrorMessage.Code, of nonce: UInt32, _ common: inout Common, _ turn: inout Turn) {
        guard let update, update.requestNonce == nonce else { return }
        switch code {
        case .unknownMessageType, .unrecognisedCriticalOption:
            // The peer cannot be told anything new.
            dropUpdate(&common, &turn)
        case .verificationMethodFailed, .generationOutOfSync, .wrongNumberOfLocators:
            if !update.isWhole { announce(update.list, whole: true, &common, &turn) }
        default:
            break
        }
    }

    /// The Update Request has not been acknowledged in time. It is repeated for as long as the context lives
    /// (section 10.2).
    func updateTimer(_ common: inout Common, _ turn: inout Turn) {
        update?.retransmissions += 1
        sendUpdateRequest(&common, &turn)
    }

    /// Payload has moved to another pair: an Update Request that may have got lost on the old one follows at once.
    private func moved(_ common: inout Common, _ turn: inout Turn) {
        guard update != nil else { return }
        update?.retransmissions = 0
        sendUpdateRequest(&common, &turn)
    }
}
