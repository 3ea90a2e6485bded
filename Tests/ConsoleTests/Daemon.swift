import Configuration
import ControlFixtures
import Foundation
import Shim6Console
import Shim6Control

/// The invented daemon behind real interfaces, in a directory of its own.
final class Daemon: Sendable {
    let directory: URL
    let configuration: Configuration
    let handler = InventedDaemon()
    let interfaces: OperatorInterfaces

    var socket: String { configuration.control.socket }
    var consolePort: UInt16 { interfaces.consoleEndpoint?.port ?? 0 }

    init(_ adjust: (inout Configuration) -> Void = { _ in }) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "shim6-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        var configuration = Configuration()
        configuration.control.socket = directory.appending(path: "s").path
        // Any free port.
        configuration.console.listen.port = 0
        adjust(&configuration)
        self.configuration = configuration
        do {
            interfaces = try OperatorInterfaces(configuration: configuration, handler: handler)
        } catch {
            try? FileManager.default.removeItem(at: directory)
            throw error
        }
    }

    func stop() {
        interfaces.stop()
        try? FileManager.default.removeItem(at: directory)
    }

    /// Runs `body` against a daemon, off the shared pool, and tidies up.
    static func run<Outcome: Sendable>(
        _ adjust: @escaping @Sendable (inout Configuration) -> Void = { _ in },
        _ body: @escaping @Sendable (Daemon) throws -> Outcome
    ) async throws -> Outcome {
        try await ThreadPerJob.run {
            let daemon = try Daemon(adjust)
            defer { daemon.stop() }
            return try body(daemon)
        }
    }
}
