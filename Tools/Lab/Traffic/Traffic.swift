import Foundation

/// Starts and ends the lab's traffic inside hosts.
extension Laboratory {
    /// A program of the lab's traffic that gives its result when it is told to end, and the server that it talks to.
    public struct Meter<Record: Decodable> {
        let program: Program
        let server: Program
        let log: String

        /// Ends the traffic and gives what it saw.
        public func stop() throws -> Record {
            // The record of a long run takes a while to write on a busy machine.
            let code = program.end(with: SIGTERM, grace: 60)
            server.end()
            let complaint = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            guard code == 0 else { throw LabError("\(program.name): exit code \(code): \(complaint)") }
            return try JSONDecoder().decode(Record.self, from: Data(program.text.utf8))
        }

        public var isRunning: Bool { program.isRunning }

        /// Has the server stand still, with its sockets open, or go on.
        public func pause(_ isPaused: Bool) { server.send(isPaused ? SIGSTOP : SIGCONT) }
    }

    /// UDP packets from `client` to `server` and back, until the meter is stopped. Each meter at a time needs a port of
    /// its own.
    public func echo(
        from client: Namespace, _ local: String, to server: Namespace, _ peer: String, port: UInt16 = Echo.port,
        rate: Int = 50, device: String? = nil
    ) throws -> Meter<Echo.Record> {
        try meter(
            ["echo-client", "--local", local, "--peer", peer, "--port", "\(port)", "--rate", "\(rate)"]
                + (device.map { ["--device", $0] } ?? []), in: client,
            of: serveDatagrams(in: server, on: peer, port: port))
    }

    /// Starts an echo server for UDP and waits until it answers to its port.
    @discardableResult
    public func serveDatagrams(
        in namespace: Namespace, on address: String, port: UInt16 = Echo.port, device: String? = nil
    ) throws -> Program {
        let arguments =
            ["echo-server", "--local", address, "--port", "\(port)"] + (device.map { ["--device", $0] } ?? [])
        return try serve(arguments, in: namespace, listening: "-uln", on: address, port)
    }

    /// Starts an echo server for TCP.
    @discardableResult
    public func serveBursts(in namespace: Namespace, on address: String) throws -> Program {
        try serve(["bulk-server", "--local", address], in: namespace, listening: "-tln", on: address, Bulk.port)
    }

    /// A TCP stream from `server` to `client`, until the meter is stopped.
    public func stream(
        from server: Namespace, _ peer: String, to client: Namespace, _ local: String, isMultipath: Bool = false,
        isDialogue: Bool = false
    ) throws -> Meter<Stream.Record> {
        let kind = (isMultipath ? ["--multipath"] : []) + (isDialogue ? ["--dialogue"] : [])
        let server = try serve(
            ["stream-server", "--local", peer] + kind, in: server, listening: "-tln", on: peer, Stream.port)
        return try meter(["stream-client", "--local", local, "--peer", peer] + kind, in: client, of: server)
    }

    /// UDP packets between all pairs of these addresses, until the meter is stopped.
    public func mesh(
        from client: Namespace, _ locals: [String], to server: Namespace, _ peers: [String], rate: Int
    ) throws -> Meter<Mesh.Record> {
        let (locals, all) = (locals.joined(separator: ","), peers.joined(separator: ","))
        return try meter(
            ["mesh-client", "--locals", locals, "--peers", all, "--rate", "\(rate)"], in: client,
            of: serve(["mesh-server", "--locals", all], in: server, listening: "-uln", on: peers.last ?? "", Mesh.port))
    }

    /// Runs `datagrams` or `bursts` to the end.
    public func bulk(_ arguments: [String], in namespace: Namespace, limit: Double = 120) throws -> Bulk.Tally {
        let text = try namespace.run([try Executable.lab.path] + arguments, limit: limit)
        return try JSONDecoder().decode(Bulk.Tally.self, from: Data(text.utf8))
    }

    private func meter<Record>(
        _ arguments: [String], in namespace: Namespace, of server: Program
    ) throws -> Meter<Record> {
        let base = "\(namespace.name)-\(arguments[0])-\(Clock.now.nanoseconds)"
        let log = path(base + ".log")
        let program = try start(
            [try Executable.lab.path] + arguments, in: namespace, log: base + ".json", errors: log)
        return Meter(program: program, server: server, log: log)
    }

    /// Starts a server and waits until `ss` shows its socket.
    @discardableResult
    func serve(
        _ arguments: [String], in namespace: Namespace, listening: String, on address: String, _ port: UInt16
    ) throws -> Program {
        let program = try start(
            [try Executable.lab.path] + arguments, in: namespace,
            log: "\(namespace.name)-\(arguments[0])-\(port).log")
        try wait(until: "\(arguments[0]) on \(address)") {
            guard program.isRunning else { throw LabError("\(program.name): \(program.text)") }
            return try namespace.run("ss", "-6H", listening, "sport", "=", ":\(port)").contains("]:\(port)")
        }
        return program
    }
}

/// The programs under test and the lab's own, release builds beside the package unless the environment says otherwise.
public enum Executable: String, Sendable {
    case daemon = "shim6d"
    case control = "shim6ctl"
    case lab = "shim6lab"

    /// Names the directory that holds the programs.
    public static let variable = "SHIM6_BINARIES"

    public var path: String {
        get throws {
            let directory = ProcessInfo.processInfo.environment[Self.variable] ?? Self.directory
            let path = "\(directory)/\(rawValue)"
            guard FileManager.default.isExecutableFile(atPath: path) else {
                throw LabError("no \(path): build it with 'swift build -c release', or set \(Self.variable)")
            }
            return path
        }
    }

    /// A running shim6lab has its siblings beside it; a test finds them in its package.
    private static let directory: String = {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        if own.lastPathComponent == Executable.lab.rawValue { return own.deletingLastPathComponent().path }
        var package = URL(fileURLWithPath: #filePath)
        for _ in 0..<4 { package.deleteLastPathComponent() }
        return package.appendingPathComponent(".build/release").path
    }()
}
