import Foundation

/// One end of the Internet: a host's interface, its provider's prefix and gateway.
public struct Uplink: Sendable, Hashable {
    /// The name of the device, the same in the host and in the Internet: "a1".
    public let device: String
    public let host: String
    /// How many prefixes it has.
    public let width: Int

    public init(device: String, host: String, width: Int = 1) {
        self.device = device
        self.host = host
        self.width = width
    }

    /// Each link has its own /64.
    public var prefix: String { "2001:db8:\(device)::/64" }
    /// That and the others, each in a /48 of its own.
    public var prefixes: [String] {
        [prefix] + (1..<max(1, width)).map { "2001:db8:\(device)\(String(format: "%02x", $0))::/64" }
    }
    public var gateway: String { "2001:db8:\(device)::1" }
    public func address(_ suffix: String) -> String { "2001:db8:\(device)::\(suffix)" }
}

/// Hosts with uplinks, and an Internet that forwards between all of them:
///
///     host a ── a1 ──┐              ┌── b1 ── host b
///                    ├── internet ──┤
///            ── a2 ──┘              └── b2 ──
public final class Topology {
    public let laboratory: Laboratory
    private let between: Namespace?
    public private(set) var hosts: [String: Namespace] = [:]
    public private(set) var uplinks: [Uplink] = []
    /// Whether the kernel has no nftables of a device, so that cuts are made otherwise.
    private(set) lazy var cutsByTrafficControl: Bool = {
        let probe = "add table netdev probe; delete table netdev probe"
        return (try? internet.result(of: ["nft", probe]).exitCode) != 0
    }()

    /// - Parameters:
    ///   - names: the hosts and, for each, the number of its uplinks. A host "a" with two has the uplinks a1 and a2.
    ///   - tunnels: the uplinks that are tun devices, without Ethernet headers, as PPP and WWAN have; the others are veth.
    ///   - widths: how many prefixes an uplink has, where it is not one.
    public init(
        _ laboratory: Laboratory, hosts names: KeyValuePairs<String, Int> = ["a": 2, "b": 2],
        tunnels: Set<String> = [], widths: [String: Int] = [:]
    ) throws {
        self.laboratory = laboratory
        between = try laboratory.namespace("internet")
        // A router whose link-local addresses are tentative does not look for its neighbours.
        try internet.set(["net.ipv6.conf.all.forwarding": "1", "net.ipv6.conf.default.accept_dad": "0"])
        for (name, count) in names {
            let host = try laboratory.namespace(name)
            hosts[name] = host
            try host.set(["net.ipv6.conf.all.accept_ra": "0", "net.ipv6.conf.default.accept_ra": "0"])
            for number in 1...count {
                let device = "\(name)\(number)"
                let uplink = Uplink(device: device, host: name, width: widths[device] ?? 1)
                try connect(uplink, byTunnel: tunnels.contains(uplink.device))
            }
        }
        for uplink in uplinks { try waitForCarrier(uplink) }
    }

    /// Two hosts that are joined by links without an Internet between them, each end being the other's gateway:
    ///
    ///     host a ── a1 ─── b1 ── host b
    ///            ── a2 ─── b2 ──
    public init(_ laboratory: Laboratory, joining left: String, and right: String, links count: Int = 2) throws {
        self.laboratory = laboratory
        between = nil
        for name in [left, right] {
            let host = try laboratory.namespace(name)
            hosts[name] = host
            try host.set(["net.ipv6.conf.all.accept_ra": "0", "net.ipv6.conf.default.accept_ra": "0"])
        }
        for number in 1...count {
            let ends = [left, right].map { Uplink(device: "\($0)\(number)", host: $0) }
            uplinks += ends
            try Program.run([
                "ip", "link", "add", ends[0].device, "netns", namespace(of: ends[0]).name, "type", "veth",
                "peer", "name", ends[1].device, "netns", namespace(of: ends[1]).name,
            ])
            for (near, far) in [(ends[0], ends[1]), (ends[1], ends[0])] {
                try namespace(of: near).run("ip", "addr", "add", "\(far.gateway)/128", "dev", near.device, "nodad")
                try raise(near)
            }
        }
        for uplink in uplinks { try waitForCarrier(uplink) }
    }

    /// What forwards between the uplinks; hosts that are joined have none.
    public var internet: Namespace {
        guard let between else { preconditionFailure("these hosts are joined without an Internet") }
        return between
    }

    private func connect(_ uplink: Uplink, byTunnel: Bool) throws {
        uplinks.append(uplink)
        let host = namespace(of: uplink)
        if byTunnel {
            try tunnel(uplink)
        } else {
            try Program.run([
                "ip", "link", "add", uplink.device, "netns", host.name, "type", "veth",
                "peer", "name", uplink.device, "netns", internet.name,
            ])
        }
        try internet.run("ip", "link", "set", uplink.device, "up")
        try internet.run("ip", "addr", "add", "\(uplink.gateway)/64", "dev", uplink.device, "nodad")
        for prefix in uplink.prefixes.dropFirst() {
            try internet.run("ip", "-6", "route", "add", prefix, "dev", uplink.device)
        }
        try raise(uplink)
    }

    /// Two tun devices, and between them a socket that keeps the packets apart.
    private func tunnel(_ uplink: Uplink) throws {
        let wire = laboratory.path("\(uplink.device).wire")
        let device = "TUN,tun-name=\(uplink.device),tun-type=tun,iff-no-pi,iff-up"
        let ends = [(internet, "UNIX-LISTEN:\(wire),type=5"), (namespace(of: uplink), "UNIX-CONNECT:\(wire),type=5")]
        for (namespace, socket) in ends {
            let program = try laboratory.start(
                ["socat", "-b", "65536", device, socket], in: namespace, log: "\(namespace.name)-\(uplink.device).log")
            try laboratory.wait(until: "the tun device \(uplink.device)") {
                guard program.isRunning else { throw LabError("\(program.name): \(program.text)") }
                return try namespace.result(of: ["ip", "link", "show", "dev", uplink.device]).exitCode == 0
                    && FileManager.default.fileExists(atPath: wire)
            }
        }
    }

    /// What an administrator does to bring an uplink into service: the link goes up and gets its default route. The
    /// first uplink is the preferred one.
    public func raise(_ uplink: Uplink) throws {
        let host = namespace(of: uplink)
        try host.run("ip", "link", "set", uplink.device, "up")
        let metric = 1024 + (uplinks.filter { $0.host == uplink.host }.firstIndex(of: uplink) ?? 0)
        try host.run(
            "ip", "-6", "route", "replace", "default", "via", uplink.gateway, "dev", uplink.device, "onlink",
            "metric", "\(metric)")
    }

    /// Takes the interface out of service inside the host, as `ip link set a1 down` does.
    public func lower(_ uplink: Uplink) throws {
        try namespace(of: uplink).run("ip", "link", "set", uplink.device, "down")
    }

    /// A device that was just raised may lose what is sent at once: the kernel notices carriers with delay.
    public func waitForCarrier(_ uplink: Uplink) throws {
        for namespace in [between, namespace(of: uplink)].compactMap({ $0 }) {
            try laboratory.wait(until: "the carrier of \(uplink.device)") {
                try namespace.run("ip", "link", "show", "dev", uplink.device).contains("LOWER_UP")
            }
        }
    }

    public func namespace(of uplink: Uplink) -> Namespace {
        guard let host = hosts[uplink.host] else { preconditionFailure("no host \(uplink.host) was made") }
        return host
    }

    public func uplink(_ device: String) -> Uplink {
        guard let uplink = uplinks.first(where: { $0.device == device }) else {
            preconditionFailure("no uplink \(device) was made")
        }
        return uplink
    }

    public func uplinks(of host: String) -> [Uplink] { uplinks.filter { $0.host == host } }

    /// Waits until no address of a host is tentative any more.
    public func waitForAddresses(of host: String) throws {
        guard let namespace = hosts[host] else { preconditionFailure("no host \(host) was made") }
        try laboratory.wait(until: "duplicate address detection on host \(host)") {
            try namespace.run("ip", "-6", "addr", "show", "tentative").isEmpty
        }
    }
}
