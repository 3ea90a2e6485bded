import KernelRows
import Logging
import REAP
import Synchronization

/// Passes lines of the log on at a bounded rate: packets of anybody make contexts begin, doubt their paths and end, each with
/// lines of its own. Lines below `info` are there only if an operator wants them; all of them pass.
struct LimitedLogHandler: LogHandler {
    private var handler: any LogHandler
    private let limit = LogLimit()

    init(_ handler: any LogHandler) { self.handler = handler }

    func log(event: LogEvent) {
        guard event.level >= .info else { return handler.log(event: event) }
        guard let leftOut = limit.take(at: .monotonicNow) else { return }
        if leftOut > 0 {
            handler.log(
                event: LogEvent(
                    level: .warning, message: "\(leftOut) lines left out", metadata: nil,
                    source: event.source, file: event.file, function: event.function, line: event.line))
        }
        handler.log(event: event)
    }

    var logLevel: Logger.Level {
        get { handler.logLevel }
        set { handler.logLevel = newValue }
    }
    var metadata: Logger.Metadata {
        get { handler.metadata }
        set { handler.metadata = newValue }
    }
    var metadataProvider: Logger.MetadataProvider? {
        get { handler.metadataProvider }
        set { handler.metadataProvider = newValue }
    }
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { handler[metadataKey: key] }
        set { handler[metadataKey: key] = newValue }
    }
}

/// The rate of the log, common to all copies of a handler.
final class LogLimit: Sendable {
    /// Lines at once, and a second in the long run.
    static let burst = 2000
    static let perSecond = 200

    private struct State {
        /// When the lines so far are paid for.
        var paid = Instant(nanoseconds: 0)
        var leftOut = 0
    }
    private let state = Mutex(State())

    /// Takes one line. Returns how many have been left out since the last one; nil if it has to be left out itself.
    func take(at now: Instant) -> Int? {
        let interval = Duration.seconds(1) / Self.perSecond
        return state.withLock { state in
            let paid = max(state.paid, now) + interval
            guard paid <= now + interval * Self.burst else {
                state.leftOut += 1
                return nil
            }
            state.paid = paid
            defer { state.leftOut = 0 }
            return state.leftOut
        }
    }
}
