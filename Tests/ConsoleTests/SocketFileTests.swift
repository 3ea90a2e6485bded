import Configuration
import ControlFixtures
import Foundation
import Shim6Console
import Shim6Control
import Testing

@Suite struct SocketFileTests {
    private static func status(_ path: String) throws -> stat {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw SocketFailure(description: "\(path) is not there") }
        return status
    }

    @Test func `The file has the configured mode and group, and is gone at the end`() async throws {
        let path = try await Daemon.run {
            $0.control.mode = 0o640
            if geteuid() == 0 { $0.control.group = "daemon" }
        } _: { daemon in
            let status = try Self.status(daemon.socket)
            #expect(status.st_mode == S_IFSOCK | 0o640)
            if geteuid() == 0 { #expect(status.st_gid == 1) }
            return daemon.socket
        }
        #expect(throws: SocketFailure.self) { try Self.status(path) }
    }

    @Test func `The file of a daemon that crashed is replaced`() async throws {
        try await Daemon.run {
            // Bound and closed, never removed: what SIGKILL leaves.
            let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { [path = $0.control.socket] in $0.copyBytes(from: path.utf8)
            }
            let result = withUnsafeBytes(of: &address) {
                $0.withMemoryRebound(to: sockaddr.self) {
                    bind(stale, $0.baseAddress, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            #expect(result == 0)
            close(stale)
        } _: { daemon in
            let answer = try ControlClient(path: daemon.socket).send(.locators)
            #expect(answer == .locators(Fixtures.locators))
        }
    }

    @Test func `A second daemon on the same socket is refused, and the first goes on`() async throws {
        try await Daemon.run { daemon in
            let error = #expect(throws: ListenError.self) {
                try OperatorInterfaces(configuration: daemon.configuration, handler: InventedDaemon())
            }
            #expect(error == .socketInUse(path: daemon.socket))
            #expect(error?.description == "\(daemon.socket): another daemon answers on this control socket")
            let answer = try ControlClient(path: daemon.socket).send(.locators)
            #expect(answer == .locators(Fixtures.locators))
        }
    }

    @Test func `A file that is not a socket is left alone`() async throws {
        try await Daemon.run { daemon in
            var configuration = daemon.configuration
            configuration.control.socket = daemon.directory.appending(path: "precious").path
            try Data("data".utf8).write(to: daemon.directory.appending(path: "precious"))
            #expect(throws: ListenError.notASocket(path: configuration.control.socket)) {
                try OperatorInterfaces(configuration: configuration, handler: InventedDaemon())
            }
            #expect(try Data(contentsOf: daemon.directory.appending(path: "precious")) == Data("data".utf8))
        }
    }

    @Test func `A daemon does not remove the file that another put in the place of its own`() async throws {
        try await ThreadPerJob.run {
            let first = try Daemon()
            unlink(first.socket)
            let second = try OperatorInterfaces(configuration: first.configuration, handler: InventedDaemon())
            first.interfaces.stop()
            #expect(try ControlClient(path: first.socket).send(.locators) == .locators(Fixtures.locators))
            second.stop()
            #expect(throws: SocketFailure.self) { try Self.status(first.socket) }
            try FileManager.default.removeItem(at: first.directory)
        }
    }

    @Test func `Whatever else is wrong is one clear line, and leaves nothing behind`() async throws {
        try await Daemon.run { daemon in
            func failure(_ adjust: (inout Configuration) -> Void) -> (ListenError?, String) {
                var configuration = daemon.configuration
                configuration.control.socket = daemon.directory.appending(path: "t").path
                configuration.console.enabled = false
                adjust(&configuration)
                let path = configuration.control.socket
                let error = #expect(throws: ListenError.self) {
                    try OperatorInterfaces(configuration: configuration, handler: InventedDaemon())
                }
                #expect(access(path, F_OK) != 0)
                return (error, path)
            }
            let (group, _) = failure { $0.control.group = "no-such-group" }
            #expect(group?.description == "there is no group \"no-such-group\" for the control socket")
            let (directory, path) = failure { $0.control.socket = "/nonexistent/s" }
            #expect(directory?.description == "\(path): No such file or directory")
            let (link, linkPath) = failure {
                let path = daemon.directory.appending(path: "fifo").path
                mkfifo(path, 0o600)
                $0.control.socket = path + "/s"
            }
            #expect(link?.description == "\(linkPath): Not a directory")
        }
    }

    @Test func `A console whose port another has taken is missed, and nothing else`() async throws {
        try await Daemon.run { daemon in
            var configuration = daemon.configuration
            configuration.control.socket = daemon.directory.appending(path: "t").path
            configuration.console.listen.port = daemon.consolePort
            let second = try OperatorInterfaces(configuration: configuration, handler: InventedDaemon())
            defer { second.stop() }
            #expect(second.consoleEndpoint == nil)
            #expect(
                second.consoleFailure?.description == "console on [::1]:\(daemon.consolePort): Address already in use")
            let answer = try ControlClient(path: configuration.control.socket).send(.locators)
            #expect(answer == .locators(Fixtures.locators))
            #expect(daemon.interfaces.consoleFailure == nil)
        }
    }
}
