import Foundation
import Lab
import Shim6Control
import Shim6Wire

/// Throughput of one TCP stream between two hosts that are joined by two links without a router: with the daemon running
/// on both, against hosts without it.
///
/// Two such pairs of hosts stand side by side and take turns of one second, so that whatever else the machine does meets
/// both. A round gives the median of the ratios of its turns, the result is the median of the rounds.
@main
struct Throughput {
    static func main() throws {
        let arguments = CommandLine.arguments.dropFirst()
        let rounds = arguments.first.flatMap { Int($0) } ?? 5
        let turns = arguments.dropFirst().first.flatMap { Int($0) } ?? 6
        let laboratory = try Laboratory()
        defer { laboratory.close() }
        let plain = try JoinedHosts(laboratory, "c", "d")
        let shim6 = try JoinedHosts(laboratory, "a", "b")
        for host in ["c", "d"] { try plain.putAddresses(host) }
        let (a, b) = try (shim6.startDaemon(on: "a"), shim6.startDaemon(on: "b"))
        let ends = try (a.locator(on: "a1"), b.locator(on: "b1"))
        let streams = try (
            plain: plain.stream("2001:db8:c1::c", "2001:db8:d1::d"),
            shim6: shim6.stream(ends.0.description, ends.1.description)
        )

        _ = try streams.shim6.rate()
        try laboratory.wait(until: "a context on both hosts") {
            try [a.context(local: ends.0, peer: ends.1), b.context(local: ends.1, peer: ends.0)]
                .allSatisfy { $0?.summary.state == "ESTABLISHED" }
        }
        let notRehomed = try Comparison(rounds, turns, streams.shim6, streams.plain)
        guard try a.contexts().allSatisfy({ $0.outgoing == LocatorPair(source: ends.0, destination: ends.1) }) else {
            throw LabError("the stream was rehomed")
        }

        for device in ["a1", "b1"] { try shim6.topology.lower(shim6.topology.uplink(device)) }
        let others = try (a.locator(on: "a2"), b.locator(on: "b2"))
        try laboratory.wait(until: "both hosts to move to the second links", upTo: 60) {
            try a.context(local: ends.0, peer: ends.1)?.summary.outgoing
                == LocatorPair(source: others.0, destination: others.1)
                && b.context(local: ends.1, peer: ends.0)?.summary.outgoing
                    == LocatorPair(source: others.1, destination: others.0)
        }
        try plain.switchOffloads(off: ["tso", "gso", "gro"])
        let rehomed = try Comparison(rounds, turns, streams.shim6, streams.plain)

        print("not rehomed : no daemon          \(notRehomed)  (wanted: at least 0.97)")
        print("rehomed : plain without offloads \(rehomed)  (wanted: at least 0.8)")
        print("Gbit/s: no daemon \(notRehomed.others), not rehomed \(notRehomed.ours);")
        print("        plain without tso, gso, gro \(rehomed.others), rehomed \(rehomed.ours)")
    }
}

/// Two streams that take turns.
private struct Comparison: CustomStringConvertible {
    private var ratios: [Double] = []
    private var rates: (ours: [Double], others: [Double]) = ([], [])

    init(_ rounds: Int, _ turns: Int, _ ours: Stream, _ other: Stream) throws {
        for round in 1...max(1, rounds) {
            var ofRound: [Double] = []
            for turn in 0..<max(1, turns) {
                // Neither is always the first.
                let first = try (turn % 2 == 0 ? ours : other).rate()
                let second = try (turn % 2 == 0 ? other : ours).rate()
                let (our, their) = turn % 2 == 0 ? (first, second) : (second, first)
                rates.ours.append(our)
                rates.others.append(their)
                ofRound.append(our / their)
            }
            ratios.append(ofRound.median)
            let line = String(format: "round %d: %.3f, load ", round, ofRound.median) + load + "\n"
            FileHandle.standardError.write(Data(line.utf8))
        }
    }

    private var load: String {
        let text = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)) ?? ""
        return String(text.prefix { $0 != " " })
    }

    var ours: String { String(format: "%.1f", rates.ours.median) }
    var others: String { String(format: "%.1f", rates.others.median) }
    var description: String {
        String(format: "%.3f, %.3f-%.3f", ratios.median, ratios.min() ?? 0, ratios.max() ?? 0)
    }
}

extension [Double] {
    fileprivate var median: Double { sorted()[count / 2] }
}
