import REAP
import Shim6Core
import Shim6Wire

/// Everything that is decided before the first packet, by a seed or by a script: the hosts and their settings, the
/// flows, and what goes wrong when.
public struct Scenario {
    /// What two sockets send each other.
    public struct Flow {
        /// Its two ends: the hosts, and the links whose addresses are the ULIDs.
        var hosts: [Int]
        var links: [Int]
        /// Seconds between packets, about.
        var interval: Double

        public init(hosts: [Int] = [0, 1], links: [Int] = [0, 0], interval: Double) {
            self.hosts = hosts
            self.links = links
            self.interval = interval
        }
    }

    /// Which ends of a flow send. Host 0 stands for its first end, host 1 for its second.
    public enum Mode: CaseIterable, Sendable {
        case bothWays, requests, fromHost0, fromHost1, silent

        func sends(from end: Int) -> Bool {
            switch self {
            case .bothWays: true
            case .requests, .fromHost0: end == 0
            case .fromHost1: end == 1
            case .silent: false
            }
        }
    }

    /// A host that has no daemon at first, and how it takes control messages until then.
    public struct Legacy {
        var host: Int
        var answersParameterProblem: Bool
    }

    public enum Action {
        case cutLink(Network.HalfLink), healLink(Network.HalfLink)
        case cutPath(Network.Path), healPath(Network.Path)
        /// Payload of a flow is dropped on a path, and messages pass.
        case dropPayload(Network.Path, flow: Int), passPayload(Network.Path, flow: Int)
        /// The same on the pairs that its contexts use now, if they have others.
        case dropPayloadInUse(flow: Int)
        case loss(Double), duplication(Double), spread(Double)
        case removeLocator(host: Int, link: Int), restoreLocator(host: Int, link: Int), renumber(host: Int, link: Int)
        /// A link gets an address in a new prefix, and nobody says that the old one is over: the host still has it and offers it,
        /// but nothing goes to or from it any more (RFC 8978).
        case renumberUnannounced(host: Int, link: Int)
        /// The daemon ends; the data path goes on as it was if the daemon crashed.
        case stop(host: Int, byCrash: Bool), start(host: Int)
        /// The whole host is down for a while, and knows nothing of before when it is back.
        case reboot(host: Int, seconds: Double)
        /// The daemon stands still for a while; with `deaf` the whole host does, and loses what arrives.
        case stall(host: Int, seconds: Double, deaf: Bool)
        /// The host's clock leaps. It is a monotonic one, so it never goes back.
        case jump(host: Int, seconds: Double)
        case removeContext(host: Int, flow: Int), establish(host: Int, flow: Int), trigger(host: Int, flow: Int)
        /// An operator forks a context off that of a flow.
        case fork(host: Int, flow: Int)
        /// Something hints at a failure of the path of a flow's context.
        case hint(host: Int, flow: Int, REAPHint)
        /// Somebody who is on no path does something to one end of a flow.
        case intrude(Intrusion, host: Int, flow: Int)
        /// Somebody makes a message of what was sent so far; it comes in at the host that has its destination.
        case forge((_ sent: [SentPacket]) -> ForgedMessage?)
        /// A Parameter Problem comes in about the control message that the host sent last.
        case refuseLast(host: Int)
        /// What the host tells its peers of the locator on a link.
        case prefer(host: Int, link: Int, LocatorPreferences.Element)
        /// The host's Send Timeout is another from now on.
        case sendTimeout(host: Int, Duration)
        case mode(flow: Int, Mode)
        /// Every fault ends; from here on all flows send both ways.
        case heal
        /// From here on every packet of a flow that can work has to arrive.
        case measure
        case silence
        case finish
    }

    var seed: UInt64
    /// Whether it is a random one, at whose end everything that can work is seen to work, and then to come to an end.
    var isRandom = true
    /// Until when faults are made, in a random one.
    var faultsEnd = 0.0
    /// Whether keys prove addresses; it needs the keys of the world.
    public var usesCryptography = false
    /// Hosts that have neither CGA nor HBA.
    public var unproven: Set<Int> = []
    /// Each host's.
    var configurations: [HostConfiguration]
    var links: [Int]
    var triggerThreshold = 3
    /// Half of the contexts have a socket when it is asked for the first time what uses them. Later they have none.
    var sessionsOutlastSilence = false
    var flows: [Flow]
    var delays: [Network.Path: Double] = [:]
    var legacy: Legacy?
    /// In order of time.
    var actions: [(seconds: Double, action: Action)] = []

    /// A scripted run of two hosts. It ends with the action `finish`.
    public init(
        configuration: HostConfiguration, peerConfiguration: HostConfiguration? = nil, flows: [Flow],
        links: [Int] = [2, 2], delay: Double = 0.01, actions: [(seconds: Double, action: Action)]
    ) {
        seed = 1
        isRandom = false
        configurations = [configuration, peerConfiguration ?? configuration]
        self.links = links
        self.flows = flows
        for path in Self.paths(links) { delays[path] = delay }
        let starts: [(Double, Action)] = [(0, .start(host: 0)), (0, .start(host: 1))]
        self.actions = starts + actions
    }

    /// All ways between hosts with so many links.
    static func paths(_ links: [Int]) -> [Network.Path] {
        var paths: [Network.Path] = []
        for from in links.indices {
            for to in links.indices where to != from {
                for fromLink in 0..<links[from] {
                    for toLink in 0..<links[to] {
                        paths.append(Network.Path(fromHost: from, fromLink: fromLink, toHost: to, toLink: toLink))
                    }
                }
            }
        }
        return paths
    }
}
