import BPFDataPath
import Foundation
import Lab
import Shim6Core
import Shim6Wire

/// A host with the data path at work and the routes around it, as the daemon makes them, but with contexts set by hand.
public final class SteeredHost {
    public let namespace: Namespace
    public let uplinks: [Uplink]
    public let program: KernelProgram

    /// - Parameter uplinks: of this host, each with its address on it already.
    public init(_ namespace: Namespace, uplinks: [Uplink]) throws {
        self.namespace = namespace
        self.uplinks = uplinks
        for (number, uplink) in uplinks.enumerated() {
            try namespace.run(
                "ip", "-6", "route", "add", "default", "via", uplink.gateway, "dev", uplink.device, "table",
                "\(6141 + number)")
            // Without one that is not tentative the kernel cannot ask for neighbours of packets with other sources.
            try namespace.run("ip", "addr", "add", "fe80::5533/64", "dev", uplink.device, "nodad")
            try namespace.run(
                "ip", "-6", "rule", "add", "pref", "200", "from", uplink.prefix, "lookup", "\(6141 + number)")
        }
        // What was rehomed already is not steered, nor are control messages.
        for kind in ["140", "43"] {
            try namespace.run("ip", "-6", "rule", "add", "pref", "99", "ipproto", kind, "goto", "101")
        }
        try namespace.run("ip", "-6", "rule", "add", "pref", "100", "lookup", "6140")
        try namespace.run("ip", "-6", "rule", "add", "pref", "101", "nop")
        try Self.makeVeth(in: namespace)
        program = try namespace.inside { try KernelProgram(sizes: Self.sizes) }
        let (shim0, shim0x) = (try namespace.index(of: "shim0"), try namespace.index(of: "shim0x"))
        try namespace.inside { [program] in try program.attach(shim0: shim0, shim0x: shim0x) }
        for uplink in uplinks { try adopt(uplink) }
    }

    private static func makeVeth(in namespace: Namespace) throws {
        try namespace.run(
            "ip", "link", "add", "shim0", "mtu", "1500", "gso_max_size", "65536", "type", "veth", "peer", "name",
            "shim0x")
        for device in ["shim0", "shim0x"] {
            try namespace.run("ip", "link", "set", device, "addrgenmode", "none")
            try namespace.set(["net.ipv6.conf.\(device).accept_ra": "0"])
        }
        try namespace.set(["net.ipv6.conf.shim0x.disable_ipv6": "1"])
        try namespace.run(
            "ethtool", "-K", "shim0", "tso", "off", "gso", "off", "tx-udp-segmentation", "off", "tx-gso-list", "off",
            "tx-sctp-segmentation", "off", "gro", "on")
        // The kernel merges packets at one end only if the other could not have made super-packets of them.
        try namespace.run("ethtool", "-K", "shim0x", "tso", "off")
        try namespace.run("ip", "link", "set", "shim0", "arp", "off")
        try namespace.run("ip", "link", "set", "shim0x", "up")
        try namespace.run("ip", "link", "set", "shim0", "up")
    }

    private static var sizes: KernelProgram.Sizes {
        var sizes = KernelProgram.Sizes()
        sizes.contexts = 16
        return sizes
    }

    /// Puts an uplink under the program and tells it the uplink's address.
    public func adopt(_ uplink: Uplink) throws {
        let index = try namespace.index(of: uplink.device)
        let address = try Self.address(uplink)
        try namespace.inside {
            try program.set(locator: address, uplink: index)
            try program.attach(uplink: index)
        }
    }

    public static func address(_ uplink: Uplink) throws -> IPv6Address {
        guard let address = IPv6Address(uplink.address(uplink.host)) else { throw LabError("no address") }
        return address
    }

    /// Sends a context's payload on another pair, or on its ULID pair again: the switch first, then routes, or the reverse.
    public func move(_ entry: DataPathEntry) throws {
        let route = ["\(entry.ulids.peer)/128", "from", "\(entry.ulids.local)/128", "table", "6140"]
        if entry.isRehomed {
            let inUse = try uplinks.first { try Self.address($0) == entry.outgoing.source }
            guard let inUse else { throw LabError("\(entry.outgoing.source) is on no uplink") }
            try namespace.inside { try program.install(entry) }
            try namespace.run(
                ["ip", "-6", "route", "replace"] + route + [
                    "via", inUse.gateway, "dev", inUse.device, "mtu",
                    entry.form == .homeAddress ? "1452" : "1492",
                ])
            try namespace.run(
                "ip", "addr", "replace", "\(entry.ulids.local)/128", "dev", "shim0", "nodad", "preferred_lft", "0")
            // A socket keeps the route that it has found until something about rules changes: a new route does not matter to it.
            try namespace.run("ip", "-6", "rule", "add", "pref", "102", "nop")
            try namespace.run("ip", "-6", "rule", "del", "pref", "102")
        } else {
            _ = try namespace.result(of: ["ip", "-6", "route", "del"] + route)
            try namespace.inside { try program.install(entry) }
        }
    }

    public func count(_ counter: KernelProgramCounter) throws -> UInt64 { try program.counters()[counter] ?? 0 }

    /// Turns checksum and segmentation offloads of its uplinks off.
    public func withoutOffloads() throws {
        for uplink in uplinks { try namespace.run("ethtool", "-K", uplink.device, "tx", "off") }
        try namespace.run("ethtool", "-K", "shim0", "tx", "off")
        try namespace.run("ethtool", "-K", "shim0x", "tx", "off")
    }
}
