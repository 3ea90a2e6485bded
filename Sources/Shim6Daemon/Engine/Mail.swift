import Shim6Control
import Shim6Core
import Synchronization

/// What the other threads put into the main thread's mailbox.
enum Mail: Sendable {
    case timer(Shim6Core.Timer)
    case idle(IdleThread.Report)
    case identity(Result<IdentityJob.Product, any Error>)
    case command(Command, CheckedContinuation<Result<Response, CommandError>, Never>)
}

/// Carries commands of the console and the control socket to the main thread, and the answers back.
final class CommandPost: CommandHandler {
    private let mailbox: Mailbox<Mail>
    private let isClosed = Mutex(false)

    init(_ mailbox: Mailbox<Mail>) {
        self.mailbox = mailbox
    }

    func handle(_ command: Command) async -> Result<Response, CommandError> {
        let outcome = await withCheckedContinuation { continuation in
            // Posted under the lock: what is in the mailbox when `close` returns is all there will ever be.
            let isPosted = isClosed.withLock { isClosed in
                if !isClosed { mailbox.post(.command(command, continuation)) }
                return !isClosed
            }
            if !isPosted { continuation.resume(returning: .failure(Self.unavailable)) }
        }
        return outcome.map(\.inOrder)
    }

    /// From now on every command is refused.
    func close() { isClosed.withLock { $0 = true } }

    static let unavailable = CommandError(.unavailable, "the daemon ends")
}

extension Response {
    /// In the order of the tags. The main thread gathers contexts as it finds them: sorting many would keep it.
    fileprivate var inOrder: Response {
        switch self {
        case .contexts(var list):
            list.contexts.sort { $0.tag.rawValue < $1.tag.rawValue }
            return .contexts(list)
        case .removed(var removal):
            removal.tags.sort { $0.rawValue < $1.rawValue }
            return .removed(removal)
        case let response: return response
        }
    }
}
