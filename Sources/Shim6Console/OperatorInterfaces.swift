import Configuration
import Glibc
import NIOPosix
import Shim6Control

/// The control socket and the console, on one thread of their own.
public final class OperatorInterfaces: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let gate: CommandGate
    private let controlServer: ControlServer
    private let consoleServer: ConsoleServer?

    /// Where the console listens; nil if there is none.
    public var consoleEndpoint: Configuration.Endpoint? { consoleServer?.endpoint }
    /// Why there is no console although the configuration asks for one: any user can have taken its port.
    public let consoleFailure: ListenError?

    /// Opens what the configuration asks for. When it throws, nothing is left open.
    public init(configuration: Configuration, handler: any CommandHandler) throws(ListenError) {
        gate = CommandGate(handler)
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        do throws(ListenError) {
            controlServer = try ControlServer(configuration, gate: gate, on: loop)
        } catch {
            try? group.syncShutdownGracefully()
            throw error
        }
        do throws(ListenError) {
            consoleServer =
                configuration.console.enabled
                ? try ConsoleServer(configuration, group: controlServer.group, gate: gate, on: loop) : nil
            consoleFailure = nil
        } catch {
            consoleServer = nil
            consoleFailure = error
        }
    }

    /// Removes the socket file of a daemon that is gone. Throws if one answers on it, or if it is not a socket.
    public static func removeStaleSocketFile(_ path: String) throws(ListenError) {
        try ListeningSocket.removeStaleFile(path)
    }

    /// Hands an event to everyone who follows. Cheap and never blocks: an append under a lock and, for the first event
    /// of a burst, one wake-up of the thread.
    public func broadcast(_ event: EventRecord) {
        controlServer.feed.broadcast(event)
    }

    /// Removes the socket file, waits for the answers of commands under way (so the daemon still has to give them), and
    /// closes every connection and the thread.
    public func stop() {
        gate.close()
        controlServer.removeSocketFile()
        try? group.syncShutdownGracefully()
    }
}

/// Why the control socket or the console cannot be opened.
public enum ListenError: Error, Equatable, CustomStringConvertible {
    /// Another process answers on the control socket: a second daemon.
    case socketInUse(path: String)
    /// Something that is not a socket has the name of the control socket; it is left alone.
    case notASocket(path: String)
    case unknownGroup(String)
    /// A system call failed; `errno` says how.
    case system(what: String, errno: Int32)

    public var description: String {
        switch self {
        case .socketInUse(let path): "\(path): another daemon answers on this control socket"
        case .notASocket(let path): "\(path): exists and is not a socket; choose another control socket or remove it"
        case .unknownGroup(let name): "there is no group \"\(name)\" for the control socket"
        case .system(let what, let errno): "\(what): \(String(cString: strerror(errno)))"
        }
    }
}
