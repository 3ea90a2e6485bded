import CLinux
import Dispatch
import NIOCore
import Shim6Control

/// One client of the control socket. Its requests are carried out one after the other: the next one is not read before
/// the reply to the last one is with the kernel, so a client that does not read holds back nothing but itself.
final class ControlConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Octets of events on their way to a client that follows. One that lets more gather is cut off.
    static let maximumBacklog = 1 << 20

    private let mayChange: Bool
    private let clients: ClientCount
    private let feed: EventFeed
    private let gate: CommandGate
    private var context: ChannelHandlerContext?
    private var counted = false
    private var requests: CircularBuffer<ByteBuffer> = CircularBuffer()
    private var isBusy = false
    private var isEnding = false
    private var isFollowing = false
    private var inputEnded = false
    private var backlog = 0

    init(mayChange: Bool, clients: ClientCount, feed: EventFeed, gate: CommandGate) {
        self.mayChange = mayChange
        self.clients = clients
        self.feed = feed
        self.gate = gate
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelActive(context: ChannelHandlerContext) {
        counted = clients.enter()
        if !counted { end(with: CommandError(.limit, "too many clients on the control socket")) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        feed.remove(self)
        if counted { clients.leave() }
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let line = unwrapInboundIn(data)
        guard counted, !isEnding, line.readableBytes > 0 else { return }
        guard line.readableBytes < ControlProtocol.maximumRequestLength else { return endForLength() }
        requests.append(line)
        context.channel.setOption(.autoRead, value: false).assumeIsolated().whenComplete { _ in self.next() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            inputEnded = true
            next()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is LineDecoder.LineTooLong: endForLength()
        case _: context.close(promise: nil)
        }
    }

    /// Sends octets of events, or ends the connection if the client is too slow for them.
    func stream(_ octets: ByteBuffer) {
        guard let context else { return }
        guard backlog + octets.readableBytes <= ControlConnection.maximumBacklog else {
            context.close(promise: nil)
            return
        }
        backlog += octets.readableBytes
        let sent = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(octets), promise: sent)
        sent.futureResult.assumeIsolated().whenComplete { _ in self.backlog -= octets.readableBytes }
    }

    // MARK: One request after the other

    private func next() {
        guard !isBusy, let context else { return }
        guard let line = requests.popFirst() else {
            if inputEnded && !isFollowing {
                context.close(promise: nil)
            } else if !inputEnded {
                context.channel.setOption(.autoRead, value: true).whenComplete { _ in }
            }
            return
        }
        isBusy = true
        do throws(RequestError) {
            carryOut(try Request(line: line.readableBytesView))
        } catch {
            reply(to: error.id, .failure(error.error))
        }
    }

    private func carryOut(_ request: Request) {
        let command = request.command
        guard mayChange || !command.changesState else {
            let message = "you may not change anything here: only root and the group of the control socket may"
            return reply(to: request.id, .failure(CommandError(.accessRefused, message)))
        }
        if case .events(let follow) = command {
            reply(to: request.id, .success(.events(EventList(events: feed.recent))))
            if follow && !isFollowing {
                isFollowing = true
                feed.add(self)
            }
            return
        }
        guard let context else { return }
        gate.carryOut(command, on: context.eventLoop).assumeIsolated().whenSuccess { self.reply(to: request.id, $0) }
    }

    private func reply(to id: UInt64?, _ outcome: Result<Response, CommandError>) {
        let reply = Reply(id: id, outcome: outcome)
        guard let context, reply.isLong else { return send(ControlConnection.encoded(reply)) }
        LongReplies.encode(reply, on: context.eventLoop).assumeIsolated().whenSuccess {
            self.send($0, then: LongReplies.giveMemoryBack)
        }
    }

    private func send(_ octets: ByteBuffer?, then body: @escaping () -> Void = {}) {
        guard let context, let octets else { return }
        let sent = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(octets), promise: sent)
        sent.futureResult.assumeIsolated().whenComplete { _ in
            body()
            self.isBusy = false
            // Not within each other: one read may bring a request for every other octet, and the stack is not endless.
            self.context?.eventLoop.assumeIsolated().execute { self.next() }
        }
    }

    private func endForLength() {
        end(with: CommandError(.badRequest, "a request has at most \(ControlProtocol.maximumRequestLength) octets"))
    }

    private func end(with error: CommandError) {
        guard !isEnding else { return }
        isEnding = true
        guard let context, let octets = ControlConnection.encoded(Reply(id: nil, outcome: .failure(error))) else {
            return
        }
        requests.removeAll()
        let sent = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(octets), promise: sent)
        sent.futureResult.assumeIsolated().whenComplete { _ in self.context?.close(promise: nil) }
    }

    fileprivate static func encoded(_ reply: Reply) -> ByteBuffer? {
        (try? ControlLine.encode(reply)).map { ByteBuffer(bytes: $0 + [UInt8(ascii: "\n")]) }
    }
}

extension Reply {
    /// Whether it lists so much that others would notice the time it takes to write it down.
    fileprivate var isLong: Bool {
        switch outcome {
        case .success(.contexts(let list)): list.contexts.count > 256
        case .success(.removed(let removal)): removal.tags.count > 4096
        case .success(.timeline(let report)): report.failovers.count > 64
        case .success, .failure: false
        }
    }
}

/// Writes long replies down, one after the other on a thread beside the event loop.
private enum LongReplies {
    private static let queue = DispatchQueue(label: "shim6d.replies")

    static func encode(_ reply: Reply, on loop: any EventLoop) -> EventLoopFuture<ByteBuffer?> {
        let octets = loop.makePromise(of: ByteBuffer?.self)
        queue.async { octets.succeed(ControlConnection.encoded(reply)) }
        return octets.futureResult
    }

    /// The allocator keeps what a report took, tens of MiB, for reports that may never come. A moment later nobody holds
    /// anything of this one any more.
    static func giveMemoryBack() {
        queue.asyncAfter(deadline: .now() + .seconds(1)) { malloc_trim(0) }
    }
}
