import CGA
import REAP
import Shim6Wire

/// The Shim6 part of one host (RFC 5533): takes events in, finds the association that each is about, and lets the
/// exchange that it belongs to go on.
///
/// It does nothing by itself: the owner reports events and carries out the effects, in their order. Time and randomness
/// come from outside. One owner; not thread-safe. The randomness protects the protocol: in production it has to be a
/// cryptographic generator.
public final class Endpoint {
    private let host: Surroundings
    private let random: RandomSource
    private let registry: Registry
    private let verification: PeerVerification
    private let initiator: Initiator
    private let updates: Updates
    private let forks: Forks
    private var responder: Responder
    private var errors: Errors
    /// Of the event that was handled last.
    private var latest = Instant(nanoseconds: 0)

    /// An endpoint without locators and contexts. `activity` needs `configuration.maximumContexts` slots.
    public init(
        configuration: HostConfiguration = HostConfiguration(), identity: any LocalIdentity,
        verifier: any LocatorVerifier, activity: any ActivityTable, random: some RandomNumberGenerator
    ) {
        self.random = RandomSource(random)
        host = Surroundings(configuration, identity: identity, activity: activity)
        registry = Registry(configuration)
        verification = PeerVerification(configuration, verifier)
        initiator = Initiator(registry: registry, verification: verification)
        updates = Updates(registry: registry, verification: verification)
        forks = Forks(registry: registry)
        responder = Responder(configuration, registry, verification)
        errors = Errors(configuration, registry)
    }

    // MARK: - Events

    /// Takes in one event and returns what is to be done about it. Nothing that a peer sends can make it trap.
    /// `now` may stand still but should not go back.
    public func handle(_ event: Event, at now: Instant) -> [Effect] {
        latest = now
        var turn = Turn(at: now, host, random)
        switch event {
        case .packet(let octets, let source, let destination):
            receive(octets, LocatorPair(source: source, destination: destination), &turn)
        case .parameterProblem(let quoted, let source, let destination):
            initiator.parameterProblem(quoted, LocatorPair(source: source, destination: destination), &turn)
        case .timer(.context(let tag)): registry.table[tag].map { initiator.timer($0, &turn) }
        case .timer(.reap(let tag, let timer)): registry.table[tag]?.handle(.timer(timer), &turn)
        case .timer(.resume(let tag)): registry.table[tag]?.resumePayload(&turn)
        case .trigger(let ulids): initiator.trigger(ulids, &turn)
        case .activity(let tag, let direction): registry.table[tag]?.payload(direction, &turn)
        case .unknownTag(let tag, let source, let destination):
            unknownTag(tag, LocatorPair(source: source, destination: destination), &turn)
        case .idle(let tag): registry.table[tag]?.askUse(&turn)
        case .use(let tag, let use):
            if let association = registry.table[tag], !association.isNeeded(for: use, turn) {
                registry.remove(association, .idle, &turn)
            }
        case .localLocators(let locators):
            guard host.lists.replace(locators) else { break }
            registry.table.all.forEach { $0.localLocatorsChanged(&turn) }
        case .hint(let tag, let hint): registry.table[tag]?.handle(.hint(hint), &turn)
        case .switchTo(let tag, let pair): registry.table[tag]?.handle(.switchTo(pair), &turn)
        case .ranking(let pairs): host.paths.ranking = Dictionary(zip(pairs, 0...), uniquingKeysWith: min)
        case .sendTimeout(let timeout):
            host.configuration.reap.sendTimeout = timeout
            registry.table.all.forEach { $0.sendTimeoutChanged(&turn) }
        case .establish(let ulids): initiator.establish(ulids, .askedFor, &turn)
        case .fork(let tag, let flows): forks.fork(tag, flows, &turn)
        case .remove(let tag): registry.table[tag].map { registry.remove($0, .removed, &turn) }
        case .shutdown: registry.table.all.forEach { registry.remove($0, .shutdown, &turn) }
        }
        return turn.effects
    }

    /// Payload with a tag that the data path does not know (RFC 5533, section 12.2).
    private func unknownTag(_ tag: ContextTag, _ locators: LocatorPair, _ turn: inout Turn) {
        // The context may have been made since the packet came.
        if let association = registry.table[tag], association.common.slot != nil { return }
        turn.count(.unknownPayloadTag)
        guard !host.lists.contains(locators.source) else { return turn.count(.ownAddress) }
        guard (try? MessageView.checkAddresses(source: locators.source, destination: locators.destination)) != nil
        else { return }
        // 5533-12.2-02
        answer(tag, over: locators.reversed, &turn)
    }

    // MARK: - Messages

    /// The checks of RFC 5533 section 12.3.
    private func receive(_ octets: [UInt8], _ locators: LocatorPair, _ turn: inout Turn) {
        let view: MessageView
        do {
            try MessageView.checkAddresses(source: locators.source, destination: locators.destination)
            view = try MessageView(octets)
        } catch {
            turn.count(.parse(error.reason))
            if let problem = Problem(error) { errors.send(problem, about: octets, locators, &turn) }
            return
        }
        do throws(Refusal) {
            try dispatch(view, locators, &turn)
        } catch {
            turn.count(error.reason)
            answer(error, to: view, locators, &turn)
        }
    }

    /// The dispatch of RFC 5533 section 12.4.
    private func dispatch(_ view: MessageView, _ locators: LocatorPair, _ turn: inout Turn) throws(Refusal) {
        // Whatever says so is reflected or forged, and an answer would come back here.
        guard !host.lists.contains(locators.source) else { throw Refusal(.ownAddress) }
        host.messagesIn.add(view.type)
        switch view.type {
        case .i1: try responder.receiveI1(view, locators, &turn)
        case .r1: try initiator.receiveR1(view, locators, &turn)
        case .i2: try responder.receiveI2(view, locators, &turn)
        case .r2: try initiator.receiveR2(view, locators, &turn)
        case .updateRequest: try updates.receiveRequest(view, locators, &turn)
        case .updateAcknowledgement: try updates.receiveAcknowledgement(view, locators, &turn)
        case .keepalive, .probe: try receiveReachability(view, locators, &turn)
        case .r1bis: try initiator.receiveR1bis(view, locators, &turn)
        case .i2bis: try responder.receiveI2bis(view, locators, &turn)
        case .error: try errors.receive(view, &turn)
        }
    }

    /// Keepalive or Probe: they mean something only where the peer is known (RFC 5534, section 5).
    private func receiveReachability(
        _ view: MessageView, _ locators: LocatorPair, _ turn: inout Turn
    ) throws(Refusal) {
        let association = try registry.tagged(view, locators, turn)
        association.remind(locators, &turn)
        guard association.state.kept != nil else { throw Refusal(.unexpectedInState) }
        if case .probe(let probe) = try ControlMessage(whole: view) {
            association.handle(.probeReceived(probe, locators), &turn)
        } else {
            association.handle(.keepaliveReceived, &turn)
        }
    }

    /// What the sender of a message that was refused is told. Most of it it has to find out (RFC 5533, section 12.4).
    private func answer(_ refusal: Refusal, to view: MessageView, _ locators: LocatorPair, _ turn: inout Turn) {
        switch refusal.reason {
        case .unknownTag, .locatorsOutsideSets:
            // 5533-10.4-04, 5533-10.5-04
            guard view.type.elicitsR1bis, let tag = view.contextTag else { return }
            answer(tag, over: locators.reversed, &turn)
        default:
            guard let problem = Problem(refusal, of: view) else { return }
            errors.send(problem, about: view.octets, locators, &turn)
        }
    }

    private func answer(_ tag: ContextTag, over locators: LocatorPair, _ turn: inout Turn) {
        do throws(Refusal) {
            try responder.sendR1bis(tag, over: locators, &turn)
        } catch {
            turn.count(error.reason)
        }
    }

    // MARK: - Questions

    public var configuration: HostConfiguration { host.configuration }

    /// What the contexts tell each other of their paths.
    public var paths: SharedPaths { host.paths }

    /// The usable local locators, best first.
    public var localLocators: [LocalLocator] { host.lists.locators }

    /// All contexts, in the order of their tags.
    public var contexts: [ContextSnapshot] { registry.table.all.map { ContextSnapshot($0, host) } }

    /// The tags of all contexts, in no order.
    public var tags: [ContextTag] { registry.table.tags }

    /// How many contexts are in each state.
    public var contextsByState: [ContextState: Int] { registry.table.countByState }

    /// The context with this CT(local) in short.
    public func outline(of tag: ContextTag) -> ContextOutline? {
        registry.table[tag].map { ContextOutline($0, host) }
    }

    /// The context with this CT(local).
    public func snapshot(of tag: ContextTag) -> ContextSnapshot? {
        registry.table[tag].map { ContextSnapshot($0, host) }
    }

    /// The default context of this ULID pair, or a forked one.
    public func snapshot(of ulids: ULIDPair, forkedInstance: UInt32 = 0) -> ContextSnapshot? {
        registry.table[ContextKey(ulids: ulids, forkedInstance: forkedInstance)].map { ContextSnapshot($0, host) }
    }

    /// The pairs that an exploration would try now for the context with this CT(local), in its order, with what Probes
    /// have shown of each; none unless the peer is known.
    public func candidates(of tag: ContextTag) -> [ContextSnapshot.Candidate] {
        guard let machine = registry.table[tag]?.state.kept?.reachability.machine else { return [] }
        return machine.order(host.paths, at: latest).map {
            ContextSnapshot.Candidate(pair: $0, evidence: machine.evidence[$0] ?? PairEvidence())
        }
    }

    public var counters: HostCounters {
        var counters = host.tally
        counters.messagesIn = host.messagesIn.byType
        counters.messagesOut = host.messagesOut.byType
        let table = registry.table
        counters.contexts = HostCounters.TableUse(
            used: table.activeCount, limit: table.maximumContexts,
            evictions: counters.triggersRefused &+ counters.contextsEvicted &+ counters.idleContextsEvicted)
        counters.holddowns = HostCounters.TableUse(
            used: table.holddowns.count, limit: table.maximumHolddowns, evictions: counters.holddownsEvicted)
        verification.fill(&counters)
        counters.paths = HostCounters.TableUse(host.paths.pairs)
        counters.locatorFates = HostCounters.TableUse(host.paths.locators)
        counters.barredPairs = HostCounters.TableUse(host.paths.barredPairs)
        return counters
    }

    /// Why `.establish` of this pair would do nothing; nil if it would start an exchange.
    public func refusal(of ulids: ULIDPair) -> EstablishmentRefusal? {
        initiator.refusal(of: ulids, Turn(at: latest, host, random))
    }

    /// Why `.fork` would do nothing; nil if it would start an exchange.
    public func refusal(ofFork tag: ContextTag, _ flows: [Flow]) -> ForkRefusal? {
        forks.refusal(of: tag, flows, Turn(at: latest, host, random))
    }

    /// The most flows that one context takes.
    public static var maximumFlows: Int { Forks.maximumFlows }
}
