import BPFDataPath
import Configuration
import Glibc
import Netlink
import Shim6Wire

/// The configured uplinks as they are now, before anything is sent.
struct UplinkChecks {
    /// The least MTU of IPv6 (RFC 8200, section 5), and what the larger of the two forms of rehomed payload adds.
    private static let leastMTU: UInt32 = 1280
    private static let added: [(driver: String, octets: UInt32)] = [("bpf", 8), ("xfrm", 48)]

    var links: [Link]
    var addresses: [InterfaceAddress]
    var routes: [Route]
    /// Names of the interfaces with an IPv4 address.
    var withIPv4: Set<String>
    /// Whether shim6d runs, so that the addresses that it makes should be there.
    var daemonRuns: Bool

    /// Reads the kernel's tables.
    init(daemonRuns: Bool) throws(KernelError) {
        let socket = try RouteSocket()
        links = try socket.links()
        addresses = try socket.addresses()
        routes = try socket.routes()
        withIPv4 = Self.interfacesWithIPv4()
        self.daemonRuns = daemonRuns
    }

    init(
        links: [Link] = [], addresses: [InterfaceAddress] = [], routes: [Route] = [], withIPv4: Set<String> = [],
        daemonRuns: Bool = false
    ) {
        self.links = links
        self.addresses = addresses
        self.routes = routes
        self.withIPv4 = withIPv4
        self.daemonRuns = daemonRuns
    }

    func all(_ configuration: Configuration) -> [Finding] {
        guard !configuration.uplinks.isEmpty else {
            return [Finding("uplinks", .failure, "the configuration names none", advice: ["add two [[uplink]]"])]
        }
        var findings = configuration.uplinks.flatMap(link)
        if configuration.uplinks.count == 1 {
            findings.append(
                Finding("uplinks", .warning, "there is only one: when it fails only the peer's addresses are left"))
        }
        return findings
    }

    /// Those that probes can be sent by.
    func usable(_ configuration: Configuration) -> [Uplink] {
        configuration.uplinks.compactMap { settings in
            guard let link = link(named: settings.interface), link.isUp, link.hasCarrier else { return nil }
            return Uplink(
                settings: settings, link: link, sources: Uplink.sources(settings, on: link, addresses),
                gateway: gateway(settings, link))
        }
    }

    private func link(named name: String) -> Link? { links.first { $0.name == name } }

    private func link(_ uplink: Configuration.Uplink) -> [Finding] {
        let name = "uplink \(uplink.interface)"
        guard let link = link(named: uplink.interface) else {
            return [Finding(name, .failure, "there is no such interface", advice: ["ip link"])]
        }
        guard link.isUp, link.hasCarrier else {
            return [
                Finding(
                    name, .failure, link.isUp ? "it is dead now: no carrier" : "it is down",
                    advice: link.isUp ? [] : ["ip link set \(uplink.interface) up"])
            ]
        }
        return [address(uplink, link, name), defaultRoute(uplink, link, name), mtu(link, name)].compactMap(\.self)
            + foreignFilters(link, name)
    }

    // MARK: Addresses and router

    private func address(_ uplink: Configuration.Uplink, _ link: Link, _ name: String) -> Finding? {
        guard Uplink.sources(uplink, on: link, addresses).isEmpty else { return nil }
        if Self.setting("disable_ipv6", of: link.name) == 1 {
            return Finding(
                name, .failure, "IPv6 is switched off on it",
                advice: ["sysctl net.ipv6.conf.\(link.name).disable_ipv6=0"])
        }
        let isPromised = !uplink.prefixes.isEmpty || hasDefaultRoute(link)
        if isPromised, !daemonRuns {
            return Finding(
                name, .unknown, "no address yet to probe from: shim6d makes it when it starts", advice: ["shim6d"])
        }
        if !isPromised, withIPv4.contains(link.name) {
            return Finding(name, .failure, "IPv4 only: its provider gives no IPv6, and Shim6 needs it")
        }
        return Finding(
            name, .failure, "it has no IPv6 address that peers could use",
            advice: ["prefixes = [\"PREFIX/64\"] in its [[uplink]], if no router advertises one"])
    }

    private func defaultRoute(_ uplink: Configuration.Uplink, _ link: Link, _ name: String) -> Finding? {
        guard uplink.gateway == .automatic, !hasDefaultRoute(link) else { return nil }
        var reason = "gateway = \"auto\", and it has no default route"
        var advice = ["gateway = \"ADDRESS\" in its [[uplink]]"]
        let forwards = Self.setting("forwarding", of: link.name) == 1
        if forwards, Self.setting("accept_ra", of: link.name) == 1 {
            reason += ": this host forwards, and so ignores what routers advertise"
            advice.append("or sysctl net.ipv6.conf.\(link.name).accept_ra=2")
        }
        return Finding(name, .failure, reason, advice: advice)
    }

    private func hasDefaultRoute(_ link: Link) -> Bool {
        routes.contains { $0.destination == nil && $0.interface == link.index }
    }

    private func gateway(_ uplink: Configuration.Uplink, _ link: Link) -> IPv6Address? {
        if case .address(let gateway) = uplink.gateway { return gateway }
        return routes.first { $0.destination == nil && $0.interface == link.index && $0.gateway != nil }?.gateway
    }

    private static func setting(_ name: String, of interface: String) -> Int? {
        guard let file = fopen("/proc/sys/net/ipv6/conf/\(interface)/\(name)", "re") else { return nil }
        defer { fclose(file) }
        let digit = fgetc(file)
        return digit < 0 ? nil : Int(digit) - 0x30
    }

    private static func interfacesWithIPv4() -> Set<String> {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&list) == 0 else { return [] }
        defer { freeifaddrs(list) }
        var names: Set<String> = []
        var next = list
        while let row = next?.pointee {
            if let address = row.ifa_addr, address.pointee.sa_family == UInt16(AF_INET) {
                names.insert(String(cString: row.ifa_name))
            }
            next = row.ifa_next
        }
        return names
    }

    // MARK: What is on the interface

    func mtu(_ link: Link, _ name: String) -> Finding {
        let unfit = Self.added.filter { link.mtu < Self.leastMTU + $0.octets }
        guard let worst = unfit.last else { return Finding(name, .ok, "up, MTU \(link.mtu)") }
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
}
