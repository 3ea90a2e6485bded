import Foundation

/// What can be done to the packets of one uplink, always in the Internet and never inside a host: a host whose packets
/// vanish on its own hooks would be a different failure.
extension Topology {
    /// Which way a packet goes.
    public enum Way: String, CaseIterable, Sendable {
        case fromHost
        case toHost

        fileprivate var hook: String {
            switch self {
            case .fromHost: "ingress"
            case .toHost: "egress"
            }
        }
    }

    /// The provider goes silent without a word: nothing passes, neighbour discovery included, the link stays up. Of a
    /// cut of one way that lasts, the other way dies too, when the neighbours no longer find each other.
    ///
    /// - Returns: when the first packet can have been lost.
    @discardableResult
    public func cut(_ uplink: Uplink, _ ways: [Way] = Way.allCases) throws -> Clock.Moment {
        if cutsByTrafficControl { return try block(uplink, ways, sparingNeighbours: false) }
        return try impair(uplink, ways, verdict: "counter drop")
    }

    /// The provider's network behind the first router loses everything that goes one way, as with a broken route:
    /// neighbour discovery on the link works.
    @discardableResult
    public func cutBehindRouter(_ uplink: Uplink, _ way: Way) throws -> Clock.Moment {
        if cutsByTrafficControl { return try block(uplink, [way], sparingNeighbours: true) }
        let neighbours = "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept"
        return try impair(uplink, [way], verdict: "\(neighbours)\n        counter drop")
    }

    /// Loses `percent` of the packets at random.
    public func lose(percent: Int, on uplink: Uplink, _ ways: [Way] = Way.allCases) throws {
        _ = try impair(uplink, ways, verdict: "numgen random mod 100 < \(percent) counter drop")
    }

    /// Undoes `cut` and `lose`.
    public func heal(_ uplink: Uplink, _ ways: [Way] = Way.allCases) throws {
        if cutsByTrafficControl {
            for way in ways { try internet.run("tc", "filter", "delete", "dev", uplink.device, way.hook) }
            return
        }
        let rules = ways.map { "add table netdev \(table(uplink, $0))\ndelete table netdev \(table(uplink, $0))\n" }
        try internet.run("nft", "-f", "-", input: rules.joined())
    }

    /// Delays and loses packets to a host as a long line does. Needs a kernel with netem.
    public func stretch(_ uplink: Uplink, milliseconds: Int, lossPercent: Double) throws {
        try internet.run([
            "tc", "qdisc", "replace", "dev", uplink.device, "root", "netem", "delay", "\(milliseconds)ms",
            "loss", "\(lossPercent)%",
        ])
    }

    /// How many packets a cut or a loss has swallowed.
    public func swallowed(_ uplink: Uplink, _ way: Way) throws -> Int {
        let text = try internet.run("nft", "list", "table", "netdev", table(uplink, way))
        let fields = text.split(whereSeparator: \.isWhitespace)
        guard let index = fields.firstIndex(of: "packets"), let count = Int(fields[index + 1]) else {
            throw LabError("no counter in:\n\(text)")
        }
        return count
    }

    /// The same as `impair` on kernels whose nftables have no netdev tables.
    private func block(_ uplink: Uplink, _ ways: [Way], sparingNeighbours: Bool) throws -> Clock.Moment {
        _ = try internet.result(of: ["tc", "qdisc", "add", "dev", uplink.device, "clsact"])
        var filters: [String] = []
        for way in ways {
            let add = "filter add dev \(uplink.device) \(way.hook)"
            for type in sparingNeighbours ? [135, 136] : [] {
                let match = "protocol ipv6 pref \(type) flower ip_proto icmpv6 type \(type)"
                filters.append("\(add) \(match) action pass")
            }
            filters.append("\(add) protocol all pref 200 matchall action drop")
        }
        let begin = Clock.now
        try internet.run("tc", "-batch", "-", input: filters.joined(separator: "\n") + "\n")
        return begin
    }

    private func table(_ uplink: Uplink, _ way: Way) -> String { "\(uplink.device)_\(way.rawValue)" }

    private func impair(_ uplink: Uplink, _ ways: [Way], verdict: String) throws -> Clock.Moment {
        // One transaction for all ways: a two-way cut is one event.
        let rules = ways.map { way in
            let table = table(uplink, way)
            return """
                add table netdev \(table)
                delete table netdev \(table)
                table netdev \(table) {
                    chain swallow {
                        type filter hook \(way.hook) device "\(uplink.device)" priority -500;
                        \(verdict)
                    }
                }

                """
        }
        let begin = Clock.now
        try internet.run("nft", "-f", "-", input: rules.joined())
        return begin
    }
}
