import KernelRows
import Netlink
import REAP
import Shim6Control
import Shim6Core
import Shim6Wire

// What the console and the control socket ask for.
extension Engine {
    private var reports: Reports {
        Reports(
            configuration: configuration, started: started, host: host, dataPath: dataPath, uplinks: uplinks,
            rows: rows,
            identities: identities, timeline: timeline, counters: counters, warnings: warnings)
    }

    /// Answers a command now or, if that takes a look at every context, some passes of the loop later.
    func carryOut(_ command: Command, _ answer: @escaping Survey.Answer) {
        switch command {
        case .contexts: surveys.append(contextList(answer))
        case .remove(.all): surveys.append(removal(answer))
        case .locators:
            surveys.append(addressReport(answer) { .locators(LocatorReport(locators: $0.locatorStatus($1))) })
        case .identity: surveys.append(addressReport(answer) { .identity($0.identityReport($1)) })
        default: answer(self.answer(command))
        }
    }

    /// Goes on with what looks at every context.
    func survey() {
        let end = Instant.monotonicNow + Self.surveyTime
        while let survey = surveys.first {
            guard survey.proceed(until: { .monotonicNow >= end }) else { return }
            surveys.removeFirst()
        }
    }

    /// Answers what came in since the last pass; nothing more will come.
    func refuseCommands() {
        for answer in switches.values { answer(.failure(CommandPost.unavailable)) }
        switches = [:]
        for survey in surveys { survey.answer(.failure(CommandPost.unavailable)) }
        surveys = []
        for case .command(_, let continuation) in mailbox.drain() { identityCommands.append(continuation) }
        for continuation in identityCommands { continuation.resume(returning: .failure(CommandPost.unavailable)) }
        identityCommands = []
    }

    private func contextList(_ answer: @escaping Survey.Answer) -> Survey {
        var list: [ContextSummary] = []
        return Survey(of: self.host.tags, answer: answer) { [unowned self] tag in
            if let outline = host.outline(of: tag) { list.append(reports.summary(outline)) }
        } result: {
            .contexts(ContextList(contexts: list))
        }
    }

    private func removal(_ answer: @escaping Survey.Answer) -> Survey {
        var tags: [ContextTag] = []
        return Survey(of: self.host.tags, answer: answer) { [unowned self] tag in
            guard host.outline(of: tag) != nil else { return }
            handle(.remove(tag))
            tags.append(tag)
        } result: {
            .removed(Removal(tags: tags))
        }
    }

    /// A report that says of addresses how many contexts use them.
    func addressReport(
        _ answer: @escaping Survey.Answer, _ report: @escaping (Reports, AddressUse) -> Response
    ) -> Survey {
        var use = AddressUse()
        return Survey(of: self.host.tags, answer: answer) { [unowned self] tag in
            if let outline = host.outline(of: tag) { use.count(outline) }
        } result: { [unowned self] in
            report(reports, use)
        }
    }

    private func answer(_ command: Command) -> Result<Response, CommandError> {
        switch command {
        case .status: .success(.status(reports.statusReport))
        case .context(let tag):
            host.snapshot(of: tag).map { .success(.context(reports.detail(of: $0))) } ?? unknown(tag)
        case .establish(let ulids): establish(ulids)
        case .fork(let tag, let flows): fork(tag, flows.map(Flow.init))
        case .remove(.one(let tag)): host.snapshot(of: tag) == nil ? unknown(tag) : remove(tag)
        case .contexts, .remove(.all), .locators, .identity:
            .failure(CommandError(.internal, "this is answered when every context has been looked at"))
        case .events: .failure(CommandError(.internal, "events are answered where they are kept"))
        case .timeline(let tag): .success(.timeline(timeline.report(of: tag)))
        case .explain(let tag), .explore(let tag):
            host.snapshot(of: tag).map { .success(.explanation(reports.explanation(of: $0))) } ?? unknown(tag)
        case .switchTo: .failure(CommandError(.internal, "a switch is answered when it is decided"))
        case .setSendTimeout(let seconds): setSendTimeout(seconds)
        case .rank(let pairs): rank(pairs)
        }
    }

    private func unknown(_ tag: ContextTag) -> Result<Response, CommandError> {
        .failure(CommandError(.unknownTag, "no context has the tag \(tag)"))
    }

    private func establish(_ ulids: ULIDPair) -> Result<Response, CommandError> {
        if let existing = host.snapshot(of: ulids) {
            return .success(.established(Establishment(context: reports.summary(existing.outline), created: false)))
        }
        guard host.localLocators.contains(where: { $0.address == ulids.local }) else {
            return .failure(CommandError(.badArgument, "\(ulids.local) is not a usable locator of this host"))
        }
        if let obstacle = uplinks.obstacle { return .failure(CommandError(.conflict, obstacle)) }
        if let complaint = complaint(ofPeer: ulids.peer) { return .failure(complaint) }
        handle(.establish(ulids))
        guard let made = host.snapshot(of: ulids) else {
            return .failure(CommandError(.limit, "no context was made for \(ulids.local) and \(ulids.peer)"))
        }
        return .success(.established(Establishment(context: reports.summary(made.outline), created: true)))
    }

    private func fork(_ tag: ContextTag, _ flows: [Flow]) -> Result<Response, CommandError> {
        switch host.refusal(ofFork: tag, flows) {
        case .unknownTag: return unknown(tag)
        case .tableFull: return .failure(CommandError(.limit, "no context can be made: the table is full"))
        case .some(let refusal): return .failure(CommandError(.badArgument, refusal.rawValue))
        case nil: break
        }
        for case .publish(let notice) in handle(.fork(tag, flows)) {
            if case .state(nil, _, _) = notice.kind, let made = notice.tag.flatMap(host.snapshot(of:)) {
                return .success(.established(Establishment(context: reports.summary(made.outline), created: true)))
            }
        }
        return .failure(CommandError(.limit, "no context was made"))
    }

    private func remove(_ tag: ContextTag) -> Result<Response, CommandError> {
        handle(.remove(tag))
        return .success(.removed(Removal(tags: [tag])))
    }

    private func setSendTimeout(_ seconds: Double) -> Result<Response, CommandError> {
        let least = dataPath.traits.leastSendTimeout.inSeconds
        let most = REAPConfiguration.sendTimeouts.upperBound.components.seconds
        guard (least...Double(most)).contains(seconds) else {
            return .failure(CommandError(.badArgument, "send-timeout must be from \(least) to \(most) seconds"))
        }
        handle(.sendTimeout(.nanoseconds(Int64((seconds * 1e9).rounded()))))
        return .success(.settings(settings))
    }

    private func rank(_ pairs: [LocatorPair]) -> Result<Response, CommandError> {
        guard pairs.count <= 256 else { return .failure(CommandError(.badArgument, "at most 256 pairs can be ranked")) }
        for pair in pairs {
            guard isOwn(pair.source) else {
                return .failure(CommandError(.badArgument, "\(pair.source) is not a locator of this host"))
            }
            if let complaint = complaint(ofPeer: pair.destination) { return .failure(complaint) }
        }
        handle(.ranking(pairs))
        return .success(.settings(settings))
    }

    /// Whether this host has an address, or has made it for an uplink that may come back.
    private func isOwn(_ address: IPv6Address) -> Bool {
        identities.addresses.contains(address)
            || uplinks.uplinks.contains { $0.addresses.contains { $0.row.address == address } }
    }

    /// Why this can be no address of a peer; nil if it can.
    private func complaint(ofPeer address: IPv6Address) -> CommandError? {
        let isUnicast =
            !address.isMulticast && !address.isUnspecified && !address.isLoopback && !address.isLinkLocal
        if isUnicast, !isOwn(address) { return nil }
        return CommandError(.badArgument, "\(address) cannot be an address of a peer")
    }

    private var settings: SettingsReport {
        SettingsReport(
            sendTimeout: host.configuration.reap.sendTimeout.inSeconds,
            ranking: host.paths.ranking.sorted { $0.value < $1.value }.map(\.key))
    }

    /// Begins a switch; the answer comes with the notice of its end.
    func switchPair(_ tag: ContextTag, _ pair: LocatorPair, _ answer: @escaping SwitchAnswer) {
        guard let context = host.snapshot(of: tag) else { return answer(unknown(tag)) }
        guard context.state == .established else {
            return answer(.failure(CommandError(.conflict, "the context is not established")))
        }
        guard switches[tag] == nil else {
            return answer(.failure(CommandError(.conflict, "another switch of this context is under way")))
        }
        switches[tag] = answer
        handle(.switchTo(tag, pair))
    }

    /// Answers whoever asked for a switch that this notice decides.
    func answerSwitch(_ notice: Notice) {
        guard let tag = notice.tag, let answer = switches[tag] else { return }
        switch notice.kind {
        case .switched(let from, let to, .asked):
            answer(.success(.switched(SwitchReport(tag: tag, from: from, to: to))))
        case .switchRefused(_, let reason):
            answer(.failure(CommandError(.conflict, "not switched: \(reason.rawValue)")))
        case .state(_, nil, _): answer(unknown(tag))
        default: return
        }
        switches[tag] = nil
    }
}

extension Flow {
    init(_ selector: FlowSelector) {
        self.init(
            protocolNumber: selector.protocolNumber, sourcePort: selector.sourcePort,
            destinationPort: selector.destinationPort)
    }
}

extension FlowSelector {
    init(_ flow: Flow) {
        self.init(
            protocolNumber: flow.protocolNumber, sourcePort: flow.sourcePort, destinationPort: flow.destinationPort)
    }
}
/// Takes the answer to `switch`.
typealias SwitchAnswer = (Result<Response, CommandError>) -> Void
