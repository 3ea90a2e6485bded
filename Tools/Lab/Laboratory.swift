import Foundation

/// A piece of Internet on this machine: network namespaces, a directory and the programs that run in them, all gone
/// after `close()`. Every name carries the number of this process, so that the next run finds what a killed one left.
public final class Laboratory {
    /// Configurations, state, logs and captures.
    public let directory: String
    /// Called again and again while something is waited for.
    public var whileWaiting: () -> Void = {}
    private var namespaces: [Namespace] = []
    private var programs: [Program] = []
    private var isOpen = true

    public init() throws {
        guard geteuid() == 0 else { throw LabError("network namespaces need root") }
        Self.removeLeftovers()
        directory = Self.root + Self.prefix + "lab"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit { close() }

    /// Makes a network namespace with its loopback up.
    public func namespace(_ name: String) throws -> Namespace {
        let namespace = Namespace(name: Self.prefix + name)
        namespaces.append(namespace)
        try Program.run(["ip", "netns", "add", namespace.name])
        try namespace.run("ip", "link", "set", "lo", "up")
        return namespace
    }

    /// Starts a program that runs beside the lab until it ends by itself or the lab closes. Its output goes to `log`.
    @discardableResult
    public func start(
        _ arguments: [String], in namespace: Namespace? = nil, log: String, errors: String? = nil,
        environment: [String: String] = [:]
    ) throws -> Program {
        let program = try Program(
            (namespace?.entry ?? []) + arguments, output: path(log), errors: errors.map(path), environment: environment)
        programs.append(program)
        return program
    }

    /// A file of the lab.
    public func path(_ name: String) -> String { name.hasPrefix("/") ? name : "\(directory)/\(name)" }

    /// Polls until `condition` gives a value.
    ///
    /// - Throws: `LabError` after `limit` seconds, `Interruption` if a signal came.
    @discardableResult
    public func wait<Value>(
        for what: String, upTo limit: Double = 60, every interval: Double = 0.02, _ condition: () throws -> Value?
    ) throws -> Value {
        let deadline = Clock.now + .seconds(limit)
        while true {
            try Interruption.check()
            whileWaiting()
            if let value = try condition() { return value }
            guard Clock.now < deadline else { throw LabError("waited \(limit) s in vain for \(what)") }
            usleep(UInt32(interval * 1e6))
        }
    }

    /// Polls until `condition` holds.
    public func wait(until what: String, upTo limit: Double = 60, _ condition: () throws -> Bool) throws {
        try wait(for: what, upTo: limit) { try condition() ? true : nil }
    }

    /// Lets time pass, with programs running.
    public func pass(seconds: Double) throws {
        let end = Clock.now + .seconds(seconds)
        try wait(for: "the clock", upTo: seconds + 10) { Clock.now >= end ? true : nil }
    }

    /// Ends every program, removes every namespace and file. May be called more than once.
    public func close() {
        guard isOpen else { return }
        isOpen = false
        for program in programs { program.send(SIGTERM) }
        for program in programs { program.end() }
        for namespace in namespaces { namespace.remove() }
        try? FileManager.default.removeItem(atPath: directory)
    }

    // MARK: - What killed runs left

    private static let mark = "s6-"
    private static let root = "/tmp/"
    private static var prefix: String { "\(mark)\(getpid())-" }

    /// Removes namespaces, processes and files of labs whose process is gone, and of an earlier lab of this one.
    public static func removeLeftovers() {
        for name in orphans(in: "/run/netns") { Namespace(name: name).remove() }
        for name in orphans(in: root) { try? FileManager.default.removeItem(atPath: root + name) }
    }

    private static func orphans(in directory: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.filter { name in
            let parts = name.split(separator: "-", maxSplits: 2)
            guard parts.count == 3, parts[0] + "-" == mark, let owner = pid_t(parts[1]) else { return false }
            return owner == getpid() || (kill(owner, 0) != 0 && errno == ESRCH)
        }
    }
}
