import REAP
import Shim6Core
import Shim6Wire

/// One run: some hosts, their links, virtual time. The same seed gives the same run.
public final class World {
    enum Happening {
        case action(Scenario.Action)
        case tick(flow: Int, end: Int)
        case arrival(Packet, Network.Path)
        /// A packet from somebody on no path of a flow.
        case intrusion(Packet, host: Int)
        /// What the data path or the kernel reports to a run of a daemon.
        case report(Event, host: Int, run: Int)
        case timer(Timer, Instant, host: Int, run: Int)
        case idleCheck(ContextTag, host: Int, run: Int)
        case resume(host: Int, run: Int)
    }

    public let seed: UInt64
    let scenario: Scenario
    let hosts: [SimulatedHost]
    let intruder: Intruder
    var network = Network()
    var random: SeededGenerator
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private var agenda = Agenda<Happening>()

    /// The ULIDs of each flow, as seen from its first end.
    let flows: [ULIDPair]
    var modes: [Scenario.Mode]
    /// Where and when a Probe last arrived, by its pair: proof that a pair works.
    var probesArrived: [LocatorPair: Instant] = [:]
    struct WayOfFlow: Hashable {
        var flow: Int
        var to: Int
    }
    /// Since when the payload of a flow has arrived with a tag that its receiver does not have.
    var unknownSince: [WayOfFlow: Instant] = [:]
    var tally = Tally()
    public internal(set) var coverage = Coverage()
    /// What was violated first; the run ends there.
    public internal(set) var failure: String?
    private var trace: Trace?
    var isFinished = false
    var stepsUntilWholeCheck = 0
    /// Every packet of a scripted run, in the order in which they were sent.
    public internal(set) var record: [SentPacket] = []

    public var deliveries: Int { tally.deliveries }
    public var virtualSeconds: Double { Double(now.nanoseconds) / 1e9 - 1 }
    public var events: UInt64 { agenda.total }
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
        let hosts = scenario.links.indices.map {
            SimulatedHost(number: $0, scenario: scenario, proofs: proofs, sabotage: sabotage)
        }
        self.hosts = hosts
        intruder = Intruder(keys: scenario.usesCryptography ? keys : nil, hosts: hosts.count)
        flows = scenario.flows.map { flow in
            let ends = zip(flow.hosts, flow.links).map { hosts[$0].locators[$1].address }
            return ULIDPair(local: ends[0], peer: ends[1])
        }
        modes = flows.map { _ in .silent }
        network.delays = scenario.delays
        tally.flows = flows.map { _ in [Tally.Way(), Tally.Way()] }
        trace = traceLimit.map(Trace.init(limit:))
        for (seconds, action) in scenario.actions { schedule(.action(action), after: seconds) }
        for flow in flows.indices {
            for end in 0...1 { schedule(.tick(flow: flow, end: end), after: random.seconds(0.01...1)) }
        }
    }

    /// Runs to the end, or to the first violation.
    public func run() {
        while failure == nil, !isFinished, let item = agenda.next() {
            now = max(now, item.time)
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

    func schedule(_ happening: Happening, at time: Instant) { agenda.enter(happening, at: time) }

    private func happen(_ happening: Happening) {
        switch happening {
        case .action(let action):
            note("** \(action)")
            act(action)
        case .tick(let flow, let end):
            tick(flow, from: end)
        case .arrival(let packet, let path):
            let host = hosts[path.toHost]
            if host.link(of: packet.destination) == path.toLink, !network.isCut(path) { arrive(packet, host) }
        case .intrusion(let packet, let host):
            note("intruder to \(hosts[host].name): \(describe(packet))")
            if hosts[host].link(of: packet.destination) != nil { arrive(packet, hosts[host]) }
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

    // MARK: - Who is who

    /// The host that has or had an address.
    func owner(of address: IPv6Address) -> SimulatedHost? { hosts.first { $0.owned.contains(address) } }

    /// The ULIDs of a flow, as seen from one of its ends.
    func ulids(of flow: Int, at host: Int) -> ULIDPair {
        let pair = flows[flow]
        return host == scenario.flows[flow].hosts[0] ? pair : pair.reversed
    }

    /// What the host's own clock says.
    func clock(of host: SimulatedHost) -> Instant { now + host.clockLead }

    /// The host's contexts as it shows them.
    public func contexts(of host: Int) -> [ContextSnapshot] { hosts[host].daemon?.contexts ?? [] }

    /// What the host has counted; nil while it has no daemon.
    public func counters(of host: Int) -> HostCounters? { hosts[host].daemon?.counters }

    /// What the host's data path has.
    public func dataPath(of host: Int) -> [DataPathEntry] { Array(hosts[host].dataPath.entries.values) }

    /// The addresses that a host has now.
    public func addresses(of host: Int) -> Set<IPv6Address> { Set(hosts[host].addresses.compactMap { $0 }) }

    /// How much payload was sent and delivered since the action `measure`, from each end of a flow.
    public func measured(flow: Int) -> [(sent: Int, delivered: Int)] {
        tally.flows[flow].map { ($0.measuredSent, $0.measuredDelivered) }
    }

    /// Whether a host waits for nothing.
    public func hasNoTimers(_ host: Int) -> Bool { hosts[host].armed.isEmpty && hosts[host].idleWatches.isEmpty }
}

extension ULIDPair {
    /// The same pair as the peer sees it.
    var reversed: ULIDPair { ULIDPair(local: peer, peer: local) }
}
