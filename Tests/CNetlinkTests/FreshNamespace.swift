import CNamespace
import Foundation
import Testing

/// Runs each test on a thread of its own that has just left for a new network namespace, so that no test can touch the
/// machine's network or another test's, and nothing is left when the thread and its sockets are gone.
struct FreshNamespace: TestTrait, SuiteTrait, TestScoping {
    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let thread = NamespaceThread()
        defer { thread.finish() }
        try await withTaskExecutorPreference(thread) { try await function() }
    }
}

extension Trait where Self == FreshNamespace {
    static var freshNamespace: Self { FreshNamespace() }
}

extension Trait where Self == ConditionTrait {
    /// Network namespaces, raw sockets and routes are for root.
    static var asRoot: Self { .enabled(if: geteuid() == 0, "needs root to make network namespaces") }
}

/// A task executor that is one thread in a network namespace of its own.
private final class NamespaceThread: TaskExecutor, @unchecked Sendable {
    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var isFinished = false

    init() {
        let thread = Thread { [self] in
            guard namespace_leave() == 0 else { fatalError("no new network namespace") }
            while let job = next() {
                job.runSynchronously(on: asUnownedTaskExecutor())
            }
        }
        thread.start()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.withLock {
            jobs.append(job)
            condition.signal()
        }
    }

    func finish() {
        condition.withLock {
            isFinished = true
            condition.signal()
        }
    }

    private func next() -> UnownedJob? {
        condition.withLock {
            while jobs.isEmpty, !isFinished { condition.wait() }
            return jobs.isEmpty ? nil : jobs.removeFirst()
        }
    }
}
