import ArgumentParser
import Foundation
import Lab

/// The gaps that a receiving application sees when an uplink fails, with shim6d, with the kernel's MPTCP and with plain
/// TCP, on one topology and in one run.
struct FailoverBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench-failover",
        abstract: "Measures how long an application gets nothing when an uplink fails.",
        discussion: "Exits with 1 if a target of the fast profile is missed.")

    @Option(help: "Failures of each kind for each subject; plain TCP gets three at most.") var trials = 20
    @Option(help: "Only these: fast, rfc, mptcp, tcp.") var subjects: [Subject] = Subject.allCases
    @Option(help: "Directory for failover.json and failover.svg.") var output: String?
    @Flag(help: "Keep what failover.json has of other subjects.") var add = false

    func validate() throws {
        guard trials > 0 else { throw ValidationError("At least one trial.") }
    }

    func run() throws {
        Interruption.catchSignals()
        var series: [GapSeries] = []
        do {
            for subject in Subject.allCases where subjects.contains(subject) {
                let laboratory = try Laboratory()
                defer { laboratory.close() }
                let setting = try subject.makeSetting(laboratory)
                for application in subject.applications {
                    for failure in Failure.allCases {
                        let one = GapSeries(
                            subject: subject, application: application, failure: failure,
                            gaps: try (0..<subject.count(of: trials)).map { _ in
                                try Trial(setting, application, failure).run()
                            })
                        series.append(one)
                        print(one.line)
                        fflush(nil)
                    }
                }
            }
        } catch let interruption as Interruption {
            print("\(interruption): everything has been taken down")
            throw ExitCode(128 + interruption.signal)
        }
        var report = GapReport(series: series, machine: Machine())
        let verdicts = report.verdicts
        if add, let output, let earlier = FileManager.default.contents(atPath: "\(output)/failover.json") {
            try report.add(earlier)
        }
        print(report.table)
        print(try report.json)
        if let output {
            try report.json.write(toFile: "\(output)/failover.json", atomically: true, encoding: .utf8)
            try report.plot.write(toFile: "\(output)/failover.svg", atomically: true, encoding: .utf8)
        }
        for verdict in verdicts { print(verdict.text) }
        guard verdicts.allSatisfy(\.isMet) else { throw ExitCode.failure }
    }
}

/// What carries the session.
enum Subject: String, CaseIterable, Codable, ExpressibleByArgument {
    case fast, rfc, mptcp, tcp

    var name: String {
        switch self {
        case .fast: "shim6d, fast"
        case .rfc: "shim6d, rfc, Send Timeout 1 s"
        case .mptcp: "MPTCP, two subflows"
        case .tcp: "plain TCP"
        }
    }

    var applications: [Application] {
        switch self {
        case .fast, .rfc: [.tcp, .udp]
        case .mptcp, .tcp: [.tcp]
        }
    }

    /// Plain TCP does not come back: three trials show it.
    func count(of trials: Int) -> Int { self == .tcp ? min(3, trials) : trials }

    /// Seconds for which an uplink stays dead: longer than the gap that is to be seen.
    var dead: Double {
        switch self {
        case .fast, .mptcp: 1.5
        case .rfc, .tcp: 3
        }
    }

    func makeSetting(_ laboratory: Laboratory) throws -> any Setting {
        switch self {
        case .fast:
            return try Shim6Setting(laboratory, .fast, dead: dead)
        case .rfc: return try Shim6Setting(laboratory, Daemon.Settings(), dead: dead)
        case .mptcp: return try KernelSetting(laboratory, isMultipath: true, dead: dead)
        case .tcp: return try KernelSetting(laboratory, isMultipath: false, dead: dead)
        }
    }
}

/// A TCP stream of 1,200 octets every 2 ms from B to A, or UDP packets from A to B and back, 500 a second.
enum Application: String, CaseIterable, Codable {
    case tcp, udp
}

/// What becomes of uplink a1. The cuts are silent and take neighbour discovery with them.
enum Failure: String, CaseIterable, Codable {
    case bothWays = "two-way cut"
    case fromA = "cut A to B"
    case toA = "cut B to A"
    case linkDown = "link down"

    func begin(on topology: Topology) throws -> Clock.Moment {
        let uplink = topology.uplink("a1")
        switch self {
        case .bothWays: return try topology.cut(uplink)
        case .fromA: return try topology.cut(uplink, [.fromHost])
        case .toA: return try topology.cut(uplink, [.toHost])
        case .linkDown:
            let begin = Clock.now
            try topology.lower(uplink)
            return begin
        }
    }

    func end(on topology: Topology) throws {
        let uplink = topology.uplink("a1")
        switch self {
        case .bothWays, .fromA, .toA: try topology.heal(uplink)
        case .linkDown:
            try topology.raise(uplink)
            try topology.waitForCarrier(uplink)
        }
    }
}
