import CLinux
import Glibc
import Synchronization

/// Does identity jobs on threads of their own. With Sec 2 a search takes minutes to hours, and gets low priority. What is
/// over in a second does not: the operator waits for it, and on a busy machine low priority makes minutes of it.
final class IdentityWorker: Sendable {
    private let isStopped = Atomic(false)
    private let report: @Sendable (Result<IdentityJob.Product, any Error>) -> Void

    /// `report` is called on the job's thread.
    init(report: @escaping @Sendable (Result<IdentityJob.Product, any Error>) -> Void) {
        self.report = report
    }

    func start(_ job: IdentityJob) {
        do {
            try DaemonThread.start("identity") { [self] in
                // Of this thread alone: in Linux each thread has its own.
                if job.securityParameter > 1 { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10) }
                report(Result { try job.run { !self.isStopped.load(ordering: .relaxed) } })
            }
        } catch {
            report(.failure(error))
        }
    }

    /// Ends a search under way, which then reports that it was cancelled.
    func stop() { isStopped.store(true, ordering: .relaxed) }
}
