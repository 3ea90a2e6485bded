import Foundation

/// A provider's router that advertises prefixes on one uplink: radvd in the Internet's namespace.
public final class Router {
    /// A prefix and its lifetimes in seconds.
    public struct Prefix: Sendable {
        public var prefix: String
        public var preferred: Int
        public var valid: Int

        public init(_ prefix: String, preferred: Int, valid: Int) {
            self.prefix = prefix
            self.preferred = preferred
            self.valid = valid
        }
    }

    private let topology: Topology
    private let uplink: Uplink
    private var program: Program?

    /// Advertises nothing yet.
    public init(_ topology: Topology, _ uplink: Uplink) {
        self.topology = topology
        self.uplink = uplink
    }

    /// From now on advertises these, every three or four seconds, and a default route for as long.
    public func advertise(_ prefixes: [Prefix], routerLifetime: Int = 60) throws {
        let laboratory = topology.laboratory
        let file = laboratory.path("radvd-\(uplink.device).conf")
        let lines = prefixes.map {
            "prefix \($0.prefix) { AdvValidLifetime \($0.valid); AdvPreferredLifetime \($0.preferred); };"
        }
        let text = """
            interface \(uplink.device) {
                AdvSendAdvert on;
                MinRtrAdvInterval 3;
                MaxRtrAdvInterval 4;
                AdvDefaultLifetime \(routerLifetime);
                \(lines.joined(separator: "\n    "))
            };

            """
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        die()
        program = try laboratory.start(
            ["radvd", "--nodaemon", "-C", file, "-p", laboratory.path("radvd-\(uplink.device).pid"), "-m", "stderr"],
            in: topology.internet, log: "radvd-\(uplink.device).log")
    }

    /// Says that it is no router any more, and ends.
    public func retire() { program?.end() }

    /// Is gone without a word.
    public func die() { program?.end(with: SIGKILL) }
}

extension Topology {
    /// Has the kernel of a host listen to routers on its uplinks, and takes away what it knows without them. To be called
    /// when the routers advertise: the uplinks go down and up, upon which the kernel asks.
    public func listenToRouters(host name: String) throws {
        guard let host = hosts[name] else { throw LabError("there is no host \(name)") }
        try host.run("ip", "-6", "route", "flush", "default")
        for uplink in uplinks(of: name) {
            try host.set([
                "net.ipv6.conf.\(uplink.device).accept_ra": "1", "net.ipv6.conf.\(uplink.device).autoconf": "1",
                "net.ipv6.conf.\(uplink.device).router_solicitation_delay": "0",
            ])
            try host.run("ip", "link", "set", uplink.device, "down")
            try host.run("ip", "link", "set", uplink.device, "up")
        }
    }

    /// A further prefix of an uplink's provider.
    public func route(_ prefix: String, to uplink: Uplink) throws {
        let address = prefix.replacing("::/64", with: "::1/64")
        try internet.run("ip", "addr", "add", address, "dev", uplink.device, "nodad")
    }
}

/// An IPv6 address of a host as the kernel has it.
public struct KernelAddress: Decodable, Sendable {
    public var local: String
    public var prefixlen: Int
    public var scope: String
    /// Seconds left; a very large number for ever.
    public var validLifetime: Int
    public var preferredLifetime: Int
    public var isDeprecated: Bool
    public var isTentative: Bool

    private enum CodingKeys: String, CodingKey {
        case local, prefixlen, scope, deprecated, tentative
        case validLifetime = "valid_life_time"
        case preferredLifetime = "preferred_life_time"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        local = try container.decode(String.self, forKey: .local)
        prefixlen = try container.decode(Int.self, forKey: .prefixlen)
        scope = try container.decode(String.self, forKey: .scope)
        validLifetime = try container.decode(Int.self, forKey: .validLifetime)
        preferredLifetime = try container.decode(Int.self, forKey: .preferredLifetime)
        isDeprecated = try container.decodeIfPresent(Bool.self, forKey: .deprecated) ?? false
        isTentative = try container.decodeIfPresent(Bool.self, forKey: .tentative) ?? false
    }
}

extension Namespace {
    /// The global addresses on a device.
    public func addresses(on device: String) throws -> [KernelAddress] {
        struct Interface: Decodable {
            // Without the device the ip command prints an empty object.
            var addr_info: [KernelAddress]?
        }
        let interfaces = try query("-6", "addr", "show", "dev", device, as: [Interface].self)
        return interfaces.flatMap { $0.addr_info ?? [] }.filter { $0.scope == "global" }
    }
}
