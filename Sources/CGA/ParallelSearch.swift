import Dispatch
import Glibc
import Synchronization

extension CGAGenerator {
    /// Modifiers that a thread tries between two looks at the others: a few milliseconds.
    public static let portion: UInt64 = 1 << 17

    /// Steps 2 and 3 to the end, on several threads. The Modifier that comes out is the one that a single thread finds.
    ///
    /// - Parameters:
    ///   - threads: how many at most; as many as there are processors if nil.
    ///   - shouldContinue: asked often, with the number of Modifiers tried in this call, from any of the threads.
    /// - Throws: `cancelled`. The search can then be taken up again where it was left.
    public mutating func search(
        threads: Int? = nil, portion: UInt64 = Self.portion,
        while shouldContinue: @Sendable (UInt64) -> Bool = { _ in true }
    ) throws(CGAGenerationError) {
        guard let search, !isFinished else { return }
        let start = modifier
        // Portions are handed out in order, so once all threads have ended, those that were are one piece.
        let shared = Mutex(Progress())
        DispatchQueue.concurrentPerform(iterations: max(1, threads ?? Self.processors)) { _ in
            while let next = shared.withLock({ $0.take(portion) }) {
                let hit = search.firstHit(from: start &+ UInt128(next), attempts: portion)
                let tried = shared.withLock { progress in
                    progress.done += portion
                    if let hit { progress.hit = min(progress.hit ?? .max, next + hit) }
                    return progress.done
                }
                if hit == nil, !shouldContinue(tried) { shared.withLock { $0.isCancelled = true } }
            }
        }
        let end = shared.withLock { $0 }
        advance(by: end.hit ?? end.handedOut, isHit: end.hit != nil)
        guard isFinished else { throw .cancelled }
    }

    /// How many threads work at the same time.
    public static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    private struct Progress {
        var handedOut: UInt64 = 0
        var done: UInt64 = 0
        var hit: UInt64?
        var isCancelled = false

        mutating func take(_ portion: UInt64) -> UInt64? {
            guard !isCancelled, hit == nil else { return nil }
            defer { handedOut += portion }
            return handedOut
        }
    }
}
