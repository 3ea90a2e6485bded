import BPFDataPath
import Configuration
import Netlink
import Shim6Wire

/// The configured uplinks as they are now.
struct UplinkChecks {
    /// The least MTU of IPv6 (RFC 8200, section 5), and what the larger of the two forms of rehomed payload adds.
    private static let leastMTU: UInt32 = 1280
    private static let added: [(driver: String, octets: UInt32)] = [("bpf", 8), ("xfrm", 48)]

    var links: [Link]
    var routes: [Route]
    var rules: [Rule]

    init(links: [Link], routes: [Route], rules: [Rule]) {
        self.links = links
        self.routes = routes
        self.rules = rules
    }

    /// Reads the kernel's tables.
    init() throws(KernelError) {
        let socket = try RouteSocket()
        self.init(links: try socket.links(), routes: try socket.routes(), rules: try socket.rules())
    }

    func all(_ configuration: Configuration) -> [Finding] {
        guard !configuration.uplinks.isEmpty else {
            return [Finding("uplinks", .failure, "the configuration names none", advice: ["add two [[uplink]]"])]
        }
        var free = (UInt32(200)...).lazy.filter { table in !rules.contains { $0.table == table } }.makeIterator()
        var findings = configuration.uplinks.flatMap { uplink in
            link(uplink) + (configuration.manageRoutes ? [] : sourceRoutes(uplink, free: free.next() ?? 200))
        }
        if configuration.uplinks.count == 1 {
            findings.append(
                Finding("uplinks", .warning, "there is only one: when it fails only the peer's addresses are left"))
        }
        return findings
    }

    private func link(_ uplink: Configuration.Uplink) -> [Finding] {
        let name = "uplink \(uplink.interface)"
        guard let link = links.first(where: { $0.name == uplink.interface }) else {
            return [Finding(name, .failure, "there is no such interface", advice: ["ip link"])]
        }
        guard link.isUp, link.hasCarrier else {
            return [
                Finding(
                    name, .warning, link.isUp ? "no carrier" : "it is down",
                    advice: link.isUp ? [] : ["ip link set \(uplink.interface) up"])
            ]
        }
        return [gateway(uplink, link, name), mtu(link, name)] + foreignFilters(link, name)
    }

    private func gateway(_ uplink: Configuration.Uplink, _ link: Link, _ name: String) -> Finding {
        if case .address(let gateway) = uplink.gateway { return Finding(name, .ok, "gateway \(gateway)") }
        guard let gateway = defaultGateway(link) else {
            return Finding(
                name, .failure, "gateway = \"auto\", and the interface has no default route",
                advice: [
                    "gateway = \"ADDRESS\" in its [[uplink]]",
                    "or sysctl net.ipv6.conf.\(uplink.interface).accept_ra=2",
                ])
        }
        return Finding(name, .ok, "gateway \(gateway)")
    }

    private func defaultGateway(_ link: Link) -> IPv6Address? {
        routes.first { $0.destination == nil && $0.interface == link.index && $0.gateway != nil }?.gateway
    }

    func mtu(_ link: Link, _ name: String) -> Finding {
        let unfit = Self.added.filter { link.mtu < Self.leastMTU + $0.octets }
        guard let worst = unfit.last else { return Finding(name, .ok, "MTU \(link.mtu)") }
        return Finding(
            name, .warning,
            "MTU \(link.mtu): rehomed packets of 1280 octets do not fit "
                + "(\(unfit.map { "\($0.driver) adds \($0.octets)" }.joined(separator: ", ")))",
            advice: ["ip link set \(link.name) mtu \(Self.leastMTU + worst.octets)   # or more, on both ends"])
    }

    private func foreignFilters(_ link: Link, _ name: String) -> [Finding] {
        guard let filters = try? KernelProgram.foreignFilters(interface: link.index), !filters.isEmpty else {
            return []
        }
        return filters.map { filter in
            let hook = filter.ingress ? "ingress" : "egress"
            let priority = filter.priority.map { "priority \($0)" } ?? "tcx"
            return Finding(
                name, .warning,
                "a filter of somebody else (\(filter.kind), \(priority)) sees packets before shim6d's: where it ends the "
                    + "classification, shim6d sees nothing",
                advice: [
                    "tc filter show dev \(link.name) \(hook)",
                    filter.priority == nil
                        ? "bpftool net show dev \(link.name)"
                        : "make it again with a priority above 140: tc filter add ... pref 200 ...",
                ])
        }
    }

    /// With `manage-routes = false` they are the operator's.
    ///
    /// - Parameter free: a routing table that nobody uses.
    private func sourceRoutes(_ uplink: Configuration.Uplink, free: UInt32) -> [Finding] {
        var gateway = links.first { $0.name == uplink.interface }.flatMap(defaultGateway)?.description ?? "GATEWAY"
        if case .address(let address) = uplink.gateway { gateway = address.description }
        return uplink.prefixes.map { prefix in
            let check = "routes from \(prefix)"
            guard let rule = rules.first(where: { $0.source == prefix && $0.action == .lookUp }),
                routes.contains(where: { $0.table == rule.table && $0.destination == nil })
            else {
                return Finding(
                    check, .failure,
                    "manage-routes = false, and no rule leads packets with this source to a default route of their own",
                    advice: [
                        "ip -6 rule add from \(prefix) lookup \(free)",
                        "ip -6 route replace default via \(gateway) dev \(uplink.interface) onlink table \(free)",
                        "# or manage-routes = true",
                    ])
            }
            return Finding(check, .ok, "table \(rule.table)")
        }
    }
}
