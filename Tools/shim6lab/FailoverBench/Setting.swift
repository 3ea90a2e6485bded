import Foundation
import Lab

/// Two hosts with two uplinks each, and what makes their sessions survive.
protocol Setting {
    var topology: Topology { get }
    /// The addresses of the sessions.
    var local: String { get }
    var peer: String { get }
    var dead: Double { get }
    /// Whether TCP sockets are MPTCP sockets.
    var isMultipath: Bool { get }
    /// Waits until a session that was just begun is protected and flows.
    func waitUntilProtected() throws
    /// Brings everything back to where a new session begins, after the uplink works again.
    func restore() throws
}

extension Setting {
    var laboratory: Laboratory { topology.laboratory }
}

/// With a daemon on each host.
struct Shim6Setting: Setting {
    let pair: Pair
    let dead: Double
    var topology: Topology { pair.topology }
    var local: String { pair.ulidOfA.description }
    var peer: String { pair.ulidOfB.description }
    var isMultipath: Bool { false }

    init(_ laboratory: Laboratory, _ settings: Daemon.Settings, dead: Double) throws {
        pair = try Pair(laboratory, a: settings, b: settings)
        self.dead = dead
        try pair.start()
    }

    func waitUntilProtected() throws {
        _ = try pair.waitUntilEstablished()
        try laboratory.pass(seconds: 1.5)
    }

    func restore() throws { try pair.forgetSessions() }
}

/// With the kernel alone: plain TCP, or MPTCP with a second subflow.
struct KernelSetting: Setting {
    let topology: Topology
    let isMultipath: Bool
    let dead: Double
    var local: String { topology.uplink("a1").address("a") }
    var peer: String { topology.uplink("b1").address("b") }

    init(_ laboratory: Laboratory, isMultipath: Bool, dead: Double) throws {
        topology = try Topology(laboratory)
        self.isMultipath = isMultipath
        self.dead = dead
        for (number, uplink) in topology.uplinks.enumerated() {
            let host = topology.namespace(of: uplink)
            try host.set(["net.ipv6.conf.\(uplink.device).keep_addr_on_down": "1"])
            try host.run("ip", "addr", "add", "\(uplink.address(uplink.host))/64", "dev", uplink.device, "nodad")
            // Packets with a source of one provider leave through that provider.
            let table = "\(100 + number)"
            try host.run("ip", "-6", "rule", "add", "from", uplink.prefix, "lookup", table)
        }
        for (name, host) in topology.hosts.sorted(by: { $0.key < $1.key }) where isMultipath {
            try host.set(["net.mptcp.enabled": "1"])
            try host.run("ip", "mptcp", "limits", "set", "subflow", "4", "add_addr_accepted", "4")
            let second = topology.uplink("\(name)2").address(name)
            try host.run(
                ["ip", "mptcp", "endpoint", "add", second] + (name == "a" ? ["subflow", "fullmesh"] : ["signal"]))
        }
        try restore()
    }

    func waitUntilProtected() throws { try laboratory.pass(seconds: 1) }

    /// The kernel takes routes away with their interface.
    func restore() throws {
        for (number, uplink) in topology.uplinks.enumerated() {
            try topology.namespace(of: uplink).run(
                "ip", "-6", "route", "replace", "default", "via", uplink.gateway, "dev", uplink.device, "onlink",
                "table",
                "\(100 + number)")
        }
        let ping = ["ping", "-c1", "-W1", "-I", local, peer]
        guard let a = topology.hosts["a"] else { return }
        try laboratory.wait(until: "\(local) to reach \(peer)", upTo: 60) { try a.result(of: ping).exitCode == 0 }
    }
}
