import Shim6Wire

/// Whether a session outlives the failure of any one uplink, as far as rehearsals have shown.
public struct Protection: Sendable, Equatable {
    public enum Degree: String, Sendable, CaseIterable, Codable {
        /// For each uplink of this host, and of the peer if it has several, a pair without it is proven.
        case yes
        /// For some uplinks, or for control messages only.
        case partly
        /// For none.
        case no
    }

    /// What keeps the best pair without an uplink from being proven, the worst first.
    public enum Shortcoming: Int, Sendable, CaseIterable, Comparable, Codable {
        /// There is no pair without it.
        case noOther
        /// No Probe got through, in one direction or both.
        case noAnswer
        /// Probes got through, too long ago.
        case old
        /// Probes get through, payload does not.
        case payloadLost
        /// Probes get through; whether payload does is not known.
        case payloadUntested

        public static func < (left: Shortcoming, right: Shortcoming) -> Bool { left.rawValue < right.rawValue }

        /// In words, to follow "without this uplink".
        public var text: String {
            switch self {
            case .noOther: "there is no other pair"
            case .noAnswer: "no probe got through both ways"
            case .old: "probes got through only long ago"
            case .payloadLost: "probes get through, payload does not"
            case .payloadUntested: "probes get through, payload was not tested"
            }
        }
    }

    /// An uplink whose failure the session may not outlive.
    public struct Gap: Sendable, Equatable {
        /// One of its locators.
        public var locator: IPv6Address
        public var isOwn: Bool
        public var shortcoming: Shortcoming

        public init(locator: IPv6Address, isOwn: Bool, shortcoming: Shortcoming) {
            self.locator = locator
            self.isOwn = isOwn
            self.shortcoming = shortcoming
        }
    }

    public var degree: Degree
    /// The uplinks that are missed, the worst first; empty for `yes`.
    public var gaps: [Gap]

    /// Why it is not `yes`, in words; nil if it is.
    public var reason: String? {
        gaps.first.map { gap in
            "without the \(gap.isOwn ? "uplink" : "peer's uplink") of \(gap.locator) \(gap.shortcoming.text)"
        }
    }

    /// - Parameters:
    ///   - own: the usable locators of this host, those of one uplink together.
    ///   - peer: the same of the peer. What the peer has only one of cannot be done without.
    ///   - evidence: what is known of the pairs, seen from this host.
    ///   - since: what is older does not count.
    public init(
        own: [[IPv6Address]], peer: [[IPv6Address]], evidence: [LocatorPair: PathEvidence], since: Instant
    ) {
        func best(_ sources: [IPv6Address], _ destinations: [IPv6Address]) -> Shortcoming? {
            var best: Shortcoming? = .noOther
            for source in sources {
                for destination in destinations where source != destination {
                    let pair = LocatorPair(source: source, destination: destination)
                    guard let one = Self.shortcoming(evidence[pair], since: since) else { return nil }
                    best = max(best ?? one, one)
                }
            }
            return best
        }
        var gaps: [Gap] = []
        func look(at uplinks: [[IPv6Address]], isOwn: Bool) {
            for (index, uplink) in uplinks.enumerated() {
                guard let locator = uplink.first else { continue }
                let rest = uplinks.enumerated().filter { $0.offset != index }.flatMap(\.element)
                let others = (isOwn ? peer : own).flatMap { $0 }
                guard let shortcoming = isOwn ? best(rest, others) : best(others, rest) else { continue }
                gaps.append(Gap(locator: locator, isOwn: isOwn, shortcoming: shortcoming))
            }
        }
        look(at: own, isOwn: true)
        if peer.count(where: { !$0.isEmpty }) > 1 { look(at: peer, isOwn: false) }
        let uplinks = own.count { !$0.isEmpty } + (peer.count { !$0.isEmpty } > 1 ? peer.count { !$0.isEmpty } : 0)
        let isHopeless = gaps.count == uplinks && gaps.allSatisfy { $0.shortcoming != .payloadUntested }
        degree = gaps.isEmpty && uplinks > 0 ? .yes : isHopeless ? .no : .partly
        // In the order of the uplinks where they are alike.
        self.gaps = gaps.enumerated().sorted {
            ($0.element.shortcoming, $0.offset) < ($1.element.shortcoming, $1.offset)
        }.map(\.element)
    }

    /// What one pair lacks; nil if it is proven both ways.
    private static func shortcoming(_ evidence: PathEvidence?, since: Instant) -> Shortcoming? {
        guard let evidence, let out = evidence.outgoing.control, let back = evidence.incoming.control else {
            return .noAnswer
        }
        guard min(out, back) >= since else { return .old }
        var worst: Shortcoming?
        for direction in [evidence.outgoing, evidence.incoming] {
            switch direction.payload {
            case .passed(let time) where time >= since: break
            case .lost(let time) where time >= since: return .payloadLost
            case .untested, .passed, .lost: worst = .payloadUntested
            }
        }
        return worst
    }
}
