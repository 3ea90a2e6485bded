import ArgumentParser
import Foundation
import Lab
import Shim6Control
import Shim6Wire

/// The profile fast under everything that looks like a failure and is none: nothing may move.
struct Soak: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Loses packets, stops daemons and processors, and looks whether payload moves.",
        discussion: "2 % of the packets get lost at random, stops are of 3 s. One context carries a TCP stream, "
            + "another one a packet a second. Exits with 1 after a switch.")

    @Argument(help: "Minutes.") var minutes = 30.0

    @Flag(help: "Stop daemons only, so that what else runs on this machine goes on.") var sparesProcessors = false

    func validate() throws {
        guard minutes > 0 else { throw ValidationError("More than no time.") }
    }

    func run() throws {
        Interruption.catchSignals()
        let laboratory = try Laboratory()
        defer { laboratory.close() }
        do {
            let pair = try Pair(laboratory, a: .fast, b: .fast)
            try pair.start()
            guard try soak(pair) else { throw ExitCode.failure }
        } catch let interruption as Interruption {
            print("\(interruption): everything has been taken down")
            throw ExitCode(128 + interruption.signal)
        }
    }

    private func soak(_ pair: Pair) throws -> Bool {
        let (a, b) = (pair.a.namespace, pair.b.namespace)
        let sparse = (local: pair.locator("a2").description, peer: pair.locator("b2").description)
        let stream = try pair.laboratory.stream(
            from: b, pair.ulidOfB.description, to: a, pair.ulidOfA.description)
        let echo = try pair.laboratory.echo(from: a, sparse.local, to: b, sparse.peer, rate: 1)
        _ = try pair.a.control(["establish", sparse.local, sparse.peer])
        _ = try pair.waitUntilEstablished()
        for uplink in pair.topology.uplinks(of: "a") { try pair.topology.lose(percent: 2, on: uplink) }
        let end = Clock.now + .seconds(minutes * 60)
        var stalls = 0
        while Clock.now < end {
            try pair.laboratory.pass(seconds: 10)
            let daemon = stalls.isMultiple(of: 4) ? pair.a : pair.b
            if sparesProcessors || stalls.isMultiple(of: 2) {
                daemon.send(SIGSTOP)
                try pair.laboratory.pass(seconds: 3)
                daemon.send(SIGCONT)
            } else {
                try stopProcessors(pair.laboratory)
            }
            stalls += 1
        }
        let failovers = try pair.a.timeline() + pair.b.timeline()
        let moved = failovers.filter { !$0.switches.isEmpty }
        try show(failovers.filter { near in moved.contains { abs($0.suspicion.seconds(since: near.suspicion)) < 5 } })
        let octets = try stream.stop().octets
        let record = try echo.stop()
        print(
            "\(minutes) minutes with 2 % loss, \(stalls) stalls of 3 s: \(octets) octets over TCP, \(record.losses.count) of "
                + "\(record.sent.count) sparse packets unanswered, \(failovers.count - moved.count) suspicions that came to nothing, "
                + "\(moved.count) switches")
        return moved.isEmpty && octets > 0
    }

    /// What there is to see of failovers, of the peer's at the same time as well.
    private func show(_ failovers: [Shim6Control.Failover]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        for failover in failovers { print("  " + String(decoding: try encoder.encode(failover), as: UTF8.self)) }
    }

    /// Takes every processor away from all that has no real-time priority, but for what the kernel sets aside for it.
    private func stopProcessors(_ laboratory: Laboratory) throws {
        let count = ProcessInfo.processInfo.activeProcessorCount
        let programs = try (0..<count).map { number in
            try laboratory.start(
                ["timeout", "3", "chrt", "-f", "50", "sh", "-c", "while :; do :; done"], log: "stall-\(number).log")
        }
        try laboratory.wait(until: "the processors to be free again") { programs.allSatisfy { !$0.isRunning } }
    }
}
