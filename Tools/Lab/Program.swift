import Foundation
import Synchronization

/// A program that did not do what the lab needed from it, with everything a reader wants to know.
public struct LabError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

/// A running program of the lab. It leads a process group of its own, so that a Ctrl-C at the terminal does not reach it
/// before the lab has tidied up, and so that whatever it starts ends with it.
public final class Program {
    public let name: String
    public let identifier: pid_t
    /// Where its standard output and its standard error go; nil where the caller handed in descriptors.
    public let output: String
    private var status: Int32?

    /// Starts `arguments[0]`, found along the PATH.
    ///
    /// - Parameters:
    ///   - output: a file for standard output and, unless `errors` is given, standard error; appended to.
    ///   - input: a file for standard input.
    ///   - environment: variables added to this process's own.
    public init(
        _ arguments: [String], output: String, errors: String? = nil, input: String = "/dev/null",
        environment: [String: String] = [:]
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let append = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, append, 0o644)
        if let errors {
            posix_spawn_file_actions_addopen(&actions, 2, errors, append, 0o644)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var argv = arguments.map { strdup($0) } + [nil]
        var envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for pointer in argv + envp { free(pointer) } }
        var child = pid_t()
        let failure = posix_spawnp(&child, arguments[0], &actions, &attributes, &argv, &envp)
        guard failure == 0 else {
            throw LabError("\(arguments.joined(separator: " ")): \(String(cString: strerror(failure)))")
        }
        name = arguments.joined(separator: " ")
        identifier = child
        self.output = output
    }

    /// The exit code, or 128 and the signal that ended it; nil while it runs.
    public var exitCode: Int32? {
        if let status { return status }
        var raw: Int32 = 0
        let ended = waitpid(identifier, &raw, WNOHANG)
        guard ended != 0 else { return nil }
        let signal = raw & 0x7f
        let code = ended < 0 ? 127 : signal == 0 ? (raw >> 8) & 0xff : 128 + signal
        status = code
        return code
    }

    public var isRunning: Bool { exitCode == nil }

    /// Sends a signal to the program itself, not to what it started.
    public func send(_ signal: Int32) {
        if isRunning { kill(identifier, signal) }
    }

    /// Ends the program and everything in its process group: politely, and after `grace` seconds for certain.
    @discardableResult
    public func end(with signal: Int32 = SIGTERM, grace: Double = 3) -> Int32 {
        send(signal)
        let deadline = Clock.now + .seconds(grace)
        while isRunning, Clock.now < deadline { usleep(5_000) }
        kill(-identifier, SIGKILL)
        while isRunning { usleep(1_000) }
        return exitCode ?? 127
    }

    /// What it has written so far.
    public var text: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }

    /// Runs a program to its end.
    ///
    /// - Parameter limit: seconds after which it is killed.
    /// - Returns: its standard output.
    /// - Throws: `LabError` with its standard error if it exits with anything but 0.
    @discardableResult
    public static func run(_ arguments: [String], input: String? = nil, limit: Double = 60) throws -> String {
        let result = try result(of: arguments, input: input, limit: limit)
        guard result.exitCode == 0 else {
            let said = (result.errors + result.output).trimmingCharacters(in: .whitespacesAndNewlines)
            throw LabError("\(arguments.joined(separator: " ")): exit code \(result.exitCode): \(said)")
        }
        return result.output
    }

    /// Runs a program to its end with its standard output in a file.
    public static func run(_ arguments: [String], output: String) throws {
        let program = try Program(arguments, output: output, errors: "/dev/null")
        while program.isRunning { usleep(1_000) }
        guard program.exitCode == 0 else { throw LabError("\(program.name): exit code \(program.exitCode ?? 127)") }
    }

    public struct Result: Sendable {
        public var exitCode: Int32
        public var output: String
        public var errors: String
    }

    /// Runs a program to its end, however it ends.
    public static func result(of arguments: [String], input: String? = nil, limit: Double = 60) throws -> Result {
        let base = "\(NSTemporaryDirectory())/s6-\(getpid())-run-\(serial.add(1, ordering: .relaxed).newValue)"
        let files = (input: base + ".in", output: base + ".out", errors: base + ".err")
        defer { for file in [files.input, files.output, files.errors] { unlink(file) } }
        if let input { try input.write(toFile: files.input, atomically: false, encoding: .utf8) }
        let program = try Program(
            arguments, output: files.output, errors: files.errors, input: input == nil ? "/dev/null" : files.input)
        let deadline = Clock.now + .seconds(limit)
        while program.isRunning {
            guard Clock.now < deadline else {
                program.end(with: SIGKILL, grace: 0)
                throw LabError("\(program.name): still running after \(limit) s")
            }
            usleep(1_000)
        }
        return Result(
            exitCode: program.exitCode ?? 127, output: program.text,
            errors: (try? String(contentsOfFile: files.errors, encoding: .utf8)) ?? "")
    }

    private static let serial = Atomic<Int>(0)
}
