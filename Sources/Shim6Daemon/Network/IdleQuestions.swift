import Netlink
import REAP
import Shim6Core
import Shim6Wire

/// Idle contexts of which the core wants to know whether sockets use them. One look at all sockets answers for all.
struct IdleQuestions {
    /// A look costs about a microsecond for each socket.
    private static let interval = Duration.seconds(10)
    /// How long a look keeps the next one waiting at least, as a multiple of the time that it took.
    private static let costShare = 100

    private var asked: [ContextTag: ULIDPair] = [:]
    private var nextLook = Instant(nanoseconds: 0)

    mutating func ask(_ tag: ContextTag, _ ulids: ULIDPair) { asked[tag] = ulids }

    func isLookDue(at now: Instant) -> Bool { !asked.isEmpty && now >= nextLook }

    /// What is to be answered. `table` is nil if sockets cannot be read, `cost` is how long it took to look.
    mutating func answers(from table: SocketTable?, cost: Duration = .zero, at now: Instant) -> [ContextTag: ULIDUse] {
        nextLook = now + max(Self.interval, cost * Self.costShare)
        defer { asked = [:] }
        return asked.mapValues { table?.use(of: $0) ?? .unknown }
    }
}

extension SocketTable {
    /// Kinds whose sockets send to many without being connected.
    private static let datagrams: Protocols = [.udp, .udpLite, .raw]

    /// What sockets may send between two ULIDs. Those that are bound to no address count only by their sessions: there are
    /// some on every host.
    func use(of ulids: ULIDPair) -> ULIDUse {
        if sessions[Pair(local: ulids.local, peer: ulids.peer)] != nil { return .session }
        if !withoutPeer[ulids.local, default: []].isDisjoint(with: Self.datagrams) { return .localAddress }
        return isComplete ? .none : .unknown
    }
}
