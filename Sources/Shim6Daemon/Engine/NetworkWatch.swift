import KernelRows
import Logging
import Netlink
import REAP

/// What the kernel has told of the network since the last look at it, and when the next look is due.
final class NetworkWatch {
    /// Changes that are kept until the next look, which sees the others in the tables.
    private static let mostChanges = 8_192
    private let view: KernelView
    private let rows: OwnRows
    private let counters: EngineCounters
    /// Nil while there is nothing to look at.
    private var changes: [KernelChange]?
    private var limit = ShareOfTime()
    /// The interfaces of which, or of whose filters, something was told since `takeTouched`; nil if that may be any, since
    /// notifications were lost.
    private var touched: Set<UInt32>? = []
    /// Whether the last look failed, and another one is due.
    private(set) var isBehind = false

    init(view: KernelView, rows: OwnRows, counters: EngineCounters) {
        self.view = view
        self.rows = rows
        self.counters = counters
    }

    var descriptor: Int32 { view.descriptor }

    /// Whether `read` has something without the kernel telling more.
    var isWaiting: Bool { view.isWaiting }
    func isAuditDue(at now: Instant) -> Bool { view.isAuditDue(at: now) }

    /// When the next look may be; nil while there is no reason for one.
    var begin: Instant? { changes == nil ? nil : limit.begin }

    /// Reads what the kernel has told. Returns whether to look now.
    func read(_ uplinks: Uplinks) throws -> Bool {
        switch try view.read() {
        case .changes(let read):
            for change in read {
                rows.hear(change)
                switch change.row {
                case .link(let link): touched?.insert(link.index)
                case .filters(let index): touched?.insert(index)
                default: break
                }
            }
            let concerned = read.filter { uplinks.isConcerned(by: $0) }
            guard !concerned.isEmpty else { break }
            changes = (changes ?? []) + concerned.prefix(Self.mostChanges - (changes?.count ?? 0))
            if concerned.contains(where: uplinks.isUrgent) { limit = ShareOfTime() }
        case .lost:
            counters.resyncs += 1
            touched = nil
            changes = changes ?? []
        }
        return begin.map { $0 <= .monotonicNow } ?? false
    }

    /// The interfaces that somebody has touched since the last call, or what is attached to them; nil if it may be any.
    func takeTouched() -> Set<UInt32>? {
        defer { touched = [] }
        return touched
    }

    /// Hands what was told to a look at the network.
    func look(_ body: ([KernelChange]) throws -> Void) throws {
        let start = Instant.monotonicNow
        defer { limit.took(from: start, to: .monotonicNow) }
        let changes = changes ?? []
        self.changes = nil
        counters.refreshes += 1
        isBehind = true
        try body(changes)
        isBehind = false
    }
}
