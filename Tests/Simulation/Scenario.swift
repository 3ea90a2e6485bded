import REAP
import Shim6Core
import Shim6Wire

/// Everything that is decided before the first packet, by a seed or by a script: the hosts' settings, the flows, and
/// what goes wrong when.
public struct Scenario {
    public struct Flow {
        /// The links of host 0 and host 1 whose addresses are the ULIDs.
        var links: [Int]
        /// Seconds between packets, about.
        var interval: Double

        public init(links: [Int] = [0, 0], interval: Double) {
            self.links = links
            self.interval = interval
        }
    }

    public enum Mode: CaseIterable, Sendable {
        case bothWays, requests, fromHost0, fromHost1, silent

        func sends(from host: Int) -> Bool {
            switch self {
            case .bothWays: true
            case .requests, .fromHost0: host == 0
            case .fromHost1: host == 1
            case .silent: false
            }
        }
    }

    /// How a host without a daemon takes control messages.
    public enum Legacy: Sendable { case silent, answersParameterProblem }

    public enum Action {
        case cutLink(Network.HalfLink), healLink(Network.HalfLink)
        case cutPath(Network.Path), healPath(Network.Path)
        case loss(Double), duplication(Double), spread(Double)
        case removeLocator(host: Int, link: Int), restoreLocator(host: Int, link: Int), renumber(host: Int, link: Int)
        case stop(host: Int, byCrash: Bool), start(host: Int), stall(host: Int, seconds: Double)
        case removeContext(host: Int, flow: Int), establish(host: Int, flow: Int), trigger(host: Int, flow: Int)
        /// Control messages that the host received earlier come in again, whatever has become of their context.
        case replay(host: Int)
        /// Somebody makes a message of what was sent so far; it comes in at the host that has its destination.
        case forge((_ sent: [SentPacket]) -> ForgedMessage?)
        /// A Parameter Problem comes in about the control message that the host sent last.
        case refuseLast(host: Int)
        /// A Parameter Problem about something else than an I1 comes in.
        case forgeProblem(host: Int, flow: Int)
        case mode(flow: Int, Mode)
        /// Every fault ends; from here on all flows send both ways.
        case heal
        /// From here on every packet of a flow that can work has to arrive.
        case measure
        case silence
        case finish
    }

    static let faultsEnd = 600.0
    /// Long enough for the slowest repetition: Probes and Update Requests come back after a minute or two.
    static let measured = 1000.0...1060.0

    var seed: UInt64
    /// Whether it is a random one, at whose end everything that can work is seen to work, and then to come to an end.
    var isRandom = true
    var usesCryptography: Bool
    var configurations: [HostConfiguration]
    var triggerThreshold: Int
    var flows: [Flow]
    var delays: [Network.Path: Double] = [:]
    var legacy: Legacy?
    /// In order of time.
    var actions: [(seconds: Double, action: Action)] = []

    /// A scripted run. It ends with the action `finish`.
    public init(
        configuration: HostConfiguration, peerConfiguration: HostConfiguration? = nil, flows: [Flow],
        delay: Double = 0.01, actions: [(seconds: Double, action: Action)]
    ) {
        seed = 1
        isRandom = false
        usesCryptography = false
        configurations = [configuration, peerConfiguration ?? configuration]
        triggerThreshold = 3
        self.flows = flows
        for path in Self.paths { delays[path] = delay }
        let starts: [(Double, Action)] = [(0, .start(host: 0)), (0, .start(host: 1))]
        self.actions = starts + actions
    }

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed &* 0x2545_f491_4f6c_dd1d &+ 1)
        self.seed = seed
        usesCryptography = seed % 16 == 0
        configurations = (0..<2).map { _ in Self.configuration(&random) }
        triggerThreshold = Int.random(in: 3...30, using: &random)
        flows = (0..<4).shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random)).map {
            Flow(links: [$0 & 1, $0 >> 1], interval: random.seconds(0.4...1.2))
        }
        for path in Self.paths { delays[path] = random.seconds(0.002...0.12) }
        if random.chance(0.2) {
            legacy = random.chance(0.5) ? .silent : .answersParameterProblem
            actions.append((random.seconds(30...300), .start(host: 1)))
        } else {
            actions.append((0, .start(host: 1)))
        }
        actions.append((0, .start(host: 0)))
        addModes(&random)
        addFaults(&random)
        addEnd()
        actions.sort { $0.seconds < $1.seconds }
    }

    private static var paths: [Network.Path] {
        (0..<8).map { Network.Path(fromHost: $0 >> 2, fromLink: $0 >> 1 & 1, toLink: $0 & 1) }
    }

    private static func configuration(_ random: inout SeededGenerator) -> HostConfiguration {
        var configuration = HostConfiguration()
        let sendTimeouts: [Duration] = [.seconds(1), .seconds(2), .milliseconds(4500), .seconds(15), .seconds(15)]
        configuration.reap.sendTimeout = sendTimeouts.randomElement(using: &random) ?? .seconds(15)
        configuration.reap.jitterPermille = [0, 50, 200].randomElement(using: &random) ?? 0
        configuration.idleTimeout = .seconds([60, 120, 300, 600].randomElement(using: &random) ?? 600)
        configuration.maximumContexts = random.chance(0.1) ? 2 : 8
        return configuration
    }

    private mutating func addModes(_ random: inout SeededGenerator) {
        for flow in flows.indices {
            var time = 0.0
            while time < Self.faultsEnd {
                let mode = Mode.allCases.randomElement(using: &random) ?? .bothWays
                actions.append((time, .mode(flow: flow, time == 0 && mode == .silent ? .bothWays : mode)))
                // Now and then long enough for an idle context to end.
                time += mode == .silent && random.chance(0.3) ? random.seconds(60...200) : random.seconds(10...90)
            }
        }
    }

    private mutating func addFaults(_ random: inout SeededGenerator) {
        var renumbered: Set<Int> = []
        for _ in 0..<Int.random(in: 3...14, using: &random) {
            let start = random.seconds(15...560)
            let end = min(start + random.seconds(0.5...120), Self.faultsEnd)
            let host = Int.random(in: 0...1, using: &random)
            let link = Int.random(in: 0...1, using: &random)
            func add(_ first: Action, _ last: Action? = nil) {
                actions.append((start, first))
                if let last { actions.append((end, last)) }
            }
            switch Int.random(in: 0..<20, using: &random) {
            case 0...2:
                for isOutbound in [true, false] {
                    let half = Network.HalfLink(host: host, link: link, isOutbound: isOutbound)
                    add(.cutLink(half), .healLink(half))
                }
            case 3, 4:
                let half = Network.HalfLink(host: host, link: link, isOutbound: random.chance(0.5))
                add(.cutLink(half), .healLink(half))
            case 5, 6:
                for path in Self.paths where random.chance(0.4) { add(.cutPath(path), .healPath(path)) }
            case 7:
                for link in 0...1 {
                    let half = Network.HalfLink(host: host, link: link, isOutbound: random.chance(0.8))
                    add(.cutLink(half), .healLink(half))
                }
            case 8: add(.loss(random.seconds(0.01...0.4)), .loss(0))
            case 9:
                add(.duplication(random.seconds(0.01...0.5)), .duplication(0))
                add(.spread(random.seconds(0.01...0.8)), .spread(0.005))
            case 10: add(.removeLocator(host: host, link: link), .restoreLocator(host: host, link: link))
            case 11:
                // Once a host, and the link with the ULID of the first flow keeps its address: the peer has to know a
                // locator that is left, and one flow in each run has to live for ever.
                if renumbered.insert(host).inserted { add(.renumber(host: host, link: 1 - flows[0].links[host])) }
            case 12:
                add(.stop(host: host, byCrash: random.chance(0.5)))
                actions.append((start + random.seconds(0.1...20), .start(host: host)))
            case 13: add(.stall(host: host, seconds: random.seconds(0.2...6)))
            case 14:
                // The ULIDs' own path fails towards a host, so that the peer moves. Then the host loses its contexts, and
                // has a hard time making new ones.
                let flow = flows.randomElement(using: &random) ?? flows[0]
                let path = Network.Path(fromHost: 1 - host, fromLink: flow.links[1 - host], toLink: flow.links[host])
                let restart = start + random.seconds(5...30)
                actions += [
                    (start, .cutPath(path)), (restart, .stop(host: host, byCrash: true)), (restart, .healPath(path)),
                    (restart, .loss(0.6)), (restart + 0.5, .start(host: host)), (restart + 80, .loss(0)),
                ]
            case 15:
                actions += (0..<8).map { _ in
                    (min(start + random.seconds(0...100), Self.faultsEnd), .replay(host: host))
                }
            default:
                disturb(Int.random(in: flows.indices, using: &random), of: host, start, &random)
            }
        }
    }

    /// Makes a context anew in the middle of traffic.
    private mutating func disturb(_ flow: Int, of host: Int, _ start: Double, _ random: inout SeededGenerator) {
        if random.chance(0.7) { actions.append((start, .removeContext(host: host, flow: flow))) }
        if random.chance(0.2) { actions.append((start, .stall(host: host, seconds: random.seconds(0.1...1)))) }
        actions.append((start, .establish(host: host, flow: flow)))
    }

    private mutating func addEnd() {
        actions.append((Self.faultsEnd, .heal))
        actions.append((Self.measured.lowerBound, .measure))
        actions.append((Self.measured.upperBound, .silence))
        let idle = configurations.map { Double($0.idleTimeout.components.seconds) }.max() ?? 600
        // Whoever believes that the peer does not speak Shim6 believes it for ten minutes.
        actions.append((Self.measured.upperBound + max(2 * idle + 20, 620), .finish))
    }
}
