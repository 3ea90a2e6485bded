import REAP
import Shim6Wire
import Testing

/// Two machines joined by links that can be cut a pair and direction at a time, in virtual time, with a record of what
/// passed, such as `15.000 A (A1,B1) Probe exploring lost`.
struct TwoHosts {
    enum Host: String, CaseIterable { case a = "A", b = "B" }

    enum Message: Equatable {
        case payload, keepalive
        case probe(Probe)
    }

    private struct Packet {
        var arrival: UInt64
        var receiver: Host
        var pair: LocatorPair
        var message: Message
    }

    struct Entry: Equatable {
        var seconds: Double
        var sender: Host
        var pair: LocatorPair
        var message: Message
        var isLost: Bool

        var isPayload: Bool { message == .payload }
    }

    private(set) var rigs: [Host: Rig]
    var cut: Set<LocatorPair> = []
    /// Where payload is dropped, while messages pass.
    var payloadCut: Set<LocatorPair> = []
    /// Hosts that answer each packet of payload.
    var answering: Set<Host> = []
    /// Where payload went, when it moved.
    private(set) var switches: [(seconds: Double, host: Host, pair: LocatorPair)] = []
    /// What part of the packets gets lost, in thousandths.
    var lossPermille = 0
    private var dice: SeededGenerator
    /// Hosts whose daemon is stopped: messages and timers wait for it, payload passes by it.
    var stopped: Set<Host> = []
    private(set) var log: [Entry] = []
    private var packets: [Packet] = []
    private var now: UInt64 = 0
    let delay: UInt64 = 10_000_000

    init(
        a: [IPv6Address] = [a1, a2], b: [IPv6Address] = [b1, b2], aSends: LocatorPair = pair(a1, b1),
        bSends: LocatorPair = pair(b1, a1), configuration: REAPConfiguration = .exact,
        paths: [Host: SharedPaths] = [:], seed: UInt64 = 1
    ) {
        rigs = [
            .a: Rig(configuration, current: aSends, local: a, peer: b, seed: seed),
            .b: Rig(configuration, current: bSends, local: b, peer: a, seed: seed + 1),
        ]
        dice = SeededGenerator(seed: seed)
        for (host, paths) in paths { rigs[host]?.paths = paths }
    }

    var seconds: Double { Double(now) / 1e9 }

    func state(_ host: Host) -> REAPState? { rigs[host]?.machine.state }
    func current(_ host: Host) -> LocatorPair? { rigs[host]?.machine.current }

    /// What `host` sent besides payload, in short: `Probe exploring`.
    func control(since start: Double = 0) -> [Entry] {
        log.filter { !$0.isPayload && $0.seconds >= start }
    }

    mutating func payload(from host: Host) {
        guard let pair = current(host) else { return }
        let effects = withRig(host) { [isStopped = stopped.contains(host)] in
            guard isStopped else { return $0.payloadOut($1) }
            _ = $0.stamps.stampOut(at: at($1))
            return []
        }
        send(.payload, from: host, on: pair)
        perform(effects, of: host)
    }

    /// Runs to `end`, with a payload packet from each of `senders` every `interval` seconds.
    mutating func run(until end: Double, payloadFrom senders: [Host] = [], every interval: Double = 0.1) {
        let end = at(end).nanoseconds
        let step = at(interval).nanoseconds
        var nextPayload = senders.isEmpty ? .max : now
        while true {
            let arrival = packets.filter { !waits($0) }.map(\.arrival).min() ?? .max
            let timer = nextTimer
            let next = min(arrival, timer?.deadline ?? .max, nextPayload)
            guard next <= end else { break }
            now = max(now, next)
            if next == arrival, let index = packets.firstIndex(where: { $0.arrival == arrival && !waits($0) }) {
                deliver(packets.remove(at: index))
            } else if next == nextPayload {
                nextPayload += step
                for host in senders { payload(from: host) }
            } else if let timer {
                perform(withRig(timer.host) { $0.handle(.timer(timer.timer), $1) }, of: timer.host)
            }
        }
        now = end
    }

    mutating func handle(_ event: REAPEvent, at host: Host) {
        perform(withRig(host) { $0.handle(event, $1) }, of: host)
    }

    private func waits(_ packet: Packet) -> Bool { stopped.contains(packet.receiver) && packet.message != .payload }

    private mutating func withRig(_ host: Host, _ body: (inout Rig, Double) -> [REAPEffect]) -> [REAPEffect] {
        let seconds = seconds
        guard var rig = rigs[host] else { return [] }
        defer { rigs[host] = rig }
        return body(&rig, seconds)
    }

    private var nextTimer: (deadline: UInt64, host: Host, timer: REAPTimer)? {
        var result: (deadline: UInt64, host: Host, timer: REAPTimer)?
        for host in Host.allCases where !stopped.contains(host) {
            for timer in REAPTimer.allCases {
                guard let deadline = rigs[host]?.machine.deadline(of: timer)?.nanoseconds else { continue }
                if deadline < result?.deadline ?? .max { result = (deadline, host, timer) }
            }
        }
        return result
    }

    private mutating func perform(_ effects: [REAPEffect], of host: Host) {
        for effect in effects {
            switch effect {
            case .sendKeepalive(let pair): send(.keepalive, from: host, on: pair)
            case .sendProbe(let probe, let pair): send(.probe(probe), from: host, on: pair)
            case .use(let pair, _, _): switches.append((seconds, host, pair))
            case .arm, .cancel, .changed, .tookProbe, .damped, .switchRefused: break
            }
        }
    }

    private mutating func send(_ message: Message, from host: Host, on pair: LocatorPair) {
        let isLost =
            cut.contains(pair) || message == .payload && payloadCut.contains(pair)
            || lossPermille > 0 && Int.random(in: 0..<1000, using: &dice) < lossPermille
        log.append(Entry(seconds: seconds, sender: host, pair: pair, message: message, isLost: isLost))
        if !isLost {
            packets.append(
                Packet(arrival: now + delay, receiver: host == .a ? .b : .a, pair: pair, message: message))
        }
    }

    private mutating func deliver(_ packet: Packet) {
        let effects: [REAPEffect]
        switch packet.message {
        case .payload:
            rigs[packet.receiver]?.stamps.incoming = packet.pair
            effects = withRig(packet.receiver) { [isStopped = stopped.contains(packet.receiver)] in
                guard isStopped else { return $0.payloadIn($1) }
                _ = $0.stamps.stampIn(at: at($1))
                return []
            }
        case .keepalive: effects = withRig(packet.receiver) { $0.handle(.keepaliveReceived, $1) }
        case .probe(let probe): effects = withRig(packet.receiver) { $0.handle(.probeReceived(probe, packet.pair), $1) }
        }
        perform(effects, of: packet.receiver)
        if packet.message == .payload, answering.contains(packet.receiver) { payload(from: packet.receiver) }
    }
}

extension TwoHosts.Entry: CustomStringConvertible {
    var description: String {
        let what =
            switch message {
            case .payload: "payload"
            case .keepalive: "Keepalive"
            case .probe(let probe): "Probe \(probe.state)"
            }
        return "\(sender.rawValue) (\(name(pair.source)),\(name(pair.destination))) \(what)\(isLost ? " lost" : "")"
    }

    private func name(_ address: IPv6Address) -> String {
        switch address {
        case a1: "A1"
        case a2: "A2"
        case b1: "B1"
        case b2: "B2"
        default: address.description
        }
    }
}
