import Shim6Wire

/// The links of all hosts, and what is wrong with them.
///
/// A packet leaves by the link of its source address and arrives by that of its destination address.
public struct Network {
    /// One way of one link of a host.
    public struct HalfLink: Hashable, Sendable {
        var host: Int
        var link: Int
        var isOutbound: Bool

        public init(host: Int, link: Int, isOutbound: Bool) {
            self.host = host
            self.link = link
            self.isOutbound = isOutbound
        }
    }

    /// One way between two links.
    public struct Path: Hashable, Sendable {
        public var fromHost: Int
        public var fromLink: Int
        public var toHost: Int
        public var toLink: Int

        /// Without `toHost` it leads to the other one of hosts 0 and 1.
        public init(fromHost: Int, fromLink: Int, toHost: Int? = nil, toLink: Int) {
            self.fromHost = fromHost
            self.fromLink = fromLink
            self.toHost = toHost ?? 1 - fromHost
            self.toLink = toLink
        }
    }

    var cutLinks: Set<HalfLink> = []
    var cutPaths: Set<Path> = []
    /// Where the payload of a flow is dropped, and nothing else.
    struct PayloadCut: Hashable {
        var path: Path
        var flow: Int
    }
    var payloadCuts: Set<PayloadCut> = []
    /// Probabilities.
    var loss = 0.0
    var duplication = 0.0
    /// Seconds: the delay of each path, and by how much a packet's differs. A large spread reorders packets.
    var delays: [Path: Double] = [:]
    var spread = 0.0

    func isCut(_ path: Path) -> Bool {
        cutPaths.contains(path)
            || cutLinks.contains(HalfLink(host: path.fromHost, link: path.fromLink, isOutbound: true))
            || cutLinks.contains(HalfLink(host: path.toHost, link: path.toLink, isOutbound: false))
    }

    /// Whether a path drops the payload of a flow.
    func drops(_ flow: Int, on path: Path) -> Bool { payloadCuts.contains(PayloadCut(path: path, flow: flow)) }

    /// When the copies of a packet arrive, in seconds from now; none if it is lost.
    func delivery(over path: Path, random: inout SeededGenerator) -> [Double] {
        guard !isCut(path), !random.chance(loss) else { return [] }
        let delay = delays[path] ?? 0.02
        func once() -> Double { delay + (spread > 0 ? random.seconds(0...spread) : 0) }
        return random.chance(duplication) ? [once(), once()] : [once()]
    }

    mutating func heal() {
        cutLinks = []
        cutPaths = []
        payloadCuts = []
        loss = 0
        duplication = 0
        spread = min(spread, 0.02)
    }
}
