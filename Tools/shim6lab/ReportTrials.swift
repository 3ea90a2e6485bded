import ArgumentParser
import Foundation
import Lab
import Shim6Control
import Shim6Wire

/// What reports about a full table of contexts cost the daemon.
struct ReportTrials: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reports",
        abstract: "Measures what others wait while clients ask for every context of a full table.",
        discussion: "Exits with 1 if a pass of the daemon's loop took more than 50 ms.")

    @Argument(help: "Contexts.") var contexts = 16_384
    @Option(help: "Clients that ask at a time.") var clients = 4
    @Option(help: "Times that each asks.") var rounds = 5

    private static let limit: UInt64 = 50_000

    func validate() throws {
        guard contexts > 0, clients > 0, rounds > 0 else { throw ValidationError("At least one of each.") }
    }

    func run() throws {
        Interruption.catchSignals()
        do {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let topology = try Topology(laboratory, hosts: ["a": 1])
            // Nobody answers; the contexts wait for it.
            let daemon = try Daemon(
                topology, host: "a",
                settings: Daemon.Settings([
                    "protocol": ["i1-timeout = 3600.0", "i1-retries-max = 100"],
                    "limits": ["max-contexts = \(max(contexts, 16))"],
                ]))
            try daemon.start()
            guard try measure(daemon) else { throw ExitCode.failure }
        } catch let interruption as Interruption {
            print("\(interruption): everything has been taken down")
            throw ExitCode(128 + interruption.signal)
        }
    }

    private func measure(_ daemon: Daemon) throws -> Bool {
        let local = try daemon.locator(on: "a1")
        let client = try ControlClient(path: daemon.socket)
        for number in 0..<contexts {
            // A thousand peers a /64.
            let peer = IPv6Address(
                high: 0x2001_0db8_00ff_0000 + UInt64(number / 1000), low: 1 + UInt64(number % 1000))
            _ = try client.send(.establish(ULIDPair(local: local, peer: peer)))
        }
        try daemon.laboratory.pass(seconds: 2)
        let before = try longestPass(client)
        let memory = try daemon.anonymousMemory()
        print("\(contexts) contexts, \(memory >> 10) KiB of memory; longest pass so far \(before) us")
        try report("status of a quiet daemon", latencies(client) { $0 >= 200 })

        let requests = String(repeating: #"{"version":1,"id":1,"command":"contexts"}\n"#, count: rounds)
        let begin = Clock.now
        let askers = try (0..<clients).map { number in
            try daemon.laboratory.start(
                ["sh", "-c", "printf '\(requests)' | socat -t 600 - UNIX-CONNECT:\(daemon.socket) | wc -lc"],
                log: "asker-\(number).log")
        }
        try report(
            "status while \(clients) clients ask for all contexts",
            latencies(client) { _ in !askers.contains { $0.isRunning } })
        let seconds = Double(Clock.now.nanoseconds - begin.nanoseconds) / 1e9
        for asker in askers {
            let counts = asker.text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
            guard counts.first == rounds else { throw LabError("an answer is missing: \(asker.text)") }
            print("a client: \(rounds) answers, \(counts.last ?? 0) octets")
        }
        print(String(format: "%d reports in %.2f s", clients * rounds, seconds))
        let contexts = try Clock.seconds { _ = try client.send(.contexts) }
        let locators = try Clock.seconds { _ = try client.send(.locators) }
        print(String(format: "contexts, with its decoding: %.3f s; locators: %.3f s", contexts, locators))
        try daemon.laboratory.pass(seconds: 2)
        let more = try daemon.anonymousMemory() - memory
        let longest = try longestPass(client)
        print("memory kept after the reports: \(more >> 10) KiB; longest pass \(longest) us")
        return max(longest, before) == before || longest <= Self.limit
    }

    private func longestPass(_ client: ControlClient) throws -> UInt64 {
        guard case .status(let report) = try client.send(.status) else { throw LabError("no status") }
        return report.counters["longest_pass_us"] ?? 0
    }

    /// Seconds that each of many questions for the status took, until `isEnough` of them.
    private func latencies(_ client: ControlClient, until isEnough: (Int) -> Bool) throws -> [Double] {
        var times: [Double] = []
        repeat {
            times.append(try Clock.seconds { _ = try client.send(.status) })
            usleep(2000)
        } while !isEnough(times.count)
        return times.sorted()
    }

    private func report(_ what: String, _ times: [Double]) {
        print(
            String(
                format: "%@: %d times, median %.1f ms, longest %.1f ms", what, times.count,
                times[times.count / 2] * 1e3, times[times.count - 1] * 1e3))
    }
}

extension Clock {
    fileprivate static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let begin = now
        try body()
        return Double(now.nanoseconds - begin.nanoseconds) / 1e9
    }
}
