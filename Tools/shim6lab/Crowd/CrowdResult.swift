import Foundation
import Lab
import Shim6Control
import Shim6Wire

/// What came of one cut.
struct CrowdResult: CustomStringConvertible {
    /// What one daemon did. Times in seconds since the cut.
    struct Host {
        var name: String
        /// When each context moved to a pair without the dead uplink; infinite if it is on none.
        var switches: [Double]
        /// When the first suspicion was.
        var firstSuspicion: Double
        /// The Probes that it sent: all, and those that began an exploration or went on with one.
        var all: [Double]
        var begun: [Double]

        /// - Parameters:
        ///   - dead: the addresses of the uplink that was cut.
        ///   - captures: of the uplinks of this host.
        init(
            _ daemon: Daemon, since begin: Clock.Moment, dead: Set<String>, _ count: Int, _ captures: [Capture]
        ) throws {
            name = daemon.host
            let failovers = try daemon.timeline().filter { Clock.Moment($0.suspicion) >= begin }
            firstSuspicion = failovers.map { (Clock.Moment($0.suspicion) - begin).seconds }.min() ?? .infinity
            var last: [ContextTag: Double] = [:]
            for failover in failovers {
                for step in failover.switches { last[failover.tag] = (Clock.Moment(step.at) - begin).seconds }
            }
            func isAlive(_ pair: LocatorPair) -> Bool {
                !dead.contains(pair.source.description) && !dead.contains(pair.destination.description)
            }
            switches = try daemon.contexts().map { context in
                guard let pair = context.outgoing, isAlive(pair), let moment = last[context.tag] else {
                    return .infinity
                }
                return moment
            }
            switches += [Double](repeating: .infinity, count: max(0, count - switches.count))
            switches.sort()
            let own = "2001:db8:\(daemon.host)"
            let probes = try captures.flatMap { try $0.packets() }.compactMap { packet -> (Double, ProbeState)? in
                guard packet.at >= begin, packet.source.description.hasPrefix(own),
                    case .probe(let probe) = try? ControlMessage(MessageView(packet.payload))
                else { return nil }
                return ((packet.at - begin).seconds, probe.state)
            }
            all = probes.map(\.0).sorted()
            begun = probes.filter { $0.1 == .exploring }.map(\.0).sorted()
        }

        /// The most of these that fall into one second.
        static func densest(_ times: [Double]) -> Int {
            var first = 0
            return times.indices.map { last in
                while times[last] - times[first] > 1 { first += 1 }
                return last - first + 1
            }.max() ?? 0
        }
    }

    /// What the application saw of each context, seconds.
    var gaps: [Double]
    var hosts: [Host]
    var budget: Int

    var latestSwitch: Double { hosts.compactMap(\.switches.last).max() ?? .infinity }
    /// A second's worth, and what may be saved up.
    var isWithinBudget: Bool { hosts.allSatisfy { Host.densest($0.begun) <= budget + budget / 10 } }

    var description: String {
        func seconds(_ value: Double) -> String { String(format: "%.3f", value) }
        let sorted = gaps.sorted()
        let lines = hosts.map { host in
            let times = [host.firstSuspicion, host.switches[host.switches.count / 2], host.switches.last ?? 0]
            let (all, begun) = (Host.densest(host.all), Host.densest(host.begun))
            return "  \(host.name): first suspicion, half and all moved after "
                + "\(times.map(seconds).joined(separator: ", ")) s; "
                + "\(host.all.count) Probes, in one second \(all) at most, \(begun) of them begun\n"
        }
        return "\(gaps.count) contexts, gaps \(seconds(sorted[sorted.count / 2])) (median) to "
            + "\(seconds(sorted.last ?? 0)) s\n\(lines.joined())"
    }
}
