import Foundation
import Shim6Control
import Shim6Wire

/// Two hosts that run the daemon: the setting of the demo and of most tests.
public final class Pair {
    public let topology: Topology
    public let a: Daemon
    public let b: Daemon
    /// The locator on each uplink, by device.
    public private(set) var locators: [String: IPv6Address] = [:]
    public var laboratory: Laboratory { topology.laboratory }

    public convenience init(
        _ laboratory: Laboratory, a settingsOfA: Daemon.Settings = Daemon.Settings(),
        b settingsOfB: Daemon.Settings = Daemon.Settings(), tunnels: Set<String> = []
    ) throws {
        try self.init(Topology(laboratory, tunnels: tunnels), hosts: ("a", "b"), a: settingsOfA, b: settingsOfB)
    }

    /// Two of the hosts of a topology.
    public init(
        _ topology: Topology, hosts: (a: String, b: String), a settingsOfA: Daemon.Settings,
        b settingsOfB: Daemon.Settings
    ) throws {
        self.topology = topology
        a = try Daemon(topology, host: hosts.a, settings: settingsOfA)
        b = try Daemon(topology, host: hosts.b, settings: settingsOfB)
    }

    /// Starts both daemons and learns their locators.
    public func start() throws {
        // Both search for their keys and addresses at the same time.
        try a.launch()
        try b.start()
        try waitForLocatorsOfA()
        try topology.waitForAddresses(of: a.host)
        try learnLocators()
    }

    private func waitForLocatorsOfA() throws {
        try laboratory.wait(until: "locators of host \(a.host)", upTo: 60) {
            guard a.isRunning else { throw LabError("shim6d on host \(a.host) has ended:\n\(a.logged)") }
            let report = try? a.ask(LocatorReport.self, "locators")
            return report?.locators.filter { $0.state == .usable }.count == topology.uplinks(of: a.host).count
        }
    }

    public func learnLocators() throws {
        for daemon in [a, b] {
            for uplink in topology.uplinks(of: daemon.host) {
                locators[uplink.device] = try daemon.locator(on: uplink.device)
            }
        }
    }

    /// Brings everything back to where a new session begins, after all uplinks work again.
    public func forgetSessions() throws {
        try laboratory.wait(until: "the contexts to be gone") {
            let tags = try [a, b].map { ($0, try $0.contexts().map(\.tag)) }
            for (daemon, tags) in tags {
                for tag in tags { try daemon.control(["rm", tag.description]) }
            }
            return tags.allSatisfy { $0.1.isEmpty }
        }
        try waitForLocatorsOfA()
        let ping = ["ping", "-c1", "-W1", "-I", ulidOfA.description, ulidOfB.description]
        try laboratory.wait(until: "host \(a.host) to reach host \(b.host)") {
            try a.namespace.result(of: ping).exitCode == 0
        }
    }

    /// The locator on an uplink.
    public func locator(_ device: String) -> IPv6Address {
        guard let locator = locators[device] else { preconditionFailure("no locator is known on \(device)") }
        return locator
    }

    /// The ULIDs of the session: the locators of the first uplinks.
    public var ulidOfA: IPv6Address { locator("\(a.host)1") }
    public var ulidOfB: IPv6Address { locator("\(b.host)1") }

    /// The name of the device that an address belongs to, for people.
    public func name(_ address: IPv6Address) -> String {
        locators.first { $0.value == address }?.key ?? address.description
    }

    public func name(_ pair: LocatorPair) -> String { "\(name(pair.source)) -> \(name(pair.destination))" }

    public func contextOfA() throws -> ContextDetail? { try a.context(local: ulidOfA, peer: ulidOfB) }
    public func contextOfB() throws -> ContextDetail? { try b.context(local: ulidOfB, peer: ulidOfA) }

    /// Waits until both hosts have an established context for the session.
    public func waitUntilEstablished(upTo limit: Double = 60) throws -> (a: ContextDetail, b: ContextDetail) {
        try laboratory.wait(for: "a context that is established on both hosts", upTo: limit, every: 0.1) {
            guard let a = try contextOfA(), let b = try contextOfB(), a.summary.state == "ESTABLISHED",
                b.summary.state == "ESTABLISHED"
            else { return nil }
            return (a, b)
        }
    }

    /// Waits until the payload of both directions uses the pairs wanted.
    ///
    /// - Parameter condition: gets the pairs of A's and of B's outgoing payload.
    public func waitUntilMoved(
        to what: String, upTo limit: Double = 60, _ condition: (_ a: LocatorPair, _ b: LocatorPair) -> Bool
    ) throws -> (a: LocatorPair, b: LocatorPair) {
        try laboratory.wait(for: what, upTo: limit, every: 0.1) {
            guard let a = try contextOfA()?.summary.outgoing, let b = try contextOfB()?.summary.outgoing,
                condition(a, b)
            else { return nil }
            return (a, b)
        }
    }

    /// Waits until one host has been told that a locator of the other is one no more, or is one again.
    public func wait(until locator: IPv6Address, isOffered offered: Bool, to daemon: Daemon) throws {
        let what = "host \(daemon.host) to learn that \(name(locator)) is \(offered ? "a locator" : "withdrawn")"
        try laboratory.wait(for: what, every: 0.1) {
            let context = try daemon === a ? contextOfA() : contextOfB()
            let usable = context?.peerLocators.locators.contains { $0.address == locator && $0.state != .withdrawn }
            return usable == offered ? true : nil
        }
    }

    /// The end of each daemon's log and what it has counted, for a failure's report.
    public func lastWords(lines: Int = 40) -> String {
        [a, b].map { daemon in
            let tail = daemon.logged.split(separator: "\n").suffix(lines).joined(separator: "\n")
            let counted = (try? daemon.status()).map { "\($0.counters.filter { $0.value > 0 }) \($0.drops)" } ?? ""
            return "--- shim6d on host \(daemon.host), its last \(lines) lines ---\n\(tail)\n\(counted)"
        }.joined(separator: "\n")
    }
}
