import Foundation
import Shim6Control
import Shim6Wire

/// A `shim6d` in one host, with its configuration and state in the laboratory's directory.
public final class Daemon {
    /// What goes into the configuration file, by section; "" is the part before the first.
    public struct Settings: Sendable {
        public var sections: [String: [String]]

        /// A Send Timeout of 1 s; everything else as shipped.
        public init(_ sections: [String: [String]] = [:]) {
            self.sections = ["reap": ["send-timeout = 1.0"]].merging(sections) { $0 + $1 }
        }

        /// The profile fast; everything else as shipped.
        public static var fast: Settings { Settings(profile: "fast", []) }

        /// - Parameter reap: keys of the section `reap`, all that differ from the profile's.
        public init(profile: String, _ reap: [String]) {
            sections = ["": ["profile = \"\(profile)\""], "reap": reap]
        }

        /// The same as `init()` with a data path of this name.
        public init(driver: String) {
            self.init(["data-path": ["driver = \"\(driver)\""]])
        }
    }

    public let host: String
    public let namespace: Namespace
    public let configuration: String
    public let socket: String
    /// Words in front of its command.
    public var behind: [String] = []
    public let topology: Topology
    public var laboratory: Laboratory { topology.laboratory }
    private var program: Program?
    private var log: String { "\(host)-shim6d.log" }

    /// Writes the configuration: one uplink for each of the host's that is in `uplinks`, all by default. With
    /// `followsRouters` it names nothing but the interfaces.
    public init(
        _ topology: Topology, host: String, settings: Settings = Settings(), uplinks: [Uplink]? = nil,
        followsRouters: Bool = false
    ) throws {
        guard let namespace = topology.hosts[host] else { throw LabError("there is no host \(host)") }
        self.topology = topology
        self.host = host
        self.namespace = namespace
        let laboratory = topology.laboratory
        let state = laboratory.path("\(host)-state")
        try FileManager.default.createDirectory(
            atPath: state, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        socket = laboratory.path("\(host).sock")
        configuration = laboratory.path("\(host).toml")
        let own = [
            "identity": ["key = \"\(state)/key.pem\"", "directory = \"\(state)\""],
            "control": ["socket = \"\(socket)\""],
        ]
        let sections = own.merging(settings.sections) { $0 + $1 }
        var lines = sections["", default: []]
        for uplink in uplinks ?? topology.uplinks(of: host) {
            lines += ["[[uplink]]", "interface = \"\(uplink.device)\""]
            if followsRouters { continue }
            lines += [
                "gateway = \"\(uplink.gateway)\"",
                "prefixes = [\(uplink.prefixes.map { "\"\($0)\"" }.joined(separator: ", "))]",
            ]
        }
        for (section, keys) in sections.sorted(by: { $0.key < $1.key }) where !section.isEmpty {
            lines += ["[\(section)]"] + keys
        }
        try (lines.joined(separator: "\n") + "\n").write(toFile: configuration, atomically: true, encoding: .utf8)
    }

    /// Starts the daemon and waits until it answers, has a usable locator on every uplink, and no address is tentative.
    public func start(locators: Int? = nil) throws {
        try launch()
        let expected = locators ?? topology.uplinks(of: host).count
        try topology.laboratory.wait(until: "\(expected) locators of shim6d on host \(host)", upTo: 60) {
            try checkRunning()
            guard let report = try? ask(LocatorReport.self, "locators") else { return false }
            return report.locators.filter { $0.state == .usable }.count >= expected
        }
        try topology.waitForAddresses(of: host)
    }

    /// Starts the daemon and waits for nothing.
    public func launch() throws {
        program = try topology.laboratory.start(
            behind + [try Executable.daemon.path, "--config", configuration], in: namespace, log: log)
    }

    public var isRunning: Bool { program?.isRunning ?? false }
    public var identifier: pid_t? { program?.identifier }

    /// Ends the daemon with a signal and waits for it.
    ///
    /// - Returns: its exit code.
    @discardableResult
    public func stop(_ signal: Int32 = SIGTERM) -> Int32 {
        program?.end(with: signal, grace: 10) ?? 127
    }

    public func send(_ signal: Int32) { program?.send(signal) }

    /// Waits for the daemon to end by itself.
    public func waitForExit(upTo limit: Double = 20) throws -> Int32 {
        try topology.laboratory.wait(for: "shim6d on host \(host) to end", upTo: limit) {
            guard let program else { return 127 }
            return program.exitCode
        }
    }

    /// Everything it has logged.
    public var logged: String {
        (try? String(contentsOfFile: topology.laboratory.path(log), encoding: .utf8)) ?? ""
    }

    private func checkRunning() throws {
        guard isRunning else { throw LabError("shim6d on host \(host) has ended:\n\(logged)") }
    }

    // MARK: - Asking

    /// Runs `shim6ctl --json` with a command and decodes its answer.
    public func ask<Report: Decodable>(_ type: Report.Type, _ command: String...) throws -> Report {
        let text = try control(command + ["--json"])
        do {
            return try ControlLine.decode(type, from: text.utf8)
        } catch {
            throw LabError("shim6ctl \(command.joined(separator: " ")) printed what cannot be read: \(error)\n\(text)")
        }
    }

    /// Runs `shim6ctl` with anything.
    @discardableResult
    public func control(_ arguments: [String]) throws -> String {
        try namespace.run([try Executable.control.path] + arguments + ["--socket", socket])
    }

    public func status() throws -> StatusReport { try ask(StatusReport.self, "status") }
    /// The memory that is its own, in octets: heap and stacks.
    public func anonymousMemory() throws -> Int {
        let identifier = program?.identifier ?? 0
        let text = try String(contentsOfFile: "/proc/\(identifier)/status", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
        guard let kibibytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) }) else {
            throw LabError("nothing is known of the memory of shim6d on host \(host)")
        }
        return kibibytes << 10
    }

    public func contexts() throws -> [ContextSummary] { try ask(ContextList.self, "contexts").contexts }
    public func timeline() throws -> [Failover] { try ask(TimelineReport.self, "timeline").failovers }

    /// The default context of this ULID pair; nil if there is none.
    public func context(local: IPv6Address, peer: IPv6Address) throws -> ContextDetail? {
        let ulids = ULIDPair(local: local, peer: peer)
        return try contexts().lazy.filter { $0.ulids == ulids }
            .map { try self.ask(ContextDetail.self, "context", $0.tag.description) }
            .first { $0.forkedInstance == 0 }
    }

    /// The daemon's locator on an uplink, which new sessions can use. Waits for one: while duplicate address detection goes
    /// on nothing can be bound to an address.
    public func locator(on device: String) throws -> IPv6Address {
        try laboratory.wait(for: "a locator of shim6d on \(device) of host \(host)") {
            try ask(LocatorReport.self, "locators").locators.first {
                $0.interface == device && $0.method != nil && $0.state == .usable
            }?.address
        }
    }
}
