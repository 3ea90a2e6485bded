import CGA
import Configuration
import DataPath
import DequeModule
import KernelRows
import Logging
import Netlink
import REAP
import Shim6Console
import Shim6Control
import Shim6Core
import Shim6Wire

/// The main thread: feeds the host what happens and does what it says. Nobody else touches what is in here.
final class Engine {
    /// How long a pass waits at most: the heartbeat must not be older than two seconds.
    private static let longestWait: Int32 = 500
    /// Changes that are kept until the next look at the network, which sees the others in the tables.
    private static let mostChanges = 8_192
    /// What one pass gives to reports about every context.
    static let surveyTime = Duration.milliseconds(5)
    /// Batches of packets that one pass takes from a socket: a flood must not keep timers waiting.
    private static let batchesInPass = 16

    let configuration: Configuration
    let log: Logger
    let started = Instant.monotonicNow
    let host: Host
    let dataPath: any DataPath
    let uplinks: Uplinks
    let rows: OwnRows
    let idleWatch: IdleWatch
    let identities: Identities
    var timeline: Timeline
    /// Those who wait for a switch, by context.
    var switches: [ContextTag: SwitchAnswer] = [:]
    /// Who waits for what takes a look at every context.
    var surveys: Deque<Survey> = []
    var counters = EngineCounters()
    /// What an operator should know.
    var warnings: [String]

    /// Says in every line of a context's log what an operator must not overlook.
    private let contextLog: Logger
    private let worker: IdentityWorker
    /// Who waits for an identity to be made.
    private var identityCommands: [CheckedContinuation<Result<Response, CommandError>, Never>] = []
    private let socket: RouteSocket
    private let monitor: RouteMonitor
    private let shim6Socket: RawSocket
    private let icmpSocket: RawSocket
    let echoSocket: EchoSocket
    /// Nil on a host that tells nobody of its sessions.
    let sessionSocket: SessionSocket?
    private let timers: TimerThread
    private let idleThread: IdleThread
    private let mailbox: Mailbox<Mail>
    private let interfaces: OperatorInterfaces
    private var locators: [LocalLocator] = []
    /// Contexts whose payload cannot be rehomed.
    private var obstructed: Set<ContextTag> = []
    private var nextTick = Instant(nanoseconds: 0)
    /// New sessions may take other addresses from now on.
    var haveStandingsChanged = false
    /// Whether the last look at the network failed, and another one is due.
    private var isBehind = false
    /// What the kernel has told since the last look at the network; nil while that is nothing.
    private var changes: [KernelChange]?
    private var refreshLimit = ShareOfTime()
    private var nextIdleAudit = Instant(nanoseconds: 0)
    private static let idleAuditInterval = Duration.seconds(10)

    /// Takes over what was opened and changes the network for the first time. When it throws, nothing is left of it.
    init(
        _ configuration: Configuration, warnings: [String], identities: Identities, dataPath: LoadedDataPath,
        mailbox: Mailbox<Mail>, interfaces: OperatorInterfaces, log: Logger
    ) throws {
        self.configuration = configuration
        self.warnings = warnings
        self.log = log
        self.mailbox = mailbox
        self.interfaces = interfaces
        self.identities = identities
        var contextLog = log
        if !configuration.peers.verify { contextLog[metadataKey: "verify"] = "false" }
        self.contextLog = contextLog
        worker = IdentityWorker { [mailbox] in mailbox.post(.identity($0)) }
        identities.work = worker.start
        socket = try RouteSocket()
        monitor = try RouteMonitor()
        shim6Socket = try RawSocket(nextHeader: NextHeader.shim6)
        icmpSocket = try RawSocket(nextHeader: NextHeader.icmpv6)
        echoSocket = try EchoSocket(identifier: .random(in: 0 ... .max))
        sessionSocket = try? SessionSocket()
        let expiries = try IdleExpiries(priority: Mark.policyPriority)
        timeline = Timeline(limit: configuration.limits.maxFailovers)
        rows = OwnRows(socket: socket, log: log)
        self.dataPath = try dataPath.made(configuration, socket: socket, rows: rows, log: log)
        let traits = self.dataPath.traits
        idleWatch = try IdleWatch(rehoming: traits.rehomingRequest, log: log)
        uplinks = Uplinks(configuration, socket: socket, rows: rows, identities: identities, log: log)
        var hostConfiguration = HostConfiguration(configuration)
        (hostConfiguration.acceptedForms, hostConfiguration.sentForms) = (traits.acceptedForms, traits.sentForms)
        host = Host(
            configuration: hostConfiguration, identity: identities,
            verifier: configuration.peers.verify
                ? CGALocatorVerifier(configuration.limits) : TrustingVerifier(),
            activity: self.dataPath.activity, random: CryptographicRandom())
        try Leftovers.remove(socket)
        timers = TimerThread { [mailbox] in mailbox.post(.timer($0)) }
        idleThread = IdleThread(expiries) { [mailbox] in mailbox.post(.idle($0)) }
        do {
            try self.dataPath.start(at: .monotonicNow)
            try refresh()
        } catch {
            stop()
            throw error
        }
    }

    // MARK: The loop

    /// Runs until a signal asks for the end, and cleans up.
    func run() {
        var loop = EventLoop(descriptors: [
            shim6Socket.descriptor, icmpSocket.descriptor, monitor.descriptor, dataPath.eventDescriptor,
            mailbox.descriptor, echoSocket.descriptor,
        ])
        while true {
            let signal = loop.wait(milliseconds: surveys.isEmpty ? waitMilliseconds : 0)
            let begin = Instant.monotonicNow
            dataPath.beat(at: begin)
            // What happened comes before what did not: after a late wake-up a timer must not see a silence that
            // traffic has ended long ago. So everything is drained, readable or not, and the mailbox last.
            readChanges()
            readShim6()
            readErrors()
            readEchoes()
            readDataPath()
            if haveStandingsChanged { refreshOrTell() }
            readMail()
            survey()
            tick()
            dataPath.settle()
            idleWatch.settle(at: .monotonicNow)
            counters.longestPass = max(counters.longestPass, Instant.monotonicNow - begin)
            if let signal {
                log.notice("ending", metadata: ["signal": "\(signal)"])
                break
            }
        }
        stop()
    }

    /// A change that waits for its look at the network must not wait for something else to happen.
    private var waitMilliseconds: Int32 {
        guard changes != nil else { return Self.longestWait }
        let wait = ((refreshLimit.begin - .monotonicNow).inSeconds * 1000).rounded(.up)
        return Int32(max(0, min(wait, Double(Self.longestWait))))
    }

    private func readChanges() {
        do {
            switch try monitor.read() {
            case .changes(let read):
                let concerned = read.filter { uplinks.isConcerned(by: $0) }
                guard !concerned.isEmpty else { break }
                changes = (changes ?? []) + concerned.prefix(Self.mostChanges - (changes?.count ?? 0))
                if concerned.contains(where: uplinks.isUrgent) { refreshLimit = ShareOfTime() }
            case .lost:
                counters.resyncs += 1
                changes = changes ?? []
            }
            guard changes != nil, refreshLimit.begin <= .monotonicNow else { return }
            try refresh()
        } catch {
            log.error("\(error)")
        }
    }

    /// Looks at the whole network anew.
    private func refresh() throws {
        let start = Instant.monotonicNow
        defer { refreshLimit.took(from: start, to: .monotonicNow) }
        let changes = changes ?? []
        self.changes = nil
        counters.refreshes += 1
        isBehind = true
        haveStandingsChanged = false
        let needs = dataPath.needs
        try uplinks.refresh(after: changes, waitingDevice: needs.waitingDevice, pinned: needs.pinnedULIDs)
        try dataPath.follow(DataPathNetwork(uplinks))
        isBehind = false
        let now = uplinks.localLocators
        guard now != locators else { return }
        locators = now
        handle(.localLocators(now))
    }

    private func readShim6() {
        let hasReadAll = forEachPacket(from: shim6Socket) { packet in
            guard !packet.isTruncated else {
                counters.truncated += 1
                return
            }
            handle(.packet(octets: packet.octets, source: packet.source, destination: packet.destination))
        }
        if hasReadAll { dataPath.haveReadAll() }
    }

    private func readErrors() {
        forEachPacket(from: icmpSocket) { packet in
            guard let error = ICMPv6Error(packet.octets) else { return }
            let heard = dataPath.hear(error)
            heard.messages.forEach(sendLocally)
            if let tag = heard.hinted ?? hinted(by: error) { handle(.hint(tag, .unreachable)) }
            guard let quoted = QuotedMessage(error) else { return }
            handle(
                .parameterProblem(
                    quoted: quoted.octets, source: quoted.locators.source, destination: quoted.locators.destination))
        }
    }

    /// The context that is not rehomed and whose packets a router says it cannot send on.
    private func hinted(by error: ICMPv6Error) -> ContextTag? {
        guard error.isPathGone, let pair = error.quotedPair,
            let context = host.snapshot(of: ULIDPair(local: pair.source, peer: pair.destination))
        else { return nil }
        return context.outgoing == pair ? context.localTag : nil
    }

    /// Returns whether there are no more.
    @discardableResult
    private func forEachPacket(from socket: RawSocket, _ body: (RawPacket) -> Void) -> Bool {
        do {
            for _ in 0..<Self.batchesInPass {
                let packets = try socket.receive()
                if packets.isEmpty { return true }
                packets.forEach(body)
            }
        } catch {
            counters.receiveErrors += 1
            log.debug("\(error)")
        }
        return false
    }

    private func readDataPath() {
        do {
            for event in try dataPath.takeEvents(at: .monotonicNow) { heed(event) }
        } catch {
            log.error("\(error)")
        }
    }

    private func heed(_ event: DataPathEvent) {
        switch event {
        case .trigger(let ulids):
            hasAnswered(ulids.peer, to: ulids.local)
            handle(.trigger(ulids))
        case .activity(let tag, let direction): handle(.activity(tag, direction))
        case .retransmission(let tag): handle(.hint(tag, .retransmission))
        case .unknownTag(let tag, let pair):
            handle(.unknownTag(tag, source: pair.source, destination: pair.destination))
        case .tell(let message): sendLocally(message)
        case .send(let octets, let pair):
            perform(.send(octets: octets, source: pair.source, destination: pair.destination))
        }
    }

    private func sendLocally(_ message: LocalMessage) {
        do {
            try icmpSocket.send(message.error.encoded, from: message.ulid, to: message.ulid)
            counters.localErrors += 1
        } catch {
            counters.sendErrors += 1
        }
    }

    private func readMail() {
        for mail in mailbox.drain() {
            switch mail {
            case .timer(let timer): handle(.timer(timer))
            case .idle(.expired(let policies)):
                for policy in policies {
                    if let tag = idleWatch.expired(policy) { handle(.idle(tag)) }
                }
            case .idle(.lost): idleWatch.missing().forEach { handle(.idle($0)) }
            case .identity(let result): finishIdentity(result)
            case .command(.identity(let action), let continuation) where action != .show:
                renewIdentity(withNewKey: action == .rotate, continuation)
            case .command(.switchTo(let tag, let pair), let continuation):
                switchPair(tag, pair) { continuation.resume(returning: $0) }
            case .command(let command, let continuation):
                carryOut(command) { continuation.resume(returning: $0) }
            }
        }
    }

    /// Once a second, what nobody reports.
    private func tick() {
        let now = Instant.monotonicNow
        guard now >= nextTick else { return }
        nextTick = now + .seconds(1)
        idleWatch.due(at: now).forEach { handle(.idle($0)) }
        if now >= nextIdleAudit {
            // Somebody may have flushed all policies.
            nextIdleAudit = now + Self.idleAuditInterval
            idleWatch.missing().forEach { handle(.idle($0)) }
        }
        uplinks.probeGateways()
        proveAddresses(at: now)
        if isBehind || uplinks.isWaiting || haveStandingsChanged { refreshOrTell() }
    }

    private func refreshOrTell() {
        do {
            try refresh()
        } catch {
            log.error("\(error)")
        }
    }

    // MARK: Identity

    private func renewIdentity(
        withNewKey: Bool, _ continuation: CheckedContinuation<Result<Response, CommandError>, Never>
    ) {
        guard identities.makesAddresses else {
            let message = "the identity was brought along: change private-key and parameters in the configuration"
            return continuation.resume(returning: .failure(CommandError(.conflict, message)))
        }
        let prefixes = uplinks.uplinks.flatMap(\.prefixes).map(\.prefix)
        guard !prefixes.isEmpty, identities.renew(over: prefixes, withNewKey: withNewKey) else {
            let message = prefixes.isEmpty ? "no uplink has a prefix" : "addresses are being made already"
            return continuation.resume(returning: .failure(CommandError(.conflict, message)))
        }
        identityCommands.append(continuation)
    }

    private func finishIdentity(_ result: Result<IdentityJob.Product, any Error>) {
        var failure: CommandError?
        do {
            try identities.finish(result)
            try refresh()
        } catch {
            let message = (error as? StartFailure)?.message ?? "\(error)"
            log.error("\(message)")
            failure = CommandError(.internal, message)
        }
        for continuation in identityCommands {
            if let failure {
                continuation.resume(returning: .failure(failure))
            } else {
                carryOut(.identity(.show)) { continuation.resume(returning: $0) }
            }
        }
        identityCommands = []
    }

    // MARK: Effects

    @discardableResult
    func handle(_ event: Event) -> [Effect] {
        let effects = host.handle(event, at: .monotonicNow)
        effects.forEach(perform)
        return effects
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .send(let octets, let source, let destination):
            guard uplinks.obstacle == nil else {
                counters.keptFromLeaving += 1
                return
            }
            // Without the interface the packet could take the route of a rehomed pair.
            guard let interface = uplinks.uplink(of: source)?.link?.index else {
                counters.sendErrors += 1
                return
            }
            do {
                try shim6Socket.send(octets, from: source, to: destination, interface: interface)
            } catch {
                counters.sendErrors += 1
                log.debug("\(error)")
            }
        case .arm(let timer, let deadline): timers.arm(timer, at: deadline)
        case .cancel(let timer): timers.cancel(timer)
        case .install(let entry):
            tellObstacle(of: entry)
            do {
                try dataPath.install(entry)
            } catch {
                counters.dataPathErrors += 1
                contextLog.error("\(error)", metadata: ["tag": "\(entry.localTag)"])
            }
        case .remove(let entry):
            obstructed.remove(entry.localTag)
            do {
                try dataPath.remove(entry)
            } catch {
                counters.dataPathErrors += 1
                contextLog.error("\(error)", metadata: ["tag": "\(entry.localTag)"])
            }
        case .forget(let ulids): dataPath.forget(ulids)
        case .resume(let tag, let start):
            if uplinks.obstacle == nil { dataPath.resume(tag, unansweredSince: start) }
        case .watchIdle(let tag, let ulids, let seconds):
            idleWatch.watch(tag, ulids, seconds: seconds, at: .monotonicNow)
        case .unwatchIdle(let tag, _): idleWatch.unwatch(tag)
        case .publish(let notice): publish(notice)
        }
    }

    /// Logs once that payload of a context stays with its ULIDs.
    private func tellObstacle(of entry: DataPathEntry) {
        guard entry.peerTag != nil, entry.form == nil, dataPath.traits.obstacle == nil else {
            obstructed.remove(entry.localTag)
            return
        }
        guard obstructed.insert(entry.localTag).inserted, let forms = host.snapshot(of: entry.localTag)?.unsuitableForms
        else { return }
        contextLog.notice("never rehomed: \(PayloadForms.obstacle(forms))", metadata: ["tag": "\(entry.localTag)"])
    }

    private func publish(_ notice: Notice) {
        timeline.record(notice, outgoing: notice.tag.flatMap(dataPath.outgoing(of:)))
        if case .state(_, .established, _) = notice.kind, let ulids = notice.ulids,
            let context = notice.tag.flatMap(host.snapshot(of:)), context.outgoing?.source == ulids.local
        {
            hasAnswered(ulids.peer, to: ulids.local)
        }
        answerSwitch(notice)
        let record = EventRecord(notice)
        interfaces.broadcast(record)
        EventLine.log(record, to: record.tag == nil ? log : contextLog)
    }

    // MARK: The end

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

    private func stop() {
        ServiceManager.notify("STOPPING=1")
        handle(.shutdown)
        timers.stop()
        idleThread.stop()
        worker.stop()
        uplinks.stop(removingAddresses: configuration.removeAddressesOnExit)
        idleWatch.stop()
        dataPath.stop()
        do {
            try socket.flushRules(protocol: Mark.protocolNumber)
            try socket.flushRoutes(protocol: Mark.protocolNumber)
        } catch {
            log.error("\(error)")
        }
    }
}
