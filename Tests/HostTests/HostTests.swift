import Foundation
import Lab
import Shim6Control
import Testing

/// Everything that makes hosts on this machine, one test at a time.
@Suite(.serialized, .enabled(if: geteuid() == 0, "network namespaces need root"))
struct HostTests {
    /// A context is wanted after little traffic, so that tests are short.
    static let quick = Daemon.Settings(["data-path": ["trigger-octets = 2000", "trigger-age = 1.0"]])

    /// Runs a test with two hosts whose daemons are ready, and tells what these logged if it fails.
    static func withPair(
        _ settings: Daemon.Settings = quick, b: Daemon.Settings? = nil, tunnels: Set<String> = [],
        _ body: (Pair) throws -> Void
    ) throws {
        let laboratory = try Laboratory()
        defer { laboratory.close() }
        let pair = try Pair(laboratory, a: settings, b: b ?? settings, tunnels: tunnels)
        do {
            try pair.start()
            try body(pair)
        } catch {
            Issue.record("\(error)\n\(pair.lastWords())")
        }
    }
}

extension Pair {
    /// Starts the UDP application and waits for the context.
    func startSession(device: String? = nil) throws -> Laboratory.Meter<Echo.Record> {
        let echo = try laboratory.echo(
            from: a.namespace, ulidOfA.description, to: b.namespace, ulidOfB.description, device: device)
        _ = try waitUntilEstablished()
        return echo
    }

    /// Makes the session use A's second uplink by cutting the first.
    @discardableResult
    func rehome() throws -> Clock.Moment {
        let begin = try topology.cut(topology.uplink("a1"))
        _ = try waitUntilMoved(to: "payload to leave a1") { a, b in
            a.source == self.locator("a2") && b.destination == self.locator("a2")
        }
        return begin
    }

    /// Losses outside [begin, the last switch of either host + 1 s].
    func straysOutsideFailure(_ record: Echo.Record, _ begin: Clock.Moment) throws -> [Clock.Moment] {
        let timelines = ["a": try a.timeline(), "b": try b.timeline()]
        let report = FailureReport("", at: begin, timelines: timelines, application: record)
        guard let end = report.lastSwitch else { throw LabError("the timelines tell of no switch") }
        return record.losses.filter { $0 < begin || $0 > end + .seconds(1) }
    }
}
