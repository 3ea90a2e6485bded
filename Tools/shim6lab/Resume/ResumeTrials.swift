import ArgumentParser
import Foundation
import Lab
import Shim6Control
import Shim6Wire

/// How long a TCP stream stands still after a silent failure, by what is done for it once payload has moved.
struct ResumeTrials: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Compares what makes TCP go on at once after a switch.",
        discussion: "Nothing; the packet that the daemon has kept; ICMPv6 errors that undo the timer's back-off; both.")

    @Argument(help: "Failures of each kind.") var rounds = 8

    func validate() throws {
        guard rounds > 0 else { throw ValidationError("At least one round.") }
    }

    func run() throws {
        Interruption.catchSignals()
        do {
            for profile in Profile.allCases {
                let laboratory = try Laboratory()
                defer { laboratory.close() }
                try ResumeSeries(laboratory, profile).run(rounds: rounds)
            }
        } catch let interruption as Interruption {
            print("\(interruption): everything has been taken down")
            throw ExitCode(128 + interruption.signal)
        }
    }
}

/// How failures are noticed.
private enum Profile: String, CaseIterable {
    case rfc = "rfc, Send Timeout 1 s"
    case fast

    func settings(keepsPackets: Bool) -> Daemon.Settings {
        var settings = self == .rfc ? Daemon.Settings() : .fast
        if !keepsPackets { settings.sections["limits"] = ["max-kept-packets = 0"] }
        return settings
    }

    /// Seconds for which the uplink stays dead.
    var dead: Double { self == .rfc ? 2.3 : 1 }
    /// Seconds for which the session is watched before.
    var quiet: Double { self == .rfc ? 0.5 : 1 }
}

/// What the sender does, 1,200 octets at a time.
private enum Sending: String, CaseIterable {
    case stream = "every 2 ms"
    /// One that has nothing new to send until it is answered.
    case dialogue = "2 ms after each answer"
}

/// What is done after a switch.
private enum Means: String, CaseIterable {
    case nothing
    case kept = "kept packet"
    case error = "one error"
    case errors = "an error a step"
    case both = "kept packet and errors"

    var keepsPackets: Bool { self == .kept || self == .both }

    var errors: SenderWatch.Errors {
        switch self {
        case .nothing, .kept: .none
        case .error: .one
        case .errors, .both: .each
        }
    }
}

private struct ResumeSeries {
    private struct Trial {
        /// Seconds in which the sending got nothing; nil if nothing came any more.
        var gap: Double?
        /// Seconds from the cut to the sender's switch.
        var switched: Double?
        var sender: SenderWatch.Record
        var first: FirstPackets?

        var line: String {
            let numbers: [Any?] = [
                gap.map { String(format: "%.3f", $0) }, switched.map { String(format: "%.3f", $0) }, sender.repeats,
                sender.errors, sender.lag.map { String(format: "%.2f", $0) }, sender.outstanding, first?.beforeAnswer,
                first?.repeated,
            ]
            return numbers.map { $0.map { "\($0)" } ?? "none" }.joined(separator: ", ")
        }
    }

    private let laboratory: Laboratory
    private let topology: Topology
    private let profile: Profile
    /// Hosts that keep packets.
    private let keeping: Pair
    /// Hosts that do not.
    private let forgetting: Pair

    init(_ laboratory: Laboratory, _ profile: Profile) throws {
        self.laboratory = laboratory
        self.profile = profile
        topology = try Topology(laboratory, hosts: ["a": 2, "b": 2, "c": 2, "d": 2])
        let settings = [true, false].map(profile.settings)
        keeping = try Pair(topology, hosts: ("a", "b"), a: settings[0], b: settings[0])
        forgetting = try Pair(topology, hosts: ("c", "d"), a: settings[1], b: settings[1])
        try keeping.start()
        try forgetting.start()
    }

    func run(rounds: Int) throws {
        tell("profile \(profile.rawValue); load \(load)")
        tell("round, sending, means: gap, switched, repeats, errors, lag, outstanding, until answered, sent again")
        var trials: [Sending: [Means: [Trial]]] = [:]
        for round in 1...rounds {
            for sending in Sending.allCases {
                for means in Means.allCases {
                    let pair = means.keepsPackets ? keeping : forgetting
                    do {
                        let trial = try self.trial(sending, means, pair)
                        trials[sending, default: [:]][means, default: []].append(trial)
                        tell("\(round), \(sending.rawValue), \(means.rawValue): \(trial.line)")
                    } catch let error as LabError {
                        throw LabError("\(error)\n\(pair.lastWords())")
                    }
                }
            }
        }
        tell("load \(load) at the end\n")
        for sending in Sending.allCases { tell(table(sending, trials[sending] ?? [:])) }
    }

    /// A new session, a failure of it at a moment that has nothing to do with the traffic's, and what came of it.
    private func trial(_ sending: Sending, _ means: Means, _ pair: Pair) throws -> Trial {
        let uplink = topology.uplinks(of: pair.a.host)[0]
        let other = topology.uplinks(of: pair.a.host)[1]
        let (a, b) = (pair.a.namespace, pair.b.namespace)
        let (local, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
        // All that is rehomed passes the uplink that is left.
        let capture = try Capture(
            laboratory, in: topology.internet, device: other.device, filter: "ip6 proto 140 and ip6[42] & 0x80 != 0",
            length: 128)
        let name = "\(pair.b.host)-watch-\(Clock.now.nanoseconds)"
        let watch = try laboratory.start(
            [
                try Executable.lab.path, "sender-watch", "--socket", pair.b.socket, "--local", peer, "--peer", local,
                "--errors", means.errors.rawValue,
            ], in: b, log: name + ".json", errors: name + ".log")
        try laboratory.wait(until: "the watch of the sender") {
            try String(contentsOfFile: laboratory.path(name + ".log"), encoding: .utf8).contains(SenderWatch.ready)
        }
        let stream = try laboratory.stream(from: b, peer, to: a, local, isDialogue: sending == .dialogue)
        _ = try pair.waitUntilEstablished()
        try laboratory.pass(seconds: profile.quiet)
        usleep(.random(in: 0..<400_000))
        let begin = try topology.cut(uplink)
        try laboratory.pass(seconds: profile.dead)
        var gap = try stream.stop().longestGap(from: begin, to: Clock.now)?.length.seconds
        if let length = gap, length >= profile.dead - 0.2 { gap = nil }
        guard watch.end() == 0 else { throw LabError("\(watch.name) failed: \(watch.text)") }
        capture.stop()
        let sender = try JSONDecoder().decode(SenderWatch.Record.self, from: Data(watch.text.utf8))
        let switches = try pair.b.timeline().flatMap(\.switches).map { Clock.Moment($0.at) }.filter { $0 >= begin }
        let packets = try capture.packets()
        let first = sender.next.flatMap { FirstPackets(packets, next: $0) }
        try topology.heal(uplink)
        try pair.forgetSessions()
        return Trial(
            gap: gap, switched: switches.min().map { ($0 - begin).seconds }, sender: sender, first: first)
    }

    // MARK: For people

    private func table(_ sending: Sending, _ trials: [Means: [Trial]]) -> String {
        let head = [
            "| \(profile.rawValue), \(sending.rawValue) | gap, ms | octets until the first answer | segments sent again |",
            "|---|---|---|---|",
        ]
        let rows = Means.allCases.map { row($0, trials[$0] ?? []) }
        let all = trials.values.joined()
        let outstanding = spread(all.compactMap(\.sender.outstanding).map(Double.init))
        let notes = [
            "octets outstanding at the switch: \(outstanding)",
            "ms from the daemon's decision to the first error: \(spread(all.compactMap(\.sender.lag), digits: 2))", "",
        ]
        return (head + rows + notes).joined(separator: "\n")
    }

    private func row(_ means: Means, _ trials: [Trial]) -> String {
        let gaps = trials.compactMap(\.gap)
        let lost = gaps.count < trials.count ? ", \(trials.count - gaps.count) did not end" : ""
        let first = trials.compactMap(\.first)
        let columns = [
            spread(gaps.map { $0 * 1000 }) + lost, spread(first.map { Double($0.beforeAnswer) }),
            spread(first.map { Double($0.repeated) }),
        ]
        return "| \(means.rawValue) | " + columns.joined(separator: " | ") + " |"
    }

    /// Median, lowest and highest.
    private func spread(_ values: [Double], digits: Int = 0) -> String {
        let sorted = values.sorted()
        guard let lowest = sorted.first, let highest = sorted.last else { return "none" }
        let texts = [sorted[sorted.count / 2], lowest, highest].map { String(format: "%.\(digits)f", $0) }
        return "\(texts[0]) (\(texts[1])-\(texts[2]))"
    }

    private func tell(_ line: String) {
        print(line)
        fflush(nil)
    }

    private var load: Substring {
        (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8))?.split(separator: " ").first ?? "unknown"
    }
}
