import Dispatch
import NIOCore
import Shim6Control
import Synchronization

/// The way of every command to the daemon. It can be closed, and then tells when no answer is outstanding any more.
final class CommandGate: Sendable {
    private let handler: any CommandHandler
    private let isClosed = Mutex(false)
    private let outstanding = DispatchGroup()

    init(_ handler: any CommandHandler) {
        self.handler = handler
    }

    /// The future is of `loop` and never fails.
    func carryOut(
        _ command: Command, on loop: any EventLoop
    ) -> EventLoopFuture<Result<Response, CommandError>> {
        let entered = isClosed.withLock { isClosed in
            if !isClosed { outstanding.enter() }
            return !isClosed
        }
        guard entered else {
            return loop.makeSucceededFuture(.failure(CommandError(.unavailable, "the daemon ends")))
        }
        let outcome = loop.makePromise(of: Result<Response, CommandError>.self)
        Task {
            outcome.succeed(await handler.handle(command))
            outstanding.leave()
        }
        return outcome.futureResult
    }

    /// Lets no more commands through and waits until all have been answered, but not for ever.
    func close() {
        isClosed.withLock { $0 = true }
        _ = outstanding.wait(timeout: .now() + .seconds(5))
    }
}
