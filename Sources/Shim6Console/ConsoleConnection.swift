import NIOCore
import Shim6Control
import Shim6Wire

/// One client of the console. Its lines are carried out one after the other; what it does not read holds back only itself,
/// and not for ever.
final class ConsoleConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Octets.
    static let maximumLineLength = 1024
    private static let prompt = "shim6d> "

    private let allowRemove: Bool
    /// Whether the client may see tags and contexts; others see how many there are.
    private let seesAll: Bool
    private let clients: ClientCount
    private let gate: CommandGate
    private var context: ChannelHandlerContext?
    private var counted = false
    private var lines: CircularBuffer<ByteBuffer> = CircularBuffer()
    private var isBusy = false
    private var inputEnded = false
    /// Nothing but commands can be the first line: whoever speaks another protocol must not get as far as its second.
    private var hasCommanded = false
    private var pendingWrites = 0

    init(allowRemove: Bool, seesAll: Bool, clients: ClientCount, gate: CommandGate) {
        self.allowRemove = allowRemove
        self.seesAll = seesAll
        self.clients = clients
        self.gate = gate
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func channelActive(context: ChannelHandlerContext) {
        counted = clients.enter()
        if counted {
            write(ConsoleConnection.prompt)
        } else {
            end(with: "too many clients")
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if counted { clients.leave() }
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard counted else { return }
        let line = unwrapInboundIn(data)
        guard line.readableBytes < ConsoleConnection.maximumLineLength else { return end(with: "line too long") }
        lines.append(line)
        context.channel.setOption(.autoRead, value: false).assumeIsolated().whenComplete { _ in self.next() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent {
            // What it has not read by now would keep the word of farewell back, and the connection with it.
            if pendingWrites > 0 { context.close(promise: nil) } else { end(with: "idle for too long") }
        } else if let event = event as? ChannelEvent, event == .inputClosed {
            inputEnded = true
            next()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case is LineDecoder.LineTooLong: end(with: "line too long")
        case _: context.close(promise: nil)
        }
    }

    // MARK: One line after the other

    private func next() {
        guard !isBusy, let context else { return }
        guard let line = lines.popFirst() else {
            if inputEnded {
                context.close(promise: nil)
            } else {
                context.channel.setOption(.autoRead, value: true).whenComplete { _ in }
            }
            return
        }
        isBusy = true
        let command = ConsoleCommand(String(buffer: line))
        switch command {
        case .nothing: break
        case .wrong where !hasCommanded: return end(with: "not a command; \"help\" lists those there are")
        case _: hasCommanded = true
        }
        carryOut(command)
    }

    private func carryOut(_ command: ConsoleCommand) {
        switch command {
        case .nothing: finish("")
        case .help: finish(ConsoleCommand.helpLines.map { $0 + "\n" }.joined())
        case .quit: end(with: nil)
        case .wrong(let message): finish(message + "\n")
        case .list where !seesAll, .show where !seesAll: ask(.status) { self.finish(ConsoleConnection.counts(in: $0)) }
        case .list: ask(.contexts) { self.finish(ConsoleConnection.tags(in: $0).map { "\($0)\n" }.joined()) }
        case .show(.one(let tag)): ask(.context(tag)) { self.finish(ConsoleConnection.text(of: $0)) }
        case .show(.all): ask(.contexts) { self.show(ConsoleConnection.tags(in: $0)[...]) }
        case .remove(let selection):
            guard allowRemove else {
                return finish("rm is not allowed on this console (allow-remove in the configuration)\n")
            }
            ask(.remove(selection)) { self.finish(self.result(of: $0)) }
        case .setSendTimeout(let seconds):
            guard allowRemove else {
                return finish("set is not allowed on this console (allow-remove in the configuration)\n")
            }
            ask(.setSendTimeout(seconds)) { self.finish(self.result(of: $0)) }
        }
    }

    /// One context after the other, each when the last one is with the kernel.
    private func show(_ tags: ArraySlice<ContextTag>) {
        guard let tag = tags.first else { return finish("") }
        let rest = tags.dropFirst()
        handle(.context(tag)) { outcome in
            // A context may be gone by now.
            guard case .success(let response) = outcome else { return self.show(rest) }
            self.write(String(repeating: "+", count: 40) + "\n" + ConsoleConnection.text(of: response)) {
                self.show(rest)
            }
        }
    }

    private func ask(_ command: Command, _ body: @escaping (Response) -> Void) {
        handle(command) { outcome in
            switch outcome {
            case .success(let response): body(response)
            case .failure(let error): self.finish("\(error)\n")
            }
        }
    }

    private func handle(_ command: Command, _ body: @escaping (Result<Response, CommandError>) -> Void) {
        guard let context else { return }
        gate.carryOut(command, on: context.eventLoop).assumeIsolated().whenSuccess(body)
    }

    // MARK: Output

    private func finish(_ text: String) {
        write(text + ConsoleConnection.prompt) {
            self.isBusy = false
            // Not within each other: one read may bring a line for every octet, and the stack is not endless.
            self.context?.eventLoop.assumeIsolated().execute { self.next() }
        }
    }

    private func end(with message: String?) {
        isBusy = true
        write(message.map { $0 + "\n" } ?? "") { self.context?.close(promise: nil) }
    }

    private func write(_ text: String, then body: @escaping () -> Void = {}) {
        guard let context else { return }
        let octets = ByteBuffer(string: text.replacing("\n", with: "\r\n"))
        let sent = context.eventLoop.makePromise(of: Void.self)
        pendingWrites += 1
        context.writeAndFlush(wrapOutboundOut(octets), promise: sent)
        sent.futureResult.assumeIsolated().whenComplete { _ in
            self.pendingWrites -= 1
            body()
        }
    }

    private static func tags(in response: Response) -> [ContextTag] {
        guard case .contexts(let list) = response else { return [] }
        return list.contexts.map(\.tag)
    }

    private static func text(of response: Response) -> String {
        response.text(style: .plain)
    }

    /// What a change has done, without the tags and addresses that it is not for everybody to see.
    private func result(of response: Response) -> String {
        switch response {
        case .removed(let removal) where !seesAll: "removed: \(removal.tags.count)\n"
        case .settings(let report) where !seesAll:
            ConsoleConnection.text(of: .settings(SettingsReport(sendTimeout: report.sendTimeout, ranking: [])))
        case let response: ConsoleConnection.text(of: response)
        }
    }

    private static func counts(in response: Response) -> String {
        guard case .status(let report) = response else { return "" }
        let states = report.contexts.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        return states.map { "\($0.key)\t\($0.value)\n" }.joined()
            + "contexts\t\(states.reduce(0) { $0 + $1.value })\n"
            + "their tags are for root and the group of the control socket, on this host\n"
    }
}
