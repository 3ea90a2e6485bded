import REAP
import Shim6Wire

/// An Update Request on its way (RFC 5533, section 10).
struct PendingUpdate {
    let requestNonce: UInt32
    private(set) var list: LocalList
    /// Whether it has everything in it, since the peer has refused a part.
    let isWhole: Bool
    /// Whether it tells our Send Timeout as well.
    let announcesTiming: Bool
    var retransmissions = 0
    /// Nil while there was no locator to send from.
    private(set) var sentAt: Instant?

    init(requestNonce: UInt32, list: LocalList, isWhole: Bool, announcesTiming: Bool) {
        self.requestNonce = requestNonce
        self.list = list
        self.isWhole = isWhole
        self.announcesTiming = announcesTiming
    }

    /// The wait for an acknowledgement.
    func wait(_ turn: inout Turn) -> Duration {
        let configuration = turn.host.configuration
        return Backoff(initial: configuration.updateTimeout, maximum: configuration.maxUpdateTimeout)
            .wait(before: retransmissions + 1, random: &turn.random)
    }

    /// The message to a peer that knows a list. Preferences for which there is no room follow when the list is
    /// acknowledged (section 5.1): `isShortened` then.
    func request(
        to tag: ContextTag, knowing known: LocalList, _ host: Surroundings
    ) -> (message: ControlMessage, isShortened: Bool) {
        var request = UpdateRequest(
            receiverTag: tag, requestNonce: requestNonce, options: news(knowing: known, host))
        guard request.options.locatorPreferences != nil, (try? ControlMessage.updateRequest(request).encoded()) == nil
        else { return (.updateRequest(request), false) }
        request.options.locatorPreferences = nil
        return (.updateRequest(request), true)
    }

    /// What the peer does not know yet, or may not know: not the parameters that came with I2 or R2, and of a list that
    /// it has just the preferences.
    private func news(knowing known: LocalList, _ host: Surroundings) -> LocatorOptions {
        // 5534-5.3-04
        var options = host.completed(list.options(keepaliveTimeout: announcesTiming ? host.wholeSendTimeout : nil))
        guard !isWhole, let known = known.announcement else { return options }
        options.cgaParameters = nil
        if known.generation == list.announcement?.generation {
            options.locatorList = nil
            options.cgaSignature = nil
            options.locatorPreferences = list.preferences
        }
        return options
    }

    /// Locators for the message, best first: those of payload at first, then all others in turn, since either side may
    /// have lost the former. The ULID is a source even while it is withdrawn: the peer takes it as one.
    ///
    /// - Parameter isLost: whether those that the peer knows have brought nothing.
    func paths(
        _ common: Common, current: LocatorPair, isLost: Bool, to peer: [IPv6Address], _ host: Surroundings
    ) -> [LocatorPair] {
        var sources = host.available(common.announced)
        if host.lists.contains(common.ulids.local) { sources.append(common.ulids.local) }
        // The peer refuses a request from an address that it does not know, but by R1bis, and the I2bis makes it known.
        if sources.isEmpty || isLost { sources = host.lists.locators.map(\.address) }
        var pairs = explorationOrder(local: sources, peer: peer, failed: current)
        if sources.contains(current.source) {
            pairs.removeAll { $0 == current }
            pairs.insert(current, at: 0)
        }
        return pairs.indices.map { pairs[(retransmissions + $0) % pairs.count] }
    }

    /// Notes that the message goes out, whether without preferences.
    mutating func sent(isShortened: Bool, at now: Instant) {
        if isShortened { list = list.withoutPreferences }
        sentAt = now
    }

    /// Whether an Update Acknowledgement or an Error with this nonce is about it.
    func isAnswered(by nonce: UInt32?) -> Bool { sentAt != nil && requestNonce == nonce }
}
