import REAP
import Shim6Wire
import Stamps
import Testing

/// SplitMix64: the same seed gives the same numbers.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}

extension Stamps {
    /// Sets both timers by hand.
    func set(send: Instant?, keep: Instant?) {
        sendStart = send
        keepStart = keep
    }
}

func address(_ text: String) -> IPv6Address {
    guard let address = IPv6Address(text) else { fatalError("not an address: \(text)") }
    return address
}

let a1 = address("2001:db8:a1::1")
let a2 = address("2001:db8:a2::1")
let b1 = address("2001:db8:b1::1")
let b2 = address("2001:db8:b2::1")

func pair(_ source: IPv6Address, _ destination: IPv6Address) -> LocatorPair {
    LocatorPair(source: source, destination: destination)
}

/// Seconds since the start of a test.
func at(_ seconds: Double) -> Instant { Instant(nanoseconds: UInt64((seconds * 1e9).rounded())) }

extension Instant {
    var seconds: Double { Double(nanoseconds) / 1e9 }
}

extension REAPConfiguration {
    /// The RFC's values to the tick.
    static let exact = REAPConfiguration(jitterPermille: 0)
}

/// A machine with its stamps: host A, whose peer B has two locators too.
struct Rig {
    var machine: REAPMachine
    let stamps = Stamps()
    var paths = SharedPaths()
    var random: RandomSource

    init(
        _ configuration: REAPConfiguration = .exact, current: LocatorPair = pair(a1, b1),
        local: [IPv6Address] = [a1, a2], peer: [IPv6Address] = [b1, b2], seed: UInt64 = 1
    ) {
        random = RandomSource(SeededGenerator(seed: seed))
        machine = REAPMachine(
            current: current, peerTag: ContextTag(truncating: 0xb), local: local, peer: peer,
            configuration: configuration, random: &random)
        _ = handle(.established, 0)
    }

    mutating func handle(_ event: REAPEvent, _ seconds: Double) -> [REAPEffect] {
        machine.handle(event, stamps: stamps, paths: paths, random: random, at: at(seconds))
    }

    /// Payload goes out; the machine hears of it only if it asked to.
    mutating func payloadOut(_ seconds: Double) -> [REAPEffect] {
        stamps.stampOut(at: at(seconds)) ? handle(.payloadSent, seconds) : []
    }

    /// Payload comes in; the machine hears of it only if it asked to.
    mutating func payloadIn(_ seconds: Double) -> [REAPEffect] {
        stamps.stampIn(at: at(seconds)) ? handle(.payloadReceived, seconds) : []
    }

    /// Fires every timer that is due up to `end`, in order, and returns what was sent when.
    mutating func run(until end: Double) -> [(seconds: Double, effect: REAPEffect)] {
        var log: [(seconds: Double, effect: REAPEffect)] = []
        while let timer = nextTimer, let deadline = machine.deadline(of: timer), deadline <= at(end) {
            log += handle(.timer(timer), deadline.seconds).map { (deadline.seconds, $0) }
        }
        return log
    }

    private var nextTimer: REAPTimer? {
        REAPTimer.allCases.filter { machine.deadline(of: $0) != nil }.min {
            (machine.deadline(of: $0) ?? at(0)) < (machine.deadline(of: $1) ?? at(0))
        }
    }

    /// Takes the machine to Exploring: payload at `seconds`, nothing back. Returns the first Probe.
    mutating func explore(from seconds: Double = 0) -> REAPEffect? {
        _ = payloadOut(seconds)
        return run(until: seconds + 15).map(\.effect).last { $0.probe != nil }
    }

    /// A Probe of the peer on `pair`, which reports `reports`.
    mutating func probe(
        _ state: ProbeState, on pair: LocatorPair, nonce: UInt32 = 77, reporting reports: [ProbeReport] = [],
        _ seconds: Double
    ) -> [REAPEffect] {
        let own = ProbeReport(source: pair.source, destination: pair.destination, nonce: nonce, data: 0xdeadbeef)
        let probe = Probe(
            receiverTag: ContextTag(truncating: 0xa), state: state, sent: [own], received: reports)
        return handle(.probeReceived(probe, pair), seconds)
    }
}

extension REAPEffect {
    var probe: Probe? {
        if case .sendProbe(let probe, _) = self { probe } else { nil }
    }
    var probePair: LocatorPair? {
        if case .sendProbe(_, let pair) = self { pair } else { nil }
    }
    var keepalivePair: LocatorPair? {
        if case .sendKeepalive(let pair) = self { pair } else { nil }
    }
}
