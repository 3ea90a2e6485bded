import Foundation
import Shim6Control
import Shim6Wire

/// One failure as both hosts and the application lived it.
public struct FailureReport: Sendable {
    public let name: String
    /// When the first packet can have been lost.
    public let begin: Clock.Moment
    /// The failovers that followed, by host.
    public let failovers: [(host: String, failover: Failover)]
    /// When the last host had moved its payload; nil if none did.
    public let lastSwitch: Clock.Moment?
    /// What the UDP application saw.
    public let gap: Gap?

    /// Takes from the hosts' timelines what began after the failure, before the next one and within 30 seconds.
    public init(
        _ name: String, at begin: Clock.Moment, before next: Clock.Moment? = nil, timelines: [String: [Failover]],
        application: Echo.Record
    ) {
        self.name = name
        self.begin = begin
        let end = min(begin + .seconds(30), next ?? begin + .seconds(30))
        failovers = timelines.sorted { $0.key < $1.key }.flatMap { host, failovers in
            failovers.filter { (begin..<end).contains(Clock.Moment($0.suspicion)) }.map { (host, $0) }
        }
        lastSwitch = failovers.flatMap { $0.failover.switches.map { Clock.Moment($0.at) } }.max()
        gap = application.longestGap(from: begin + .seconds(-0.1), to: lastSwitch.map { $0 + .seconds(1) } ?? end)
    }

    /// What is told of each failover must be all there.
    public var omissions: [String] {
        let switched = failovers.filter { !$0.failover.switches.isEmpty }
        var missing: [String] = switched.isEmpty ? ["a switch"] : []
        for (host, failover) in switched {
            let facts: [(String, Bool)] = [
                ("last good packet", failover.lastIn != nil), ("reason", !failover.reason.isEmpty),
                ("probes sent", failover.probes.contains { $0.direction == .sent }),
                ("probes received", failover.probes.contains { $0.direction == .received }),
                ("first payload on the new pair", failover.firstOut != nil),
            ]
            missing += facts.filter { !$0.1 }.map { "\($0.0) on host \(host)" }
        }
        return missing + (gap == nil ? ["the application's gap"] : [])
    }

    /// A line for each thing that happened, in order of time, with the addresses called by their uplinks' names.
    public func lines(name: (LocatorPair) -> String) -> [String] {
        var steps: [(at: Clock.Moment, text: String)] = [(begin, "     the failure begins")]
        for (host, failover) in failovers {
            func add(_ moment: Moment, _ text: String) { steps.append((Clock.Moment(moment), "  \(host)  \(text)")) }
            func on(_ pair: LocatorPair?) -> String { pair.map { " on \(name($0))" } ?? "" }
            if let step = failover.lastIn { add(step.at, "last good packet in\(on(step.pair))") }
            add(failover.suspicion, "suspicion: \(failover.reason), payload out on \(name(failover.pair))")
            for probe in failover.probes {
                let reports = probe.reports.map { ", \($0) of our probes reported" } ?? ""
                add(probe.at, "probe \(probe.direction.rawValue) on \(name(probe.pair)): \(probe.state)\(reports)")
            }
            for step in failover.switches { add(step.at, "switch from \(name(step.from)) to \(name(step.to))") }
            if let step = failover.firstOut { add(step.at, "first payload out\(on(step.pair))") }
            if let step = failover.firstIn { add(step.at, "first payload in\(on(step.pair))") }
        }
        if let gap {
            steps.append((gap.from, "     the application's last echo"))
            steps.append((gap.to, "     the application's next echo, \(seconds(gap.length)) s later"))
        }
        return steps.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
            .map { "\(seconds($0.element.at - begin, width: 9)) \($0.element.text)" }
    }

    private func seconds(_ span: Clock.Span, width: Int = 0) -> String {
        String(format: "%\(width == 0 ? "" : "+\(width)").3f", span.seconds)
    }
}

extension Clock.Moment {
    /// The monotonic half of the daemon's moments.
    public init(_ moment: Moment) {
        self.init(nanoseconds: moment.monotonicNs)
    }
}
