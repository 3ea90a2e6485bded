import Foundation
import Lab
import Testing

/// What `shim6ctl doctor` prints.
struct DoctorFinding: Decodable, CustomStringConvertible {
    var check: String
    var verdict: String
    var explanation: String
    var advice: [String]
    var description: String { "\(verdict) \(check): \(explanation) \(advice)" }
}

extension [DoctorFinding] {
    /// What is amiss in one place.
    func ill(_ place: String) -> [DoctorFinding] { filter { $0.check.hasPrefix(place) && $0.verdict != "ok" } }

    /// Types what they say.
    func follow(in namespace: Namespace) throws {
        for line in flatMap(\.advice) { try namespace.run("sh", "-c", line) }
    }
}

extension Daemon {
    /// What `shim6ctl doctor` finds for the configuration of this daemon, run behind other words.
    func examine(peers: [String] = [], behind words: [String] = []) throws -> [DoctorFinding] {
        let result = try namespace.result(
            of: words + [try Executable.control.path, "doctor"] + peers + [
                "--json", "--config", configuration, "--socket", socket,
            ])
        let findings = try JSONDecoder().decode([DoctorFinding].self, from: Data(result.output.utf8))
        let verdicts = findings.map(\.verdict)
        #expect(result.exitCode == (verdicts.contains("failure") ? 1 : verdicts.contains("unknown") ? 2 : 0))
        return findings
    }

    /// One of host A, which has an address on each of two uplinks, and does not run.
    static func ofHostWithAddresses(_ laboratory: Laboratory, _ settings: Settings = Settings()) throws -> Daemon {
        let topology = try Topology(laboratory, hosts: ["a": 2])
        for uplink in topology.uplinks {
            let address = "\(uplink.address("77"))/64"
            try topology.namespace(of: uplink).run("ip", "addr", "add", address, "dev", uplink.device, "nodad")
        }
        return try Daemon(topology, host: "a", settings: settings)
    }
}
