import ArgumentParser
import Foundation
import Lab
import Shim6Control
import Shim6Wire

/// Many contexts with traffic on one uplink that dies: how fast are all on another pair, and how many Probes does that cost?
struct Crowd: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Cuts the uplink of a thousand contexts with traffic, in the profile fast.",
        discussion: "Exits with 1 if a context takes longer than 2 s, or if the Probes exceed their budget.")

    @Option(help: "Addresses of each host's first uplink; every pair of them gets a context.") var addresses = 32
    @Option(help: "Packets a second and context, each way.") var rate = 20
    @Option(help: "Probes that a host may begin a second.") var budget = 2000
    @Option var rounds = 3

    private static let limit = 2.0

    func validate() throws {
        guard addresses > 1, rate > 0, budget > 0, rounds > 0 else { throw ValidationError("More than nothing.") }
    }

    func run() throws {
        Interruption.catchSignals()
        do {
            var good = 0
            for _ in 0..<rounds {
                let result = try round()
                print("\(result)  load \(Machine().load)")
                fflush(nil)
                good += result.latestSwitch <= Self.limit && result.isWithinBudget ? 1 : 0
            }
            print("\(good) of \(rounds) rounds: all on the new pair within \(Self.limit) s, Probes within the budget")
            guard good == rounds else { throw ExitCode.failure }
        } catch let interruption as Interruption {
            print("\(interruption): everything has been taken down")
            throw ExitCode(128 + interruption.signal)
        }
    }

    private func round() throws -> CrowdResult {
        let laboratory = try Laboratory()
        defer { laboratory.close() }
        let topology = try Topology(laboratory, widths: ["a1": addresses, "b1": addresses])
        let (a, b) = (try daemon("a", topology), try daemon("b", topology))
        do {
            for daemon in [a, b] { try daemon.start(locators: addresses + 1) }
            return try fail(topology, a, b)
        } catch let error as LabError {
            throw LabError("\(error)\n\(a.logged.suffix(3000))\n\(b.logged.suffix(3000))")
        }
    }

    /// The second uplink comes first in the list, so that a list of two locators is that and the ULID.
    private func daemon(_ host: String, _ topology: Topology) throws -> Daemon {
        var settings = Daemon.Settings(profile: "fast", ["failback-hold = 0.0"])
        settings.sections["limits"] = [
            "max-locators = 2", "max-verifications-per-second = 10000", "max-probes-per-second = \(budget)",
            "max-failovers = 4096",
        ]
        // One side begins.
        settings.sections["data-path"] = [
            "trigger-octets = \(host == "a" ? 1000 : 1_000_000_000)", "trigger-age = 86400",
        ]
        return try Daemon(topology, host: host, settings: settings, uplinks: topology.uplinks(of: host).reversed())
    }

    private func fail(_ topology: Topology, _ a: Daemon, _ b: Daemon) throws -> CrowdResult {
        let laboratory = topology.laboratory
        let locators = try [a, b].map { daemon in
            try daemon.ask(LocatorReport.self, "locators").locators.filter { $0.interface == "\(daemon.host)1" }
                .map(\.address.description)
        }
        let wanted = addresses * addresses
        let mesh = try laboratory.mesh(from: a.namespace, locators[0], to: b.namespace, locators[1], rate: rate)
        for daemon in [a, b] {
            try laboratory.wait(for: "\(wanted) contexts on host \(daemon.host)", upTo: 60, every: 0.5) {
                try daemon.status().contexts["ESTABLISHED"] == wanted ? true : nil
            }
        }
        try laboratory.pass(seconds: 3)
        let captures = try topology.uplinks.map {
            try Capture(
                laboratory, in: topology.internet, device: $0.device, filter: "ip6 proto 140 and ip6[42] & 0x80 == 0")
        }
        usleep(.random(in: 0..<300_000))
        let begin = try topology.cut(topology.uplink("a1"))
        try laboratory.pass(seconds: 6)
        let gaps = try mesh.stop().longestGaps(from: begin)
        captures.forEach { $0.stop() }
        let hosts = try [a, b].map { daemon in
            let own = captures.filter { $0.device.hasPrefix(daemon.host) }
            return try CrowdResult.Host(daemon, since: begin, dead: Set(locators[0]), wanted, own)
        }
        return CrowdResult(gaps: gaps, hosts: hosts, budget: budget)
    }
}
