import Configuration
import Glibc
import NIOCore
import NIOPosix
import Shim6Control

/// The control socket: newline-delimited JSON for programs.
final class ControlServer: Sendable {
    let feed: EventFeed
    private let socket: ListeningSocket
    /// The group whose members may change things; nil for root only.
    var group: gid_t? { socket.group }

    init(_ configuration: Configuration, gate: CommandGate, on loop: any EventLoop) throws(ListenError) {
        let socket = try ListeningSocket(configuration.control)
        let feed = EventFeed(keep: configuration.limits.maxEvents, on: loop)
        let clients = ClientCount(limit: configuration.limits.maxControlClients, on: loop)
        self.socket = socket
        self.feed = feed
        let bootstrap = ServerBootstrap(group: loop)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                PeerCredentials.ofPeer(on: channel).flatMapThrowing { peer in
                    let connection = ControlConnection(
                        mayChange: peer.mayChange(group: socket.group), clients: clients, feed: feed, gate: gate)
                    let lines = ByteToMessageHandler(LineDecoder(limit: ControlProtocol.maximumRequestLength))
                    try channel.pipeline.syncOperations.addHandlers(lines, connection)
                }
            }
        do {
            _ = try bootstrap.withBoundSocket(socket.descriptor).wait()
        } catch {
            socket.removeFile()
            throw .system(what: configuration.control.socket, errno: (error as? IOError)?.errnoCode ?? EIO)
        }
    }

    func removeSocketFile() {
        socket.removeFile()
    }
}

/// How many clients a server has. Of the event loop alone.
final class ClientCount: Sendable {
    private let limit: Int
    private let count: NIOLoopBoundBox<Int>

    init(limit: Int, on loop: any EventLoop) {
        self.limit = limit
        count = .makeBoxSendingValue(0, eventLoop: loop)
    }

    /// False if there are too many already.
    func enter() -> Bool {
        guard count.value < limit else { return false }
        count.value += 1
        return true
    }

    func leave() {
        count.value -= 1
    }
}
