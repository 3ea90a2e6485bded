import REAP
import Shim6Wire

// Between contexts and their REAP machines (RFC 5534).
extension Host {
    /// Hands an event to the machine of an established context and does what it asks for.
    func reachability(_ context: Context, _ event: REAPEvent) {
        guard let data = context.established, let slot = context.slot else { return }
        let stamps = activity[slot].snapshot
        let isUsed = stamps.hasPayload
        if isUsed, !data.postponed.isEmpty { resumeDoubts(context, data) }
        if let lastIn = stamps.lastIn { data.reach.received(payloadAt: lastIn) }
        // Without payload nothing is missed, whatever is silent. What a Probe of the peer has begun goes on.
        if !isUsed, data.machine.state == .operational, case .timer(.send) = event {
            activity[slot].tell(send: .stop, keepalive: nil, at: now)
        }
        data.machine.barred = data.reach.barred(data.peer.candidates, configuration, at: now)
        let wanted = data.machine.handle(event, stamps: activity[slot], paths: paths, random: random, at: now)
        if case .probeReceived = event {
            for (pair, evidence) in data.machine.evidence where evidence.confirmed == now {
                data.reach.answers(at: pair.destination)
            }
        }
        var isDue = true
        if !isUsed, context.isOfPeer, case .timer(.probe) = event { isDue = false }
        var hasSwitched = false
        for effect in wanted {
            switch effect {
            case .sendKeepalive(let locators):
                send(.keepalive(Keepalive(receiverTag: data.peer.tag)), over: locators, of: context)
                publish(.keepaliveSent(locators), context)
            case .sendProbe(let wanted, let locators):
                var isAnswer = false
                if case .probeReceived(_, let pair) = event { isAnswer = pair.source == locators.destination }
                guard isDue, let probe = admitted(wanted, to: locators.destination, isAnswer: isAnswer, data) else {
                    tally.probesHeldBack &+= 1
                    continue
                }
                send(.probe(probe), over: locators, of: context)
                let nonce = probe.sent.first?.nonce ?? 0
                publish(.probeSent(locators, nonce: nonce, state: REAPState(probe.state)), context)
            case .arm(let timer, let deadline):
                emit(.arm(.reap(context.tag, timer), at: deadline))
            case .cancel(let timer):
                emit(.cancel(.reap(context.tag, timer)))
            case .use(let new, let old, let reason):
                hasSwitched = true
                moved(context, from: old, to: new, reason)
            case .damped:
                tally.dampings &+= 1
                publish(.damped, context)
            case .switchRefused(let pair, let reason):
                publish(.switchRefused(pair, reason), context)
            case .changed(let old, let new, let reason):
                let stamps = activity[slot].snapshot
                let kind = Notice.Kind.reachability(
                    from: old, to: new, reason: reason, lastIn: stamps.lastIn, lastOut: stamps.lastOut)
                publish(kind, context)  // 5534-9-02
                if old == .operational { data.lastInBefore = stamps.lastIn ?? Instant(nanoseconds: 0) }
                if new == .exploring { context.counters.explorations &+= 1 }
                if new == .operational {
                    data.lastInBefore = nil
                    awaitPayload(context, [.incoming])
                    resumeLater(context)
                }
            case .tookProbe(let locators, let nonce, let state, let reports):
                publish(.probeReceived(locators, nonce: nonce, state: state, reports: reports), context)
            }
        }
        // Only now: the machine's effects keep their order.
        if hasSwitched { repeatUpdateRequest(context) }
    }

    /// A Probe as it may be sent; nil if it may not. Where the peer never answered it is as short as it can be. One that
    /// answers a Probe from there takes nothing of the locator's rate: it is no more than came in.
    private func admitted(
        _ probe: Probe, to locator: IPv6Address, isAnswer: Bool, _ data: Established
    ) -> Probe? {
        guard !data.reach.hasAnswered(at: locator) else { return probe }
        var probe = probe
        probe.sent.removeLast(max(0, probe.sent.count - 1))
        guard let length = try? ControlMessage.probe(probe).encodedLength() else { return nil }
        let isAdmitted =
            isAnswer
            ? data.reach.admitsAnswer(length, configuration, at: now)
            : data.reach.admits(length, to: locator, configuration, at: now)
        return isAdmitted ? probe : nil
    }

    /// Nobody needs to know whether a pair works that no payload ever used.
    func postpone(_ doubt: Established.Doubt, _ context: Context) {
        guard let data = context.established, let slot = context.slot else { return }
        data.postponed.insert(doubt)
        activity[slot].requestNotification(incoming: true, outgoing: true)
    }

    private func resumeDoubts(_ context: Context, _ data: Established) {
        let doubts = data.postponed
        data.postponed = []
        if doubts.contains(.locatorsChanged) { locatorsChanged(context) }
        if doubts.contains(.establishedElsewhere) { reachability(context, .suspected(.establishedElsewhere)) }
    }

    private func moved(_ context: Context, from old: LocatorPair, to new: LocatorPair, _ reason: UseReason) {
        context.counters.switches &+= 1
        context.lastSwitch = now
        context.lastSwitchReason = reason
        tally.switches &+= 1
        install(context)
        publish(.switched(from: old, to: new, reason), context)  // 5534-4.2-04, 5534-9-02
        resumeFlows(of: context)
        awaitPayload(context, [.incoming, .outgoing])
    }

    /// If it was the peer's direction that failed, its answers arrive once it has moved: after our Probe has come there, its
    /// payload here, and both hosts have had a moment for it.
    private func resumeLater(_ context: Context) {
        let longDistance = Duration.milliseconds(100)
        let roundTrip = context.established?.machine.roundTripTime ?? longDistance
        let deadline = now + roundTrip * 2 + .milliseconds(4)
        context.resumesAt = deadline
        emit(.arm(.resume(context.tag), at: deadline))
    }

    func resumePayload(_ context: Context) {
        guard let deadline = context.resumesAt, deadline <= now else { return }
        context.resumesAt = nil
        resumeFlows(of: context)
    }

    /// What comes in while an exploration is under way answers nothing: what the peer had kept itself may come first.
    private func resumeFlows(of context: Context) {
        let lastIn = context.established?.lastInBefore ?? context.slot.flatMap { activity[$0].snapshot.lastIn }
        emit(.resume(context.tag, unansweredSince: lastIn))
    }

    /// Asks for a report of the first payload in these directions.
    private func awaitPayload(_ context: Context, _ directions: Set<Direction>) {
        guard let slot = context.slot else { return }
        context.established?.awaitedPayload.formUnion(directions)
        activity[slot].requestNotification(
            incoming: directions.contains(.incoming), outgoing: directions.contains(.outgoing))
    }

    /// Payload that the data path was asked to report.
    func activity(of tag: ContextTag, _ direction: Direction) {
        guard let context = table[tag] else { return }
        switch context.state {
        case .i2Sent, .i2bisSent:
            if direction == .incoming { answerWithRequest(context) }
        case .established(let data):
            if data.awaitedPayload.contains(direction) {
                context.established?.awaitedPayload.remove(direction)
                let incoming = context.slot.flatMap { activity[$0].snapshot.incoming } ?? data.machine.current.reversed
                let pair = direction == .outgoing ? data.machine.current : incoming
                publish(.firstPayload(direction, pair: pair), context)
            }
            reachability(context, direction == .incoming ? .payloadReceived : .payloadSent)
        case .i1Sent, .eFailed, .noSupport:
            break
        }
    }

    /// Keepalive or Probe: they mean something only in ESTABLISHED (RFC 5534, section 5).
    func receiveReachability(_ view: MessageView, _ locators: LocatorPair) throws(DropReason) {
        let context = try tagged(view, locators)
        switch context.state {
        case .i1Sent, .eFailed, .noSupport:
            throw .unexpectedInState
        case .i2Sent, .i2bisSent:
            answerWithRequest(context)
            throw .unexpectedInState
        case .established:
            if case .probe(let probe) = try message(view) {
                reachability(context, .probeReceived(probe, locators))
            } else {
                reachability(context, .keepaliveReceived)
            }
        }
    }

    /// Tells the machine which locators may be used now.
    func locatorsChanged(_ context: Context) {
        guard let peer = context.peer else { return }
        let (local, destinations) = (available(context.announced), destinations(of: peer))
        if let data = context.established, data.machine.state == .operational, !hasCarriedPayload(context) {
            let current = data.machine.current
            guard local.contains(current.source), destinations.contains(current.destination) else {
                return postpone(.locatorsChanged, context)
            }
        }
        reachability(context, .locatorsChanged(local: local, peer: destinations))
    }

    /// What the host still has of the locators that a peer knows, best first. Others are no sources until the peer has
    /// acknowledged them (RFC 5533, section 7.2).
    func available(_ list: LocalList) -> [IPv6Address] {
        lists.locators.filter { list.contains($0.address) }.working.map(\.address)
    }

    /// The timers of a context: ours, and what the peer announced.
    func reapConfiguration(for peer: Peer?) -> REAPConfiguration {
        var reap = configuration.reap
        reap.peerSendTimeout = peer?.keepaliveTimeout.map { .seconds(Int($0)) }
        guard let timing = peer?.timing, isFinelyTimed else { return reap }
        reap.isFinelyAgreed = true
        reap.peerSendTimeout = .milliseconds(Int64(timing.sendTimeoutMilliseconds))
        return reap
    }

    /// Our Send Timeout for the Keepalive Timeout option, which is needed when it is not 15 seconds (RFC 5534,
    /// section 5.3: 5534-5.3-02).
    var announcedKeepaliveTimeout: UInt16? {
        configuration.reap.sendTimeout == REAPConfiguration.defaultSendTimeout ? nil : wholeSendTimeout
    }

    /// Our Send Timeout in whole seconds, rounded down: the peer's Keepalives have to come in time. One second stands for
    /// less: without the finer option no less holds.
    var wholeSendTimeout: UInt16 {
        UInt16(clamping: max(configuration.reap.sendTimeout.components.seconds, 1))
    }

    /// Whether seconds do not say all about our timers.
    private var isFinelyTimed: Bool {
        configuration.reap.quick != nil || configuration.reap.sendTimeout.components.attoseconds != 0
    }

    /// Our Send Timeout to the millisecond, for a peer that may understand it; nil if whole seconds say it.
    var announcedTiming: ReachabilityTiming? {
        guard isFinelyTimed else { return nil }
        let milliseconds = configuration.reap.sendTimeout.wholeNanoseconds / 1_000_000
        return ReachabilityTiming(sendTimeoutMilliseconds: max(1, UInt32(clamping: milliseconds)))
    }

    /// Something outside Shim6 says that a pair of locators may have failed.
    func hint(_ hint: REAPHint, _ tag: ContextTag) {
        guard let context = table[tag], context.established != nil else { return }
        reachability(context, .hint(hint))
    }
}
