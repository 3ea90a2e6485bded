import CTestKernel
import Datapath
import Foundation
import Lab
import Shim6Core
import Shim6Wire

/// A host with the data path at work and the routes around it, as the daemon makes them, but with contexts set by hand.
final class SteeredHost {
    let namespace: Namespace
    let uplinks: [Uplink]
    let datapath: Datapath

    init(_ topology: Topology, _ host: String) throws {
        namespace = try topology.inside(host)
        uplinks = topology.uplinks(of: host)
        let namespace = namespace
        for (number, uplink) in uplinks.enumerated() {
            try namespace.run("ip", "addr", "add", "\(uplink.address(host))/64", "dev", uplink.device, "nodad")
            try namespace.run(
                "ip", "-6", "route", "add", "default", "via", uplink.gateway, "dev", uplink.device, "table",
                "\(6141 + number)")
            try namespace.run(
                "ip", "-6", "rule", "add", "pref", "200", "from", uplink.prefix, "lookup", "\(6141 + number)")
            // What asks for an interface wants it for its own reasons and is not steered: above all the lookup that the
            // kernel does for a packet that was rehomed already.
            try namespace.run("ip", "-6", "rule", "add", "pref", "99", "oif", uplink.device, "goto", "101")
        }
        try namespace.run("ip", "-6", "rule", "add", "pref", "100", "lookup", "6140")
        try namespace.run("ip", "-6", "rule", "add", "pref", "101", "nop")
        try Self.makeVeth(in: namespace)
        datapath = try namespace.inside { try Datapath(sizes: Self.sizes) }
        let (shim0, shim0x) = (try namespace.index(of: "shim0"), try namespace.index(of: "shim0x"))
        try namespace.inside { [datapath] in try datapath.attach(shim0: shim0, shim0x: shim0x) }
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
            "tx-sctp-segmentation", "off")
        try namespace.run("ip", "link", "set", "shim0", "arp", "off")
        try namespace.run("ip", "link", "set", "shim0x", "up")
        try namespace.run("ip", "link", "set", "shim0", "up")
    }

    private static var sizes: Datapath.Sizes {
        var sizes = Datapath.Sizes()
        sizes.contexts = 16
        return sizes
    }

    /// Puts an uplink under the program and tells it the uplink's address.
    func adopt(_ uplink: Uplink) throws {
        let index = try namespace.index(of: uplink.device)
        let address = try Self.address(uplink)
        try namespace.inside {
            try datapath.set(locator: address, uplink: index)
            try datapath.attach(uplink: index)
        }
    }

    static func address(_ uplink: Uplink) throws -> IPv6Address {
        guard let address = IPv6Address(uplink.address(uplink.host)) else { throw LabError("no address") }
        return address
    }

    /// Sends a context's payload on another pair, or on its ULID pair again: routes first, then the switch, or the reverse.
    func move(_ entry: DataPathEntry) throws {
        let route = [
            "\(entry.ulids.peer)/128", "from", "\(entry.ulids.local)/128", "dev", "shim0", "table", "6140",
        ]
        if entry.isRehomed {
            try namespace.run(["ip", "-6", "route", "replace"] + route + ["mtu", "1492"])
            try namespace.run(
                "ip", "addr", "replace", "\(entry.ulids.local)/128", "dev", "shim0", "nodad", "preferred_lft", "0")
            // A socket keeps the route that it has found until something about rules changes: a new route does not matter to it.
            try namespace.run("ip", "-6", "rule", "add", "pref", "102", "nop")
            try namespace.run("ip", "-6", "rule", "del", "pref", "102")
            try datapath.install(entry)
        } else {
            try datapath.install(entry)
            _ = try namespace.result(of: ["ip", "-6", "route", "del"] + route)
        }
    }

    func count(_ counter: DatapathCounter) throws -> UInt64 { try datapath.counters()[counter] ?? 0 }

    /// Turns checksum and segmentation offloads of its uplinks off.
    func withoutOffloads() throws {
        for uplink in uplinks { try namespace.run("ethtool", "-K", uplink.device, "tx", "off") }
        try namespace.run("ethtool", "-K", "shim0", "tx", "off")
        try namespace.run("ethtool", "-K", "shim0x", "tx", "off")
    }
}

extension Topology {
    func inside(_ host: String) throws -> Namespace {
        guard let namespace = hosts[host] else { throw LabError("no host \(host)") }
        return namespace
    }
}

/// Two hosts, A and B, with one context between a1's and b1's address.
final class SteeredPair {
    static let tagA = ContextTag(truncating: 0x1234_5678_9abc)
    static let tagB = ContextTag(truncating: 0x7edc_ba98_7654)

    let laboratory: Laboratory
    let topology: Topology
    let a: SteeredHost
    let b: SteeredHost
    let a1, a2, b1, b2: IPv6Address

    init() throws {
        laboratory = try Laboratory()
        topology = try Topology(laboratory)
        a = try SteeredHost(topology, "a")
        b = try SteeredHost(topology, "b")
        a1 = try SteeredHost.address(topology.uplink("a1"))
        a2 = try SteeredHost.address(topology.uplink("a2"))
        b1 = try SteeredHost.address(topology.uplink("b1"))
        b2 = try SteeredHost.address(topology.uplink("b2"))
        try moveA(a1, b1)
        try moveB(b1, a1)
    }

    /// What A sends goes from this locator to that.
    func moveA(_ source: IPv6Address, _ destination: IPv6Address) throws {
        try a.move(
            DataPathEntry(
                localTag: Self.tagA, peerTag: Self.tagB, slot: 1, ulids: ULIDPair(local: a1, peer: b1),
                outgoing: LocatorPair(source: source, destination: destination), inbound: .deliver))
    }

    func moveB(_ source: IPv6Address, _ destination: IPv6Address) throws {
        try b.move(
            DataPathEntry(
                localTag: Self.tagB, peerTag: Self.tagA, slot: 1, ulids: ULIDPair(local: b1, peer: a1),
                outgoing: LocatorPair(source: source, destination: destination), inbound: .deliver))
    }

    /// The links of the ULIDs are dead, and both hosts have moved to the others.
    func rehome() throws {
        try topology.cut(topology.uplink("a1"))
        try topology.cut(topology.uplink("b1"))
        try moveA(a2, b2)
        try moveB(b2, a2)
    }
}
