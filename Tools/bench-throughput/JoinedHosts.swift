import Foundation
import Lab

/// Two hosts that are joined by two links.
struct JoinedHosts {
    let topology: Topology

    init(_ laboratory: Laboratory, _ left: String, _ right: String) throws {
        topology = try Topology(laboratory, joining: left, and: right)
    }

    /// Gives a host without a daemon its addresses: 2001:db8:c1::c on c1.
    func putAddresses(_ host: String) throws {
        for uplink in topology.uplinks(of: host) {
            let address = "\(uplink.address(host))/64"
            try topology.namespace(of: uplink).run("ip", "addr", "add", address, "dev", uplink.device, "nodad")
        }
    }

    func startDaemon(on host: String) throws -> Daemon {
        let daemon = try Daemon(topology, host: host)
        try daemon.start()
        return daemon
    }

    func switchOffloads(off offloads: [String]) throws {
        for uplink in topology.uplinks {
            let words = offloads.flatMap { [$0, "off"] }
            try topology.namespace(of: uplink).run(["ethtool", "-K", uplink.device] + words)
        }
    }

    /// A stream from the first host to the second, whose server waits from now on.
    func stream(_ source: String, _ destination: String) throws -> Stream {
        let hosts = topology.uplinks.prefix(2).map { topology.namespace(of: $0) }
        try topology.laboratory.start(
            Stream.program + ["-s"], in: hosts[1], log: "server-\(hosts[1].name).log")
        try topology.laboratory.wait(until: "the server") { try hosts[1].run("ss", "-Htln").contains(":5201") }
        return Stream(namespace: hosts[0], source: source, destination: destination)
    }
}

/// One TCP stream, whenever it is asked for.
struct Stream {
    /// Before everything else on the machine, so that it is measured and not the rest.
    static let program = ["nice", "-n", "-20", "iperf3"]

    let namespace: Namespace
    let source: String
    let destination: String

    /// What arrives in one second, in Gbit/s.
    func rate() throws -> Double {
        struct Report: Decodable {
            struct End: Decodable { var sum_received: Sum }
            struct Sum: Decodable { var bits_per_second: Double }
            var end: End
        }
        let text = try namespace.run(Self.program + ["-J", "-c", destination, "-B", source, "-t", "1"])
        return try JSONDecoder().decode(Report.self, from: Data(text.utf8)).end.sum_received.bits_per_second / 1e9
    }
}
