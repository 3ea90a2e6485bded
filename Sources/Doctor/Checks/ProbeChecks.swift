import Configuration
import Glibc
import Netlink
import Shim6Wire

/// Everything that is found by sending.
struct ProbeChecks {
    var configuration: Configuration
    var uplinks: [Uplink]
    var names: [UInt32: String]
    /// Empty if no peer was named.
    var peers: [IPv6Address]
    var daemonRuns: Bool
    private let wire: Wire
    private let tables: OwnTables?
    private let local: LocalChecks

    /// Of nobody (RFC 3849). It stands for a peer where none was named; what is sent there may not be forwarded.
    private static let nobody = IPv6Address(high: 0x2001_0db8_6140_0000, low: 1)

    init(_ configuration: Configuration, _ checks: UplinkChecks, peers: [IPv6Address]) throws(KernelError) {
        self.configuration = configuration
        self.peers = peers
        uplinks = checks.usable(configuration)
        names = Dictionary(checks.links.map { ($0.index, $0.name) }) { first, _ in first }
        daemonRuns = checks.daemonRuns
        wire = try Wire()
        tables = OwnTables(signature: wire.signature, interfaces: uplinks.map(\.name), peers: peers)
        local = LocalChecks(wire: wire, traces: tables != nil)
    }

    func all() -> [Finding] {
        // First, before what is sent makes answers of what comes.
        let entries = uplinks.map(into)
        return zip(uplinks, entries).flatMap { uplink, entry in entry + beyond(uplink) }
    }

    private func into(_ uplink: Uplink) -> [Finding] {
        guard let address = uplink.sources.first else { return [] }
        return merged(others(uplink).map { local.into(uplink, at: address, from: $0) })
    }

    private func beyond(_ uplink: Uplink) -> [Finding] {
        do throws(KernelError) {
            let router = try RouterCheck.ask(uplink)
            // Without an address yet, packets in the name of one that may come can still be sent.
            let sources = uplink.sources.isEmpty ? uplink.settings.prefixes.map(Self.placeholder) : uplink.sources
            guard router.state != .silent, !sources.isEmpty else {
                return [router.finding(uplink, nil)].compactMap(\.self) + sources.compactMap { way(uplink, $0) }
            }
            var findings: [Finding] = []
            for source in sources { findings += try beyond(uplink, from: source, router) }
            var seen: Set<Finding> = []
            return findings.filter { seen.insert($0).inserted }
        } catch {
            return [Finding("router of \(uplink.name)", .unknown, "\(error)")]
        }
    }

    private func beyond(
        _ uplink: Uplink, from source: IPv6Address, _ router: RouterCheck
    ) throws(KernelError) -> [Finding] {
        let hasAddress = !uplink.sources.isEmpty
        let steps = others(uplink).map { local.out(of: uplink, from: source, to: $0) }
        let paths = hasAddress ? peers.flatMap { path(uplink, source, $0) } : []
        var (router, step) = (router, steps[0])
        if !hasAddress || paths.contains(where: { $0.verdict == .ok }) {
            (step.routerAnswered, step.routerForwards) = (true, true)
        }
        if !step.routerAnswered, case .answered = router.state { router = try RouterCheck.ask(uplink, isPatient: true) }
        var findings = [router.finding(uplink, step)].compactMap(\.self)
        findings += merged(steps.flatMap(\.findings)) + [way(uplink, source)].compactMap(\.self) + paths
        if peers.isEmpty, step.hasLeft, !step.routerAnswered, findings.allSatisfy({ $0.verdict == .ok }) {
            findings.append(nothingBack(uplink, source, step))
        }
        return findings
    }

    private func path(_ uplink: Uplink, _ source: IPv6Address, _ peer: IPv6Address) -> [Finding] {
        PathChecks(wire: wire, traces: tables != nil, names: names).path(uplink, from: source, to: peer)
    }

    /// The ends of what does not go further than the first router: the peers, or else an address beyond that one.
    private func others(_ uplink: Uplink) -> [IPv6Address] {
        peers.isEmpty ? [uplink.settings.checks.first ?? Self.nobody] : peers
    }

    private static func placeholder(_ prefix: IPv6Prefix) -> IPv6Address {
        IPv6Address(high: prefix.address.high, low: 0x6140)
    }

    /// One for all peers, if all is well.
    private func merged(_ findings: [Finding]) -> [Finding] {
        let ill = findings.filter { $0.verdict != .ok }
        return ill.isEmpty ? Array(findings.prefix(1)) : ill
    }

    /// Nothing came back to an address, though the router is there.
    private func nothingBack(_ uplink: Uplink, _ source: IPv6Address, _ step: LocalChecks.Step) -> Finding {
        let check = "router of \(uplink.name)"
        let solicited = wire.solicitations[source] ?? []
        let elsewhere = step.answeredElsewhere.union(solicited).subtracting([uplink.link.index])
        guard let name = elsewhere.compactMap({ names[$0] }).first else {
            return Finding(
                check, .warning,
                "nothing comes back to \(source): its provider does not route that prefix to here, or is silent",
                advice: ["shim6ctl doctor PEER   # tells which"])
        }
        return Finding(
            check, .failure, "what is sent from \(source) is answered over \(name): its prefix is of that provider",
            advice: ["mend the prefixes in [[uplink]] of \(uplink.name) and \(name): they may be swapped"])
    }

    // MARK: The way that packets take by themselves

    private func way(_ uplink: Uplink, _ source: IPv6Address) -> Finding? {
        // Without the daemon its routes are not there.
        guard daemonRuns || !configuration.manageRoutes else { return nil }
        let check = "routes from \(source)"
        guard let interfaces = local.wayOut(from: source, to: others(uplink)[0]) else { return nil }
        if interfaces.contains(uplink.link.index) { return Finding(check, .ok, "they lead to \(uplink.name)") }
        let others = interfaces.compactMap { self.names[$0] }.sorted().joined(separator: ", ")
        guard interfaces.isDisjoint(with: uplinks.map(\.link.index)) else {
            return Finding(
                check, .failure, "packets of this address leave by \(others), whose provider will drop them",
                advice: routeAdvice(uplink, source))
        }
        return Finding(
            check, configuration.tunnel == .outside ? .warning : .failure,
            "a full tunnel: packets of this address leave by \(others), and their sessions are not protected",
            advice: configuration.tunnel == .outside ? [] : ["tunnel = \"outside\"   # shim6d itself goes past it"])
    }

    private func routeAdvice(_ uplink: Uplink, _ source: IPv6Address) -> [String] {
        guard !configuration.manageRoutes else { return ["ip -6 rule; ip -6 route show table all"] }
        let prefix = IPv6Prefix(source, length: 64)?.description ?? "\(source)"
        let table = 200 + (uplinks.firstIndex { $0.name == uplink.name } ?? 0)
        let via = uplink.gateway.map { "via \($0) " } ?? ""
        return [
            "ip -6 rule add from \(prefix) lookup \(table)",
            "ip -6 route replace default \(via)dev \(uplink.name) onlink table \(table)",
            "# or manage-routes = true",
        ]
    }
}
