import DequeModule
import REAP
import Shim6Control
import Shim6Core
import Shim6Wire

/// The failovers of all contexts, each from the suspicion to the first payload on the new pair. Bounded: the oldest goes.
struct Timeline {
    private let limit: Int
    private var failovers: Deque<Failover> = []
    /// The number of the failover that a context is in. Its place follows from it, since numbers are consecutive.
    private var open: [ContextTag: UInt64] = [:]
    /// Contexts whose failover still takes Probes: until they are operational again.
    private var exploring: Set<ContextTag> = []
    /// A Probe that came in while nothing was wrong: it may be the reason of the suspicion that follows.
    private var early: [ContextTag: Failover.ProbeStep] = [:]
    private var count: UInt64 = 0
    /// What one exploration may fill: a path that is dead for days must not.
    private static let stepLimit = 256

    init(limit: Int) {
        self.limit = limit
    }

    var used: Int { failovers.count }
    /// How many had to go.
    var forgotten: UInt64 { count - UInt64(failovers.count) }

    func report(of tag: ContextTag?) -> TimelineReport {
        TimelineReport(failovers: failovers.filter { tag == nil || $0.tag == tag })
    }

    /// `outgoing` is the pair of the context's outgoing payload before the notice.
    mutating func record(_ notice: Notice, outgoing: LocatorPair?) {
        guard let tag = notice.tag else { return }
        let at = Moment(notice.at)
        switch notice.kind {
        case .reachability(let from, let to, let reason, let lastIn, let lastOut):
            if from == .operational, to != .operational {
                guard let ulids = notice.ulids else { return }
                let pair = outgoing ?? LocatorPair(source: ulids.local, destination: ulids.peer)
                begin(tag, ulids, pair, at: at, reason: reason, lastIn: lastIn, lastOut: lastOut)
            } else if to == .operational {
                exploring.remove(tag)
                change(tag) { $0.outcome = $0.switches.isEmpty ? .resumed : .switched }
            }
        case .probeSent(let pair, let nonce, let state):
            add(
                Failover.ProbeStep(
                    at: at, seconds: 0, direction: .sent, pair: pair, nonce: nonce, state: state.rawValue),
                to: tag)
        case .probeReceived(let pair, let nonce, let state, let reports):
            add(
                Failover.ProbeStep(
                    at: at, seconds: 0, direction: .received, pair: pair, nonce: nonce, state: state.rawValue,
                    reports: reports),
                to: tag)
        case .switched(let from, let to, let reason):
            // A return or an order is no failover.
            guard reason == .exploration else { return }
            change(tag) { failover in
                guard failover.switches.count < Self.stepLimit else { return }
                let seconds = at.seconds(since: failover.suspicion)
                failover.switches.append(Failover.SwitchStep(at: at, seconds: seconds, from: from, to: to))
                failover.outcome = .switched
            }
        case .firstPayload(let direction, let pair):
            change(tag) { failover in
                let step = Failover.Step(at: at, seconds: at.seconds(since: failover.suspicion), pair: pair)
                switch direction {
                case .outgoing where failover.firstOut == nil: failover.firstOut = step
                case .incoming where failover.firstIn == nil:
                    failover.firstIn = step
                    if let lastIn = failover.lastIn { failover.gap = at.seconds(since: lastIn.at) }
                case .outgoing, .incoming: break
                }
            }
        case .state(_, let to, _) where to == nil:
            change(tag) { if $0.outcome == .open { $0.outcome = .ended } }
            open.removeValue(forKey: tag)
            early.removeValue(forKey: tag)
            exploring.remove(tag)
        case .state, .peerLocators, .locatorsAnnounced, .locatorsAcknowledged, .keepaliveSent, .confused,
            .switchRefused, .damped:
            break
        }
    }

    private mutating func begin(
        _ tag: ContextTag, _ ulids: ULIDPair, _ pair: LocatorPair, at: Moment, reason: REAPReason, lastIn: Instant?,
        lastOut: Instant?
    ) {
        func step(_ instant: Instant?) -> Failover.Step? {
            instant.map(Moment.init).map { Failover.Step(at: $0, seconds: $0.seconds(since: at)) }
        }
        if failovers.count == limit { failovers.removeFirst() }
        count += 1
        open[tag] = count
        failovers.append(
            Failover(
                number: count, tag: tag, ulids: ulids, pair: pair, outcome: .open, suspicion: at,
                reason: reason.rawValue, lastIn: step(lastIn), lastOut: step(lastOut)))
        exploring.insert(tag)
        if let probe = early.removeValue(forKey: tag), reason == .probeExploringReceived { add(probe, to: tag) }
    }

    private mutating func add(_ probe: Failover.ProbeStep, to tag: ContextTag) {
        guard exploring.contains(tag) else {
            if probe.direction == .received { early[tag] = probe }
            return
        }
        change(tag) { failover in
            guard failover.probes.count < Self.stepLimit else { return }
            var probe = probe
            probe.seconds = probe.at.seconds(since: failover.suspicion)
            failover.probes.append(probe)
        }
    }

    private mutating func change(_ tag: ContextTag, _ body: (inout Failover) -> Void) {
        guard let number = open[tag], let first = failovers.first?.number else { return }
        guard number >= first else {
            open.removeValue(forKey: tag)
            return
        }
        body(&failovers[Int(number - first)])
    }
}
