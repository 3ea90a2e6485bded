import Foundation

/// Runs each job on a thread of its own. Tests that wait for sockets and programs use it: on the shared pool, which has as
/// many threads as the machine has cores, they would keep the very server waiting that they wait for.
final class ThreadPerJob: TaskExecutor {
    private static let shared = ThreadPerJob()

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    static func run<Outcome: Sendable>(_ body: @Sendable () throws -> Outcome) async throws -> Outcome {
        try await withTaskExecutorPreference(shared) { try await onTheExecutor(body) }
    }

    @concurrent private static func onTheExecutor<Outcome: Sendable>(
        _ body: @Sendable () throws -> Outcome
    ) async throws -> Outcome {
        try body()
    }
}
