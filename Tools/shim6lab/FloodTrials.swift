import ArgumentParser
import Foundation
import Lab
import Shim6Control
import Shim6Wire
import Steering

/// How long a handshake takes while forged I1s keep one processor busy.
struct FloodTrials: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flood",
        abstract: "Measures handshakes of hosts with a session under a flood of I1s, each from another /48.",
        discussion: "Exits with 1 if a handshake takes more than 2 s.")

    @Argument(help: "Handshakes.") var rounds = 20

    private static let limit = 2.0

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("At least one.") }
    }

    func run() throws {
        Interruption.catchSignals()
        do {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            // The contexts are made by command: the session is only there, as before every handshake of RFC 5533.
            let settings = Daemon.Settings(["data-path": ["trigger-octets = 1000000000", "trigger-age = 86400.0"]])
            let pair = try Pair(laboratory, a: settings, b: settings)
            try pair.start()
            _ = try laboratory.echo(
                from: pair.a.namespace, pair.ulidOfA.description, to: pair.b.namespace, pair.ulidOfB.description)
            guard try measure(pair) else { throw ExitCode.failure }
        } catch let interruption as Interruption {
            print("\(interruption): everything has been taken down")
            throw ExitCode(128 + interruption.signal)
        }
    }

    private func measure(_ pair: Pair) throws -> Bool {
        let flood = try Flood(from: pair.topology.internet, to: pair.ulidOfB)
        defer { flood.stop() }
        let dropped = { try pair.b.status().drops.first { $0.key.hasSuffix("strangers_i1_rate") }?.value ?? 0 }
        try pair.laboratory.wait(until: "the flood to reach its limit", upTo: 30) { try dropped() > 10_000 }
        // What a first answer takes once and keeps is there.
        let (memory, count, answered, begin) = (
            try pair.b.anonymousMemory(), try dropped(), try i1s(pair.b), Clock.now
        )
        try pair.laboratory.pass(seconds: 20)
        let seconds = Double(Clock.now.nanoseconds - begin.nanoseconds) / 1e9
        let (stopped, passed) = (try dropped() - count, try i1s(pair.b) - answered)
        print(
            String(
                format: "I1s a second: %.0f dropped in the kernel, %.0f answered", Double(stopped) / seconds,
                Double(passed) / seconds))
        print("memory of the daemon: \(try pair.b.anonymousMemory() - memory) octets more after \(passed) answers")
        var times: [Double] = []
        for _ in 0..<rounds {
            // A context's end makes its session unknown until packets have gone both ways again.
            try pair.laboratory.pass(seconds: 0.5)
            _ = try pair.a.control(["establish", pair.ulidOfA.description, pair.ulidOfB.description])
            let (a, _) = try pair.waitUntilEstablished()
            guard let established = a.established else { throw LabError("the context was never established") }
            times.append(established.seconds(since: a.created))
            for (host, context) in [(pair.a, try pair.contextOfA()), (pair.b, try pair.contextOfB())] {
                if let context { try host.control(["rm", context.summary.tag.description]) }
            }
        }
        times.sort()
        print(
            String(
                format: "%d handshakes: median %.1f ms, longest %.1f ms, %d within %.0f s", rounds,
                times[rounds / 2] * 1e3, times[rounds - 1] * 1e3, times.count { $0 <= Self.limit }, Self.limit))
        return times[rounds - 1] <= Self.limit
    }

    private func i1s(_ daemon: Daemon) throws -> UInt64 { try daemon.status().counters["in_i1", default: 0] }
}
