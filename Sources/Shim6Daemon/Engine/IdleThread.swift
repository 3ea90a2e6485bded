import Glibc
import Netlink
import Synchronization

/// The thread that hears when the kernel's idle policies expire.
final class IdleThread: Sendable {
    enum Report: Sendable {
        case expired([IdlePolicy])
        /// Some expiries were lost: compare with the policies that are left.
        case lost
    }

    private let isStopped = Atomic(false)

    /// Starts the thread. `report` is called on it.
    init(_ expiries: IdleExpiries, report: @escaping @Sendable (Report) -> Void) {
        DaemonThread.startRequired("xfrm") { [self] in
            while !isStopped.load(ordering: .relaxed) {
                do {
                    switch try expiries.read(waiting: 500) {
                    case .changes([]): continue
                    case .changes(let policies): report(.expired(policies))
                    case .lost: report(.lost)
                    }
                } catch {
                    // Nothing is known about what expired; a pause keeps a lasting error from using up the processor.
                    report(.lost)
                    sleep(1)
                }
            }
        }
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }
}
