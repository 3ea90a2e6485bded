import Shim6Control
import Shim6Wire
import Synchronization

/// Answers commands from the fixtures, as the daemon's main thread would.
public final class InventedDaemon: CommandHandler {
    private let contexts = Mutex([Fixtures.negotiating, Fixtures.established])
    private let answered = Mutex<[Command]>([])
    private let pause = Mutex(Duration.zero)

    public init() {}

    /// The commands that came through, in order.
    public var commands: [Command] { answered.withLock(\.self) }

    /// Takes its time for every answer from now on.
    public func pause(for duration: Duration) { pause.withLock { $0 = duration } }

    public func handle(_ command: Command) async -> Result<Response, CommandError> {
        answered.withLock { $0.append(command) }
        try? await Task.sleep(for: pause.withLock(\.self))
        return contexts.withLock { answer(command, &$0) }
    }

    private func answer(_ command: Command, _ contexts: inout [ContextSummary]) -> Result<Response, CommandError> {
        switch command {
        case .status: return .success(.status(Fixtures.status))
        case .contexts: return .success(.contexts(ContextList(contexts: contexts)))
        case .context(let tag):
            guard let summary = contexts.first(where: { $0.tag == tag }) else { return .failure(unknown(tag)) }
            var detail = Fixtures.detail
            detail.summary = summary
            return .success(.context(detail))
        case .establish(let ulids):
            guard ulids.local == Fixtures.ulids.local else {
                return .failure(CommandError(.badArgument, "\(ulids.local) is not an address of this host"))
            }
            return .success(.established(Establishment(context: Fixtures.negotiating, created: true)))
        case .fork(let tag, _):
            guard contexts.contains(where: { $0.tag == tag }) else { return .failure(unknown(tag)) }
            return .success(.established(Establishment(context: Fixtures.negotiating, created: true)))
        case .remove(.all):
            defer { contexts = [] }
            return .success(.removed(Removal(tags: contexts.map(\.tag))))
        case .remove(.one(let tag)):
            guard let index = contexts.firstIndex(where: { $0.tag == tag }) else { return .failure(unknown(tag)) }
            contexts.remove(at: index)
            return .success(.removed(Removal(tags: [tag])))
        case .locators: return .success(.locators(Fixtures.locators))
        case .identity: return .success(.identity(Fixtures.identity))
        case .events: return .failure(CommandError(.internal, "the control server answers this one"))
        case .explain(let tag), .explore(let tag):
            guard let summary = contexts.first(where: { $0.tag == tag }) else { return .failure(unknown(tag)) }
            return .success(
                .explanation(
                    Explanation(
                        tag: tag, outgoing: summary.outgoing, reason: .ulids, reachability: summary.reachability,
                        pairs: [], timers: [], roundTrip: 0.02, now: Fixtures.status.now)))
        case .switchTo(let tag, let pair):
            guard let from = contexts.first(where: { $0.tag == tag })?.outgoing else { return .failure(unknown(tag)) }
            return .success(.switched(SwitchReport(tag: tag, from: from, to: pair)))
        case .setSendTimeout(let seconds):
            return .success(.settings(SettingsReport(sendTimeout: seconds, ranking: [])))
        case .rank(let pairs): return .success(.settings(SettingsReport(sendTimeout: 15, ranking: pairs)))
        case .timeline(let tag):
            let failovers = [Fixtures.failover].filter { tag == nil || $0.tag == tag }
            return .success(.timeline(TimelineReport(failovers: failovers)))
        }
    }

    private func unknown(_ tag: ContextTag) -> CommandError {
        CommandError(.unknownTag, "no context has the tag \(tag)")
    }
}
