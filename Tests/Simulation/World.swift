import HeapModule
import REAP
import Shim6Core
import Shim6Wire

/// One run: two hosts, four links, virtual time. The same seed gives the same run.
public final class World {
    enum Happening {
        case action(Scenario.Action)
        case tick(flow: Int, from: Int)
        case arrival(Packet, Network.Path)
        /// What the data path or the kernel reports to a run of a daemon.
        case report(Event, host: Int, run: Int)
        case timer(Timer, Instant, host: Int, run: Int)
        case idleCheck(ContextTag, host: Int, run: Int)
        case resume(host: Int, run: Int)
    }

    private struct Item: Comparable {
        var time: UInt64
        var number: UInt64
        var happening: Happening

        static func < (left: Item, right: Item) -> Bool {
            (left.time, left.number) < (right.time, right.number)
        }
        static func == (left: Item, right: Item) -> Bool { left.number == right.number }
    }

    public let seed: UInt64
    let scenario: Scenario
    let hosts: [SimulatedHost]
    var network = Network()
    var random: SeededGenerator
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private var queue = Heap<Item>()
    private var itemNumber: UInt64 = 0
    private var isFinished = false

    /// The ULIDs of each flow, as seen from host 0.
    let flows: [ULIDPair]
    private var modes: [Scenario.Mode]
    /// Where and when a Probe last arrived, by its pair: proof that a pair works.
    var probesArrived: [LocatorPair: Instant] = [:]
    var tally = Tally()
    public internal(set) var coverage = Coverage()
    /// What was violated first; the run ends there.
    public internal(set) var failure: String?
    private(set) var trace: Trace?
    /// Every packet of a scripted run, in the order in which they were sent.
    public internal(set) var record: [SentPacket] = []

    public var deliveries: Int { tally.deliveries }
    public var virtualSeconds: Double { Double(now.nanoseconds) / 1e9 - 1 }
    public var events: UInt64 { itemNumber }
    /// A number that differs, most likely, when anything in the run differs.
    public var digest: UInt64 { tally.digest.value }

    public convenience init(seed: UInt64, keys: Keys? = nil, sabotage: Sabotage = .none, traceLimit: Int? = nil) {
        self.init(Scenario(seed: seed), keys: keys, sabotage: sabotage, traceLimit: traceLimit)
    }

    public init(_ scenario: Scenario, keys: Keys? = nil, sabotage: Sabotage = .none, traceLimit: Int? = nil) {
        let seed = scenario.seed
        self.seed = seed
        self.scenario = scenario
        random = SeededGenerator(seed: seed)
        let proofs = scenario.usesCryptography ? keys?.proofs ?? .arithmetic : .arithmetic
        let hosts = (0..<2).map { SimulatedHost(number: $0, scenario: scenario, proofs: proofs, sabotage: sabotage) }
        self.hosts = hosts
        flows = scenario.flows.map { flow in
            let ends = zip(hosts, flow.links).map { host, link in host.locators[link].address }
            return ULIDPair(local: ends[0], peer: ends[1])
        }
        modes = flows.map { _ in .silent }
        network.delays = scenario.delays
        tally.flows = flows.map { _ in [Tally.Way(), Tally.Way()] }
        trace = traceLimit.map(Trace.init(limit:))
        for (seconds, action) in scenario.actions { schedule(.action(action), after: seconds) }
        for flow in flows.indices {
            for host in 0...1 { schedule(.tick(flow: flow, from: host), after: random.seconds(0.01...1)) }
        }
    }

    /// Runs to the end, or to the first violation.
    public func run() {
        while failure == nil, !isFinished, let item = queue.popMin() {
            now = Instant(nanoseconds: max(now.nanoseconds, item.time))
            happen(item.happening)
        }
        if failure == nil, scenario.isRandom { checkEnd() }
    }

    /// What happened last, at least `traceLimit` lines of it.
    public var traceLines: [String] { trace?.lines ?? [] }

    func note(_ line: @autoclosure () -> String) {
        guard trace != nil else { return }
        trace?.add(virtualSeconds, line())
    }

    func fail(_ reason: String) {
        guard failure == nil else { return }
        failure = "seed \(seed), second \(virtualSeconds): \(reason)"
        guard trace != nil else { return }
        status.forEach { note($0) }
        note("VIOLATION \(reason)")
    }

    func schedule(_ happening: Happening, after seconds: Double) {
        schedule(happening, at: Instant(nanoseconds: now.nanoseconds + UInt64(seconds * 1e9)))
    }

    func schedule(_ happening: Happening, at time: Instant) {
        itemNumber += 1
        queue.insert(Item(time: time.nanoseconds, number: itemNumber, happening: happening))
    }

    private func happen(_ happening: Happening) {
        switch happening {
        case .action(let action):
            note("** \(action)")
            act(action)
        case .tick(let flow, let from):
            tick(flow, from: from)
        case .arrival(let packet, let path):
            arrive(packet, path)
        case .report(let event, let host, let run):
            if hosts[host].run == run { report(event, to: hosts[host]) }
        case .timer(let timer, let deadline, let host, let run):
            if hosts[host].run == run { timerDue(timer, deadline, hosts[host]) }
        case .idleCheck(let tag, let host, let run):
            if hosts[host].run == run { checkIdle(tag, hosts[host]) }
        case .resume(let host, let run):
            if hosts[host].run == run { resume(hosts[host]) }
        }
    }

    // MARK: - What the scenario does

    private func act(_ action: Scenario.Action) {
        switch action {
        case .cutLink(let half): network.cutLinks.insert(half)
        case .healLink(let half): network.cutLinks.remove(half)
        case .cutPath(let path): network.cutPaths.insert(path)
        case .healPath(let path): network.cutPaths.remove(path)
        case .loss(let probability): network.loss = probability
        case .duplication(let probability): network.duplication = probability
        case .spread(let seconds): network.spread = seconds
        case .removeLocator(let host, let link): setAddress(of: hosts[host], link, present: false)
        case .restoreLocator(let host, let link): setAddress(of: hosts[host], link, present: true)
        case .renumber(let host, let link):
            hosts[host].giveAddress(to: link)
            reportLocators(of: hosts[host])
        case .stop(let host, let byCrash): stop(hosts[host], byCrash: byCrash)
        case .start(let host):
            hosts[host].start(random: SeededGenerator(seed: random.next()))
            reportLocators(of: hosts[host])
        case .stall(let host, let seconds): stall(hosts[host], seconds: seconds)
        case .removeContext(let host, let flow):
            if let tag = hosts[host].daemon?.snapshot(of: ulids(of: flow, at: host))?.localTag {
                report(.remove(tag), to: hosts[host])
            }
        case .establish(let host, let flow): report(.establish(ulids(of: flow, at: host)), to: hosts[host])
        case .trigger(let host, let flow): report(.trigger(ulids(of: flow, at: host)), to: hosts[host])
        case .replay(let host): replay(to: hosts[host])
        case .forge(let make): make(record).map(deliver)
        case .refuseLast(let host): refuseLast(of: hosts[host])
        case .forgeProblem(let host, let flow): forgeProblem(to: hosts[host], flow)
        case .mode(let flow, let mode): modes[flow] = mode
        case .heal: heal()
        case .measure: tally.isMeasuring = true
        case .silence:
            if scenario.isRandom { checkLiveness() }
            tally.isMeasuring = false
            modes = modes.map { _ in .silent }
        case .finish: isFinished = true
        }
    }

    private func heal() {
        network.heal()
        modes = modes.map { _ in .bothWays }
        for host in hosts {
            for link in 0...1 where host.addresses[link] == nil { setAddress(of: host, link, present: true) }
        }
    }

    /// Takes the address from a link, or puts it back.
    private func setAddress(of host: SimulatedHost, _ link: Int, present: Bool) {
        if present, host.addresses[link] == nil {
            host.addresses[link] = host.parked[link]
        } else if !present, let address = host.addresses[link] {
            host.parked[link] = address
            host.addresses[link] = nil
        }
        reportLocators(of: host)
    }

    private func reportLocators(of host: SimulatedHost) {
        report(.localLocators(host.locators), to: host)
    }

    private func stop(_ host: SimulatedHost, byCrash: Bool) {
        if !byCrash, host.daemon != nil { process(.shutdown, host) }
        host.stop()
    }

    private func stall(_ host: SimulatedHost, seconds: Double) {
        let end = now + .nanoseconds(Int64(seconds * 1e9))
        guard host.daemon != nil, end > host.stalledUntil else { return }
        host.stalledUntil = end
        schedule(.resume(host: host.number, run: host.run), at: end)
    }

    /// After a stall, what came in is taken in before any timer.
    private func resume(_ host: SimulatedHost) {
        guard host.stalledUntil <= now else { return }
        let backlog = host.backlog
        let lateTimers = host.lateTimers
        host.backlog = []
        host.lateTimers = []
        for event in backlog where failure == nil { process(event, host) }
        for (timer, deadline) in lateTimers where failure == nil { timerDue(timer, deadline, host) }
    }

    // MARK: - Traffic

    func ulids(of flow: Int, at host: Int) -> ULIDPair {
        let pair = flows[flow]
        return host == 0 ? pair : ULIDPair(local: pair.peer, peer: pair.local)
    }

    /// The host's contexts as it shows them.
    public func contexts(of host: Int) -> [ContextSnapshot] { hosts[host].daemon?.contexts ?? [] }

    /// The addresses that a host has now.
    public func addresses(of host: Int) -> Set<IPv6Address> { Set(hosts[host].addresses.compactMap { $0 }) }

    /// Whether a host waits for nothing.
    public func hasNoTimers(_ host: Int) -> Bool { hosts[host].armed.isEmpty && hosts[host].idleWatches.isEmpty }

    private func tick(_ flow: Int, from host: Int) {
        let interval = scenario.flows[flow].interval
        schedule(.tick(flow: flow, from: host), after: random.seconds(interval * 0.5...interval * 1.5))
        guard modes[flow].sends(from: host) else { return }
        sendPayload(flow, from: hosts[host], asksForReply: modes[flow] == .requests)
    }

    func sendPayload(_ flow: Int, from host: SimulatedHost, asksForReply: Bool) {
        let ulids = ulids(of: flow, at: host.number)
        let payload = Payload(flow: flow, source: ulids.local, destination: ulids.peer, asksForReply: asksForReply)
        tally.sent(flow, from: host.number)
        switch host.datapath.send(payload, at: now) {
        case .send(let packet, let tag, let notify):
            if let tag { visitPayload(tag, .payloadSent, host) }
            if let tag, notify { reportSoon(.activity(tag, .outgoing), host) }
            transmit(packet, from: host)
        case .sendAndTrigger(let packet, let ulids):
            reportSoon(.trigger(ulids), host)
            transmit(packet, from: host)
        }
    }

    /// The ring buffer takes a moment.
    func reportSoon(_ event: Event, _ host: SimulatedHost) {
        guard host.daemon != nil else { return }
        schedule(.report(event, host: host.number, run: host.run), after: 0.0002)
    }
}
