import CGA
import Glibc
import Synchronization

/// Says on standard error how the search for a Modifier goes.
final class SearchProgress: Sendable {
    private struct State {
        var lastLine: ContinuousClock.Instant
        var isLineOpen = false
    }

    private let expected: Double
    private let earlier: UInt64
    private let start = ContinuousClock.now
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let state: Mutex<State>

    /// A search goes on that has tried a number of Modifiers before.
    init(_ generator: CGAGenerator) {
        expected = Double(UInt64(1) << (16 * UInt64(generator.sec)))
        earlier = generator.attempts
        state = Mutex(State(lastLine: start))
    }

    /// From any thread, often: writes a line now and then.
    func tried(_ count: UInt64) {
        let now = ContinuousClock.now
        state.withLock { state in
            guard now - state.lastLine >= .milliseconds(500) else { return }
            state.lastLine = now
            state.isLineOpen = isTerminal
            put((isTerminal ? "\r" : "") + line(count, after: now - start) + (isTerminal ? "\u{1B}[K" : "\n"))
        }
    }

    /// The last line is complete.
    func end() {
        if state.withLock({ $0.isLineOpen }) { put("\n") }
    }

    /// A search has no memory: what is left to do on the average stays the same however long it has gone on.
    func line(_ count: UInt64, after time: Duration) -> String {
        let seconds = max(Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18, 1e-9)
        let rate = Double(count) / seconds
        let share = Int(100 * Double(count + earlier) / expected)
        let left = Int((expected / rate).rounded())
        let rateText = "\(Int(rate / 1e6)).\(Int(rate / 1e5) % 10)"
        return
            "\(rateText) M hashes/s, \(share) % of the expected work, on the average \(Self.text(seconds: left)) left"
    }

    private static func text(seconds: Int) -> String {
        let pairs = [(86_400, "d"), (3600, "h"), (60, "min")]
        for (unit, name) in pairs where seconds >= 2 * unit { return "\(seconds / unit) \(name)" }
        return "\(seconds) s"
    }

    private func put(_ text: String) { _ = write(STDERR_FILENO, text, text.utf8.count) }
}
