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
    /// What one pass gives to reports about every context.
    static let surveyTime = Duration.milliseconds(5)

    let configuration: Configuration
    let log: Logger
    let started = Instant.monotonicNow
    let host: Endpoint
    let dataPath: any DataPath
    let uplinks: Uplinks
    let rows: OwnRows
    let idleWatch: IdleWatch
    var idleQuestions = IdleQuestions()
    let identities: Identities
    var timeline: Timeline
    /// Those who wait for a switch, by context.
    var switches: [ContextTag: SwitchAnswer] = [:]
    /// Who waits for what takes a look at every context.
    var surveys: Deque<Survey> = []
    let counters = EngineCounters()
    /// What an operator should know.
    var warnings: [String]

    /// Says in every line of a context's log what an operator must not overlook.
    let contextLog: Logger
    private let worker: IdentityWorker
    /// Who waits for an identity to be made.
    var identityCommands: [CheckedContinuation<Result<Response, CommandError>, Never>] = []
    private let socket: RouteSocket
    private let network: NetworkWatch
    let sockets: PacketSockets
    let performer: Performer
    let echoSocket: EchoSocket
    /// Nil on a host that tells nobody of its sessions.
    let sessionSocket: SessionSocket?
    private let timers: TimerThread
    private let idleThread: IdleThread
    let mailbox: Mailbox<Mail>
    let interfaces: OperatorInterfaces
    private var locators: [LocalLocator] = []
    /// Contexts whose payload cannot be rehomed.
    var obstructed: Set<ContextTag> = []
    private var nextTick = Instant(nanoseconds: 0)
    /// New sessions may take other addresses from now on.
    var haveStandingsChanged = false
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
        let view = try KernelView(socket: socket)
        sockets = try PacketSockets(counters: counters, log: log)
        echoSocket = try EchoSocket(identifier: .random(in: 0 ... .max))
        sessionSocket = try? SessionSocket()
        let expiries = try IdleExpiries(priority: Mark.policyPriority)
        timeline = Timeline(limit: configuration.limits.maxFailovers)
        rows = OwnRows(socket: socket, log: log)
        network = NetworkWatch(view: view, rows: rows, counters: counters)
        self.dataPath = try dataPath.made(configuration, socket: socket, rows: rows, log: log)
        let traits = self.dataPath.traits
        idleWatch = try IdleWatch(rehoming: traits.rehomingRequest, log: log)
        uplinks = Uplinks(
            configuration, socket: socket, view: view, rows: rows, identities: identities, log: log)
        var hostConfiguration = configuration.hostConfiguration
        (hostConfiguration.acceptedForms, hostConfiguration.sentForms) = (traits.acceptedForms, traits.sentForms)
        host = Endpoint(
            configuration: hostConfiguration, identity: identities,
            verifier: configuration.peers.verify
                ? CGALocatorVerifier(configuration.limits) : TrustingVerifier(),
            activity: self.dataPath.activity, random: CryptographicRandom())
        try Leftovers.remove(socket)
        timers = TimerThread { [mailbox] in mailbox.post(.timer($0)) }
        performer = Performer(
            dataPath: self.dataPath, uplinks: uplinks, idleWatch: idleWatch, timers: timers, sockets: sockets,
            counters: counters, log: log, contextLog: contextLog)
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
        var loop = EventLoop(
            descriptors: sockets.descriptors + [
                network.descriptor, dataPath.eventDescriptor, mailbox.descriptor, echoSocket.descriptor,
            ])
        while true {
            let signal = loop.wait(milliseconds: surveys.isEmpty && !network.isWaiting ? waitMilliseconds : 0)
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
        guard let begin = network.begin else { return Self.longestWait }
        let wait = ((begin - .monotonicNow).inSeconds * 1000).rounded(.up)
        return Int32(max(0, min(wait, Double(Self.longestWait))))
    }

    private func readChanges() {
        do {
            let isDue = try network.read(uplinks)
            let touched = network.takeTouched()
            // Before anything is made of what the program tells, or does not.
            if touched?.isEmpty != true { dataPath.review(touched, at: .monotonicNow) }
            if isDue { try refresh() }
        } catch {
            log.error("\(error)")
        }
    }

    /// Looks at the whole network anew.
    func refresh() throws {
        haveStandingsChanged = false
        try network.look { changes in
            let needs = dataPath.needs
            try uplinks.refresh(after: changes, waitingDevice: needs.waitingDevice, pinned: needs.pinnedULIDs)
            try dataPath.follow(DataPathNetwork(uplinks))
            tellLocators()
        }
    }

    private func tellLocators() {
        let now = uplinks.localLocators
        guard now != locators else { return }
        locators = now
        handle(.localLocators(now))
    }

    private func readShim6() {
        let hasReadAll = sockets.readMessages { packet in
            handle(.packet(octets: packet.octets, source: packet.source, destination: packet.destination))
        }
        if hasReadAll { dataPath.haveReadAll() }
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
        answerIdleQuestions(at: now)
        uplinks.probeGateways()
        proveAddresses(at: now)
        if network.isBehind || uplinks.isWaiting || haveStandingsChanged || network.isAuditDue(at: now) {
            refreshOrTell()
        }
    }

    private func refreshOrTell() {
        do {
            try refresh()
        } catch {
            log.error("\(error)")
        }
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
        case .publish(let notice): publish(notice)
        case .install(let entry): tellObstacle(of: entry)
        case .remove(let entry): obstructed.remove(entry.localTag)
        case .askUse(let tag, let ulids): idleQuestions.ask(tag, ulids)
        case .send, .arm, .cancel, .forget, .resume, .watchIdle, .unwatchIdle: break
        }
        performer.perform(effect)
    }

    // MARK: The end

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
