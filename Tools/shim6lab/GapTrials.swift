import ArgumentParser
import Foundation
import Lab
import Shim6Control
import Shim6Wire

/// How long applications get nothing when an uplink dies without a word. Each trial is a new session with a new context
/// and one application alone, so that neither application helps the other.
struct GapTrials: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gap",
        abstract: "Measures the gaps of silent two-way cuts with a Send Timeout of 1 s.",
        discussion: "Exits with 1 if fewer than 19 of 20 gaps are within the targets.")

    @Argument(help: "Cuts under each application.") var rounds = 20
    @Option(help: "Seconds for which the uplink stays dead.") var dead = 5.0

    func validate() throws {
        guard rounds > 0, dead > 2 else { throw ValidationError("At least one round, and more than 2 s dead.") }
    }

    func run() throws {
        Interruption.catchSignals()
        do {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let pair = try Pair(laboratory)
            do {
                let trials = try GapTrialSeries(pair, dead: dead)
                guard try trials.run(rounds: rounds) else { throw ExitCode.failure }
            } catch let error as LabError {
                throw LabError("\(error)\n\(pair.lastWords())")
            }
        } catch let interruption as Interruption {
            print("\(interruption): everything has been taken down")
            throw ExitCode(128 + interruption.signal)
        }
    }
}

private struct GapTrialSeries {
    private let pair: Pair
    private let dead: Double
    private var laboratory: Laboratory { pair.laboratory }
    private var uplink: Uplink { pair.topology.uplink("a1") }

    init(_ pair: Pair, dead: Double) throws {
        self.pair = pair
        self.dead = dead
        try pair.start()
    }

    private enum Application: String, CaseIterable {
        case udp = "UDP"
        case tcp = "TCP"

        /// The longest gap that is good enough, in seconds.
        var target: Double {
            switch self {
            case .udp: 1.3
            case .tcp: 1.8
            }
        }
    }

    /// What came of one cut, in seconds; the last two since it was ordered.
    private struct Trial {
        /// What the application saw; nil if nothing arrived any more.
        var gap: Double?
        var suspicion: Double?
        var lastSwitch: Double?
    }

    /// - Returns: whether 19 of 20 gaps are within the target of their application.
    func run(rounds: Int) throws -> Bool {
        tell("a1 silent both ways for \(dead) s, Send Timeout 1 s; load \(load)")
        tell("round  application    gap  suspected  last switch   (s; the last two since the cut was ordered)")
        var trials: [Application: [Trial]] = [:]
        for round in 1...rounds {
            for application in Application.allCases {
                let trial = try self.trial(application)
                trials[application, default: []].append(trial)
                tell(
                    String(format: "%5d  ", round) + application.rawValue + "         " + text(trial.gap) + "    "
                        + text(trial.suspicion) + "      " + text(trial.lastSwitch))
            }
        }
        tell("load \(load) at the end")
        return Application.allCases.map { judge($0, trials[$0] ?? []) }.allSatisfy { $0 }
    }

    private func judge(_ application: Application, _ trials: [Trial]) -> Bool {
        let gaps = trials.compactMap(\.gap).sorted()
        let good = gaps.filter { $0 <= application.target }.count
        var line = "\(application.rawValue): \(good) of \(trials.count) gaps are at most \(application.target) s"
        if let lowest = gaps.first, let highest = gaps.last {
            line += String(format: "; median %.3f, %.3f to %.3f s", gaps[gaps.count / 2], lowest, highest)
        }
        tell(line)
        return good * 20 >= trials.count * 19
    }

    private func trial(_ application: Application) throws -> Trial {
        let (a, b) = (pair.a.namespace, pair.b.namespace)
        let (local, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
        var trial: Trial
        switch application {
        case .udp:
            let meter = try laboratory.echo(from: a, local, to: b, peer)
            trial = try cut { begin in
                try meter.stop().longestSilence(from: begin)
            }
        case .tcp:
            let meter = try laboratory.stream(from: b, peer, to: a, local)
            trial = try cut { begin in
                try meter.stop().longestGap(from: begin, to: Clock.now)?.length
            }
        }
        if let gap = trial.gap, gap >= dead - 0.5 { trial.gap = nil }
        try pair.topology.heal(uplink)
        try pair.forgetSessions()
        return trial
    }

    /// Cuts the uplink at a moment that has nothing to do with the traffic's.
    private func cut(_ stop: (Clock.Moment) throws -> Clock.Span?) throws -> Trial {
        _ = try pair.waitUntilEstablished()
        try laboratory.pass(seconds: 1)
        usleep(.random(in: 0..<1_000_000))
        let begin = try pair.topology.cut(uplink)
        try laboratory.pass(seconds: dead)
        let gap = try stop(begin)
        let failovers = try (pair.a.timeline() + pair.b.timeline()).filter { Clock.Moment($0.suspicion) >= begin }
        let switches = failovers.flatMap(\.switches).map { Clock.Moment($0.at) }
        return Trial(
            gap: gap?.seconds,
            suspicion: failovers.map { (Clock.Moment($0.suspicion) - begin).seconds }.min(),
            lastSwitch: switches.max().map { ($0 - begin).seconds })
    }

    private func text(_ seconds: Double?) -> String { seconds.map { String(format: "%5.3f", $0) } ?? " none" }

    private func tell(_ line: String) {
        print(line)
        fflush(nil)
    }

    private var load: Substring {
        (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8))?.split(separator: " ").first ?? "unknown"
    }
}

extension Echo.Record {
    /// The longest time without an echo after `start`, the one after the last echo included.
    func longestSilence(from start: Clock.Moment) -> Clock.Span? {
        guard let lastSent = sent.last, let last = received.max(), last.nanoseconds != 0 else { return nil }
        return [longestGap(from: start, to: lastSent)?.length, lastSent - last].compactMap { $0 }.max()
    }
}
