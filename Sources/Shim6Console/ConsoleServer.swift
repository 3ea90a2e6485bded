import Configuration
import Glibc
import NIOCore
import NIOPosix
import Shim6Control

/// The console: lines of text over TCP for people with a telnet client.
final class ConsoleServer: Sendable {
    let endpoint: Configuration.Endpoint

    /// `group` is that of the control socket: its members see as much here.
    init(
        _ configuration: Configuration, group: gid_t?, gate: CommandGate, on loop: any EventLoop
    ) throws(ListenError) {
        let console = configuration.console
        let clients = ClientCount(limit: configuration.limits.maxConsoleClients, on: loop)
        let idleTimeout = TimeAmount.nanoseconds(Int64(clamping: console.idleTimeout.nanoseconds))
        let bootstrap = ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelInitializer { channel in
                LocalClient.isOperator(channel, group: group).flatMapThrowing { isOperator in
                    try channel.pipeline.syncOperations.addHandlers(
                        IdleStateHandler(allTimeout: idleTimeout),
                        TelnetFilter(),
                        ByteToMessageHandler(LineDecoder(limit: ConsoleConnection.maximumLineLength)),
                        ConsoleConnection(
                            allowRemove: console.allowRemove, seesAll: isOperator, clients: clients, gate: gate))
                }
            }
        let address = console.listen.address.description
        do {
            let channel = try bootstrap.bind(host: address, port: Int(console.listen.port)).wait()
            let port = channel.localAddress?.port.flatMap { UInt16(exactly: $0) } ?? console.listen.port
            endpoint = Configuration.Endpoint(address: console.listen.address, port: port)
        } catch {
            throw .system(what: "console on \(console.listen)", errno: (error as? IOError)?.errnoCode ?? EIO)
        }
    }
}
