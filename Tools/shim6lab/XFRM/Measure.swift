import ArgumentParser
import Foundation
import Lab
import Shim6Core
import Shim6Wire
import Steering

extension XFRM {
    /// Throughput and times, all in one run: only ratios mean something in a guest.
    struct Measure: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Throughput, and the time of a switch.")
        @Option(help: "Turns of each stream.") var turns = 5
        @Option(help: "Switches.") var switches = 20

        func run() throws {
            let bpf = try inLaboratory(overBPF)
            let (xfrm, times) = try inLaboratory(overXFRM)
            print("rehomed over bpf  : plain   \(bpf)")
            print("rehomed over xfrm : plain   \(xfrm)")
            print(
                "a switch over xfrm, from the decision to the first packet: \(text(times.median)) ms "
                    + "(\(text(times.min() ?? 0))-\(text(times.max() ?? 0))), a packet every 2 ms")
        }

        private func inLaboratory<Value>(_ body: (Laboratory) throws -> Value) throws -> Value {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            return try body(laboratory)
        }

        private func overXFRM(_ laboratory: Laboratory) throws -> (Rates, [Double]) {
            let pair = try RehomedPair(laboratory)
            let ends = (pair.address("a1").description, pair.address("b1").description)
            let rates = try Rates(laboratory, from: pair.a.namespace, to: pair.b.namespace, ends, turns: turns) {
                moved in
                try pair.move(moved ? "a2" : "a1", moved ? "b2" : "b1")
            }
            return (rates, try switchTimes(laboratory, pair, ends))
        }

        /// Milliseconds from the decision until a packet is on the new link.
        private func switchTimes(
            _ laboratory: Laboratory, _ pair: RehomedPair, _ ends: (String, String)
        ) throws -> [Double] {
            let echo = try laboratory.echo(
                from: pair.a.namespace, ends.0, to: pair.b.namespace, ends.1, rate: 500)
            let capture = try Capture(
                laboratory, in: pair.topology.internet, device: "a2", filter: "ip6 proto 43", length: 128)
            var decided: [Clock.Moment] = []
            for _ in 0..<switches {
                decided.append(Clock.now)
                try pair.a.install(pair.entry("a2", "b1"))
                try laboratory.pass(seconds: 0.3)
                try pair.a.install(pair.entry("a1", "b1"))
                try laboratory.pass(seconds: 0.3)
            }
            _ = try echo.stop()
            let sent = try capture.packets().filter { $0.source == pair.address("a2") }.map(\.at)
            return decided.compactMap { moment in sent.first { $0 > moment }.map { ($0 - moment).seconds * 1000 } }
        }

        private func overBPF(_ laboratory: Laboratory) throws -> Rates {
            let topology = try Topology(laboratory)
            var hosts: [SteeredHost] = []
            for name in ["a", "b"] {
                guard let namespace = topology.hosts[name] else { throw LabError("no host \(name)") }
                for uplink in topology.uplinks(of: name) {
                    try namespace.run(
                        "ip", "addr", "add", "\(try SteeredHost.address(uplink))/64", "dev", uplink.device, "nodad")
                }
                hosts.append(try SteeredHost(namespace, uplinks: topology.uplinks(of: name)))
            }
            func address(_ device: String) throws -> IPv6Address { try SteeredHost.address(topology.uplink(device)) }
            let ends = (try address("a1").description, try address("b1").description)
            return try Rates(laboratory, from: hosts[0].namespace, to: hosts[1].namespace, ends, turns: turns) {
                moved in
                for (number, (own, other)) in [("a", "b"), ("b", "a")].enumerated() {
                    let way = moved ? "2" : "1"
                    let ulids = ULIDPair(local: try address(own + "1"), peer: try address(other + "1"))
                    try hosts[number].move(
                        DataPathEntry(
                            localTag: ContextTag(truncating: UInt64(number + 1)),
                            peerTag: ContextTag(truncating: UInt64(2 - number)), slot: 0, ulids: ulids,
                            outgoing: LocatorPair(
                                source: try address(own + way), destination: try address(other + way)),
                            inbound: .deliver))
                }
            }
        }
    }
}

/// Rates of one TCP stream, rehomed and plain in turn.
private struct Rates: CustomStringConvertible {
    private var plain: [Double] = []
    private var rehomed: [Double] = []

    init(
        _ laboratory: Laboratory, from source: Namespace, to destination: Namespace, _ ends: (String, String),
        turns: Int,
        move: (_ rehomed: Bool) throws -> Void
    ) throws {
        try laboratory.start(["iperf3", "-s", "-B", ends.1], in: destination, log: "iperf3-server.log")
        try laboratory.wait(until: "iperf3") { try destination.run("ss", "-Htln").contains(":5201") }
        for _ in 0..<turns {
            for isRehomed in [false, true] {
                try move(isRehomed)
                let rate = try Self.rate(source, ends)
                if isRehomed { rehomed.append(rate) } else { plain.append(rate) }
            }
        }
    }

    /// Gbit/s of two seconds.
    private static func rate(_ namespace: Namespace, _ ends: (String, String)) throws -> Double {
        struct Report: Decodable {
            struct End: Decodable { var sum_received: Sum }
            struct Sum: Decodable { var bits_per_second: Double }
            var end: End
        }
        let text = try namespace.run("iperf3", "-J", "-c", ends.1, "-B", ends.0, "-t", "2")
        return try JSONDecoder().decode(Report.self, from: Data(text.utf8)).end.sum_received.bits_per_second / 1e9
    }

    var description: String {
        let ratios = zip(rehomed, plain).map { $0 / $1 }
        return "\(text(ratios.median)) (\(text(ratios.min() ?? 0))-\(text(ratios.max() ?? 0)));   "
            + "Gbit/s: \(text(rehomed.median)) and \(text(plain.median))"
    }
}

private func text(_ number: Double) -> String { String(format: "%.2f", number) }

extension [Double] {
    fileprivate var median: Double { isEmpty ? 0 : sorted()[count / 2] }
}
