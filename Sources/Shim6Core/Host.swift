import CGA
import REAP
import Shim6Wire

/// The Shim6 part of one host: all its contexts, and what makes new ones (RFC 5533).
///
/// It does nothing by itself: the owner reports events and carries out the effects, in their order. Time and randomness
/// come from outside. One owner; not thread-safe. The randomness protects the protocol: in production it has to be a
/// cryptographic generator.
public final class Host {
    public internal(set) var configuration: HostConfiguration
    let identity: any LocalIdentity
    var verifier: any LocatorVerifier
    let activity: any ActivityTable
    /// What the contexts tell each other of their paths.
    public let paths: SharedPaths
    var random: RandomSource

    let table: ContextTable
    var lists: LocalLists
    var secrets: ResponderSecrets
    /// Verifications that peers have begun.
    var budget: VerificationBudget
    /// Those of exchanges that this host began: peers cannot use them up.
    var ownBudget: VerificationBudget
    /// Proofs that were verified, with the locators that they prove to be of use.
    var proofs: RecentlyUsed<Proof, [VerifiedLocator]>
    /// Proofs that were refused, and why.
    var refusals: RecentlyUsed<Proof, Refutation>
    var recoveryLimit: SourceLimit
    var errorLimit: SourceLimit
    var tally = HostCounters()

    /// The time and the effects of the event under way.
    var now = Instant(nanoseconds: 0)
    var effects: [Effect] = []
    /// The entry at fault in a Locator List that the message under way has brought.
    var faultyEntry: Int?

    /// A host without locators and contexts. `activity` needs `configuration.maximumContexts` slots.
    public init(
        configuration: HostConfiguration = HostConfiguration(), identity: any LocalIdentity,
        verifier: any LocatorVerifier, activity: any ActivityTable, random: some RandomNumberGenerator
    ) {
        self.configuration = configuration
        self.identity = identity
        self.verifier = verifier
        self.activity = activity
        paths = SharedPaths(probesPerSecond: configuration.maximumProbesPerSecond)
        self.random = RandomSource(random)
        table = ContextTable(configuration)
        lists = LocalLists(maximumLocators: configuration.maximumLocators)
        secrets = ResponderSecrets(lifetime: configuration.validatorMinLifetime)
        proofs = RecentlyUsed(capacity: configuration.maximumProofs)
        refusals = RecentlyUsed(capacity: configuration.maximumRefusals)
        budget = VerificationBudget(perSecond: configuration.maximumVerificationsPerSecond)
        ownBudget = budget
        recoveryLimit = SourceLimit(perSecond: configuration.maximumAnswersPerSecond)
        errorLimit = SourceLimit(perSecond: configuration.maximumAnswersPerSecond)
    }

    /// Takes in one event and returns what is to be done about it. Nothing that a peer sends can make it trap.
    /// `now` may stand still but should not go back.
    public func handle(_ event: Event, at now: Instant) -> [Effect] {
        self.now = now
        effects = []
        switch event {
        case .packet(let octets, let source, let destination):
            receive(octets, from: source, to: destination)
        case .parameterProblem(let quoted, let source, let destination):
            parameterProblem(quoted, LocatorPair(source: source, destination: destination))
        case .timer(.context(let tag)):
            contextTimer(tag)
        case .timer(.reap(let tag, let timer)):
            if let context = table[tag] { reachability(context, .timer(timer)) }
        case .timer(.resume(let tag)):
            if let context = table[tag] { resumePayload(context) }
        case .trigger(let ulids):
            trigger(ulids)
        case .activity(let tag, let direction):
            activity(of: tag, direction)
        case .unknownTag(let tag, let source, let destination):
            unknownTag(tag, LocatorPair(source: source, destination: destination))
        case .idle(let tag):
            idle(tag)
        case .localLocators(let locators):
            localLocators(locators)
        case .hint(let tag, let hint):
            self.hint(hint, tag)
        case .switchTo(let tag, let pair):
            if let context = table[tag] { reachability(context, .switchTo(pair)) }
        case .ranking(let pairs):
            paths.ranking = Dictionary(zip(pairs, 0...), uniquingKeysWith: min)
        case .sendTimeout(let timeout):
            sendTimeout(timeout)
        case .establish(let ulids):
            establish(ulids)
        case .fork(let tag, let flows):
            fork(tag, flows)
        case .remove(let tag):
            if let context = table[tag] { remove(context, reason: .removed) }
        case .shutdown:
            for context in table.all { remove(context, reason: .shutdown) }
        }
        defer { effects = [] }
        return effects
    }

    func count(_ reason: DropReason) {
        tally.drops[reason, default: 0] &+= 1
    }

    func emit(_ effect: Effect) {
        effects.append(effect)
    }

    func publish(_ kind: Notice.Kind, _ context: Context? = nil) {
        emit(.publish(Notice(at: now, tag: context?.tag, ulids: context?.ulids, kind: kind)))
    }

    func arm(_ context: Context, after wait: Duration) {
        let deadline = now + wait
        context.deadline = deadline
        emit(.arm(.context(context.tag), at: deadline))
    }

    func disarm(_ context: Context) {
        guard context.deadline != nil else { return }
        context.deadline = nil
        emit(.cancel(.context(context.tag)))
    }

    private func contextTimer(_ tag: ContextTag) {
        // One that was moved may still fire at its old time.
        guard let context = table[tag], let deadline = context.deadline, deadline <= now else { return }
        context.deadline = nil
        switch context.state {
        case .established: updateTimer(context)
        case .i1Sent, .i2Sent, .i2bisSent, .eFailed, .noSupport: negotiationTimer(context)
        }
    }
}
