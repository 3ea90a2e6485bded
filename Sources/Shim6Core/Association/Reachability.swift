import REAP
import Shim6Wire

/// The peer of an established context, and the REAP machine that finds out where it can be reached (RFC 5534).
struct Reachability {
    private(set) var peer: Peer
    private(set) var machine: REAPMachine
    /// Own locators that an Update Request under way tells of. The peer refuses what comes from there with R1bis if it has
    /// not got the request, and the I2bis makes them known: when the locators that it knows bring nothing that is the only
    /// way left, so they are sources then all the same (5533-7.2-05).
    var untold: [IPv6Address] {
        get { machine.untold }
        set { machine.untold = newValue }
    }
    /// Directions whose first payload after a switch is still to be reported.
    private var awaitedPayload: Set<Direction> = []
    /// When the last packet came in before the exploration that is under way.
    @Rare private(set) var lastInBefore: Instant? = nil
    private var reach = Reach()
    /// What there is to explore for, once there is payload.
    private var postponed: Set<Doubt> = []

    /// Why the pair in use may not work.
    private enum Doubt {
        /// Locators have come or gone, and the pair with them.
        case locatorsChanged
        /// The context's messages took another pair.
        case establishedElsewhere
    }

    /// Payload uses the ULID pair at first (RFC 5533, section 1.3). `roundTrip` is how long the peer took to answer, if
    /// that is known.
    init(_ peer: Peer, ulids: ULIDPair, announced: LocalList, roundTrip: Duration?, _ turn: inout Turn) {
        let host = turn.host
        var configuration = host.reapConfiguration(for: peer)
        configuration.roundTrip = roundTrip
        machine = REAPMachine(
            current: ulids.locators, peerTag: peer.tag, local: host.available(announced),
            peer: host.destinations(of: peer), configuration: configuration, paths: host.paths, random: &turn.random)
        self.peer = peer
    }

    /// Puts in what the peer says of itself now.
    mutating func replace(_ peer: Peer) {
        self.peer = peer
        machine.peerTag = peer.tag
        reach.keep(where: peer.hasLocator)
    }

    // MARK: Events

    /// Hands an event to the machine and does what it asks for. Returns whether payload has moved to another pair.
    mutating func handle(_ event: REAPEvent, _ common: inout Common, _ turn: inout Turn) -> Bool {
        guard let slot = common.slot else { return false }
        let stamps = turn.host.activity[slot]
        let seen = stamps.snapshot
        let isUsed = seen.hasPayload
        var hasMoved = false
        if isUsed, !postponed.isEmpty { hasMoved = resumeDoubts(&common, &turn) }
        if let lastIn = seen.lastIn { reach.received(payloadAt: lastIn) }
        // Without payload nothing is missed, whatever is silent. What a Probe of the peer has begun goes on.
        if !isUsed, machine.state == .operational, case .timer(.send) = event {
            stamps.tell(send: .stop, keepalive: nil, at: turn.now)
        }
        machine.barred = reach.barred(peer.candidates, turn.host.configuration, at: turn.now)
        let wanted = machine.handle(
            event, stamps: stamps, paths: turn.host.paths, random: turn.random, at: turn.now)
        if case .probeReceived = event {
            for (pair, evidence) in machine.evidence where evidence.confirmed == turn.now {
                reach.answers(at: pair.destination)
            }
        }
        for effect in wanted {
            if perform(effect, of: event, isUsed: isUsed, stamps, &common, &turn) { hasMoved = true }
        }
        return hasMoved
    }

    /// Returns whether payload has moved.
    private mutating func perform(
        _ effect: REAPEffect, of event: REAPEvent, isUsed: Bool, _ stamps: any ActivityStamps, _ common: inout Common,
        _ turn: inout Turn
    ) -> Bool {
        switch effect {
        case .sendKeepalive(let locators):
            common.send(.keepalive(Keepalive(receiverTag: peer.tag)), over: locators, &turn)
            common.publish(.keepaliveSent(locators), &turn)
        case .sendProbe(let wanted, let locators):
            var isDue = true
            if !isUsed, common.isOfPeer, case .timer(.probe) = event { isDue = false }
            var isAnswer = false
            if case .probeReceived(_, let pair) = event { isAnswer = pair.source == locators.destination }
            guard isDue, let probe = admitted(wanted, to: locators.destination, isAnswer: isAnswer, turn) else {
                turn.host.tally.probesHeldBack &+= 1
                break
            }
            common.send(.probe(probe), over: locators, &turn)
            let nonce = probe.sent.first?.nonce ?? 0
            common.publish(.probeSent(locators, nonce: nonce, state: REAPState(probe.state)), &turn)
        case .arm(let timer, let deadline): turn.emit(.arm(.reap(common.tag, timer), at: deadline))
        case .cancel(let timer): turn.emit(.cancel(.reap(common.tag, timer)))
        case .use(let new, let old, let reason):
            moved(from: old, to: new, reason, &common, &turn)
            return true
        case .damped:
            turn.host.tally.dampings &+= 1
            common.publish(.damped, &turn)
        case .switchRefused(let pair, let reason): common.publish(.switchRefused(pair, reason), &turn)
        case .changed(let old, let new, let reason): changed(from: old, to: new, reason, stamps, &common, &turn)
        case .tookProbe(let locators, let nonce, let state, let reports):
            common.publish(.probeReceived(locators, nonce: nonce, state: state, reports: reports), &turn)
        }
        return false
    }

    private mutating func moved(
        from old: LocatorPair, to new: LocatorPair, _ reason: UseReason, _ common: inout Common, _ turn: inout Turn
    ) {
        turn.host.tally.switches &+= 1
        common.move(to: new, reason, &turn)
        common.publish(.switched(from: old, to: new, reason), &turn)  // 5534-4.2-04, 5534-9-02
        common.resumeFlows(since: lastInBefore, &turn)
        awaitPayload([.incoming, .outgoing], common, turn)
    }

    private mutating func changed(
        from old: REAPState, to new: REAPState, _ reason: REAPReason, _ stamps: any ActivityStamps,
        _ common: inout Common, _ turn: inout Turn
    ) {
        let seen = stamps.snapshot
        common.publish(
            .reachability(from: old, to: new, reason: reason, lastIn: seen.lastIn, lastOut: seen.lastOut),
            &turn)  // 5534-9-02
        if old == .operational { lastInBefore = seen.lastIn ?? Instant(nanoseconds: 0) }
        if new == .exploring { common.counters.explorations &+= 1 }
        if new == .operational {
            lastInBefore = nil
            awaitPayload([.incoming], common, turn)
            // If it was the peer's direction that failed, its answers arrive once it has moved: after our Probe has
            // come there, its payload here, and both hosts have had a moment for it.
            let roundTrip = machine.roundTripTime ?? Self.longDistance
            common.resume(after: roundTrip * 2 + .milliseconds(4), &turn)
        }
    }

    private static let longDistance = Duration.milliseconds(100)

    /// Ends all timers: the context ends, or is to be recovered.
    mutating func stop(_ common: Common, _ turn: inout Turn) {
        for case .cancel(let timer) in machine.stop() { turn.emit(.cancel(.reap(common.tag, timer))) }
    }

    // MARK: Payload

    /// Payload that the data path was asked to report. Returns whether payload has moved to another pair.
    mutating func payload(_ direction: Direction, _ common: inout Common, _ turn: inout Turn) -> Bool {
        if awaitedPayload.remove(direction) != nil {
            let incoming = common.stamps(turn)?.incoming ?? machine.current.reversed
            let pair = direction == .outgoing ? machine.current : incoming
            common.publish(.firstPayload(direction, pair: pair), &turn)
        }
        return handle(direction == .incoming ? .payloadReceived : .payloadSent, &common, &turn)
    }

    /// Asks for a report of the first payload in these directions.
    private mutating func awaitPayload(_ directions: Set<Direction>, _ common: Common, _ turn: Turn) {
        guard let slot = common.slot else { return }
        awaitedPayload.formUnion(directions)
        turn.host.activity[slot].requestNotification(
            incoming: directions.contains(.incoming), outgoing: directions.contains(.outgoing))
    }

    // MARK: Locators

    /// Tells the machine which locators may be used now. Returns whether payload has moved to another pair.
    mutating func locatorsChanged(_ common: inout Common, _ turn: inout Turn) -> Bool {
        let (local, destinations) = (turn.host.available(common.announced), turn.host.destinations(of: peer))
        let isUsed = common.stamps(turn)?.hasPayload ?? false
        if machine.state == .operational, !isUsed {
            guard local.contains(machine.current.source), destinations.contains(machine.current.destination) else {
                postpone(.locatorsChanged, common, turn)
                return false
            }
        }
        return handle(.locatorsChanged(local: local, peer: destinations), &common, &turn)
    }

    /// A new context uses the ULID pair. If its messages took another one, that had a reason: both are tried at once,
    /// or where it was the peer's wish as soon as there is payload.
    mutating func established(over locators: LocatorPair, _ common: inout Common, _ turn: inout Turn) -> Bool {
        guard locators != common.ulids.locators else { return false }
        // It comes first then.
        turn.host.paths.worked(locators, at: turn.now)
        guard !common.isOfPeer else {
            postpone(.establishedElsewhere, common, turn)
            return false
        }
        return handle(.suspected(.establishedElsewhere), &common, &turn)
    }

    /// Nobody needs to know whether a pair works that no payload ever used.
    private mutating func postpone(_ doubt: Doubt, _ common: Common, _ turn: Turn) {
        guard let slot = common.slot else { return }
        postponed.insert(doubt)
        turn.host.activity[slot].requestNotification(incoming: true, outgoing: true)
    }

    private mutating func resumeDoubts(_ common: inout Common, _ turn: inout Turn) -> Bool {
        let doubts = postponed
        postponed = []
        var hasMoved = false
        if doubts.contains(.locatorsChanged) { hasMoved = locatorsChanged(&common, &turn) }
        if doubts.contains(.establishedElsewhere), handle(.suspected(.establishedElsewhere), &common, &turn) {
            hasMoved = true
        }
        return hasMoved
    }

    // MARK: What the peer may be sent

    /// A message of `length` octets has come in, which may show that the peer gets what is sent to `locator`.
    mutating func received(_ length: Int, provenAt locator: IPv6Address?) {
        if let locator { reach.answers(at: locator) }
        reach.received(length)
    }

    /// Whether a message of `length` octets may go to a locator; it is counted if nothing was ever answered there.
    mutating func admits(_ length: Int, to locator: IPv6Address, _ turn: Turn) -> Bool {
        reach.admits(length, to: locator, turn.host.configuration, at: turn.now)
    }

    /// A Probe as it may be sent; nil if it may not. Where the peer never answered it is as short as it can be. One
    /// that answers a Probe from there takes nothing of the locator's rate: it is no more than came in.
    private mutating func admitted(
        _ probe: Probe, to locator: IPv6Address, isAnswer: Bool, _ turn: Turn
    ) -> Probe? {
        guard !reach.hasAnswered(at: locator) else { return probe }
        var probe = probe
        probe.sent.removeLast(max(0, probe.sent.count - 1))
        guard let length = try? ControlMessage.probe(probe).encodedLength() else { return nil }
        let isAdmitted =
            isAnswer
            ? reach.admitsAnswer(length, turn.host.configuration, at: turn.now)
            : admits(length, to: locator, turn)
        return isAdmitted ? probe : nil
    }
}
