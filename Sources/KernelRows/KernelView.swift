import Netlink
import REAP

/// Follows the kernel's tables: reads them once, and what changes from then on. They are read whole again only when
/// notifications were lost or unclear, and by an audit.
public final class KernelView {
    /// What nobody has told of is found this much later.
    public static let auditInterval = Duration.seconds(60)

    private let socket: RouteSocket
    private let monitor: RouteMonitor
    public private(set) var tables = KernelTables()
    /// What was read ahead, and is still to be handed over.
    private var waiting: [KernelChange] = []
    private var hasLost = false
    private var nextAudit = Instant(nanoseconds: 0)

    /// - Parameter receiveBuffer: octets.
    public init(socket: RouteSocket, receiveBuffer: Int32 = 4 << 20) throws(KernelError) {
        self.socket = socket
        monitor = try RouteMonitor(receiveBuffer: receiveBuffer)
    }

    /// Readable when the kernel has told something.
    public var descriptor: Int32 { monitor.descriptor }
    /// Whether `read` has something without the kernel telling more.
    public var isWaiting: Bool { hasLost || !waiting.isEmpty }

    /// What has changed since the last time; the tables know it already.
    public func read() throws(KernelError) -> Reading<KernelChange> {
        try catchUp()
        if hasLost {
            hasLost = false
            return .lost
        }
        defer { waiting = [] }
        return .changes(waiting)
    }

    /// Takes what the kernel has told into the tables.
    public func catchUp() throws(KernelError) {
        let now = Instant.monotonicNow
        switch try monitor.read() {
        case .changes(let changes):
            for change in changes { tables.hear(change, at: now) }
            waiting += changes
        case .lost:
            tables.doubt()
            hasLost = true
        }
    }

    /// Makes the tables such that they can be looked at.
    public func complete() throws(KernelError) {
        let now = Instant.monotonicNow
        if now >= nextAudit { tables.doubt() }
        guard !tables.unknown.isEmpty else { return }
        // What is told from now on is at least as new as what the dump tells.
        try catchUp()
        if tables.unknown.count == KernelTables.Table.allCases.count { nextAudit = now + Self.auditInterval }
        try tables.complete(from: socket, at: now)
    }

    /// Whether the tables are to be read whole again, in case that something was not told.
    public func isAuditDue(at now: Instant) -> Bool { now >= nextAudit }
}
