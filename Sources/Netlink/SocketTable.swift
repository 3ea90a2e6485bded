import CNetlink
import Shim6Wire

/// Which addresses the IPv6 sockets of a network namespace use, as one look at all of them found it. Sockets that speak
/// IPv4 by mapped addresses (RFC 4291, section 2.5.5.2) are left out.
public struct SocketTable: Equatable, Sendable {
    /// Two addresses between which sockets have sessions.
    public struct Pair: Hashable, Sendable {
        public var local: IPv6Address
        public var peer: IPv6Address

        public init(local: IPv6Address, peer: IPv6Address) {
            self.local = local
            self.peer = peer
        }
    }

    /// Kinds of sockets.
    public struct Protocols: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        public static let tcp = Protocols(rawValue: 1 << 0)
        public static let udp = Protocols(rawValue: 1 << 1)
        public static let udpLite = Protocols(rawValue: 1 << 2)
        public static let dccp = Protocols(rawValue: 1 << 3)
        public static let sctp = Protocols(rawValue: 1 << 4)
        public static let raw = Protocols(rawValue: 1 << 5)
    }

    /// The sessions that packets may still belong to: of TCP from ESTABLISHED to LAST-ACK (RFC 9293, section 3.3.2), of
    /// others those of connected sockets. Of SCTP, which knows several addresses itself, the primary ones.
    public private(set) var sessions: [Pair: Protocols] = [:]
    /// The local addresses that sockets are bound to, listen on or have sessions with.
    public private(set) var localAddresses: [IPv6Address: Protocols] = [:]

    /// The local addresses that sockets without a peer are bound to, or listen on.
    public private(set) var withoutPeer: [IPv6Address: Protocols] = [:]
    /// Whether the kernel told of TCP and UDP.
    public internal(set) var isComplete = true

    public init() {}

    /// What kinds of sockets are bound to an address or use it as theirs; empty if none is.
    public func protocols(using address: IPv6Address) -> Protocols { localAddresses[address, default: []] }

    mutating func add(_ socket: cnl_socket, of kind: Protocols) {
        let local = IPv6Address(socket.local.address)
        let peer = IPv6Address(socket.peer.address)
        let nobody = IPv6Address(high: 0, low: 0)
        guard local != nobody, !local.isMapped, !peer.isMapped else { return }
        localAddresses[local, default: []].formUnion(kind)
        if peer == nobody { withoutPeer[local, default: []].formUnion(kind) }
        guard peer != nobody, kind == .sctp || Self.sessionStates.contains(socket.state) else { return }
        sessions[Pair(local: local, peer: peer), default: []].formUnion(kind)
    }

    private static let sessionStates = Set(
        [CNL_ESTABLISHED, CNL_FIN_WAIT_1, CNL_FIN_WAIT_2, CNL_CLOSE_WAIT, CNL_CLOSING, CNL_LAST_ACK]
            .map { UInt8($0.rawValue) })
}

extension SessionSocket {
    /// The protocols that sock_diag tells of, by their numbers.
    private static let protocols: [(number: UInt8, kind: SocketTable.Protocols)] = [
        (6, .tcp), (17, .udp), (136, .udpLite), (33, .dccp), (132, .sctp), (255, .raw),
    ]
    /// All but those that nobody waits for any more, or that anybody can make many of.
    private static let states = [
        CNL_ESTABLISHED, CNL_SYN_SENT, CNL_FIN_WAIT_1, CNL_FIN_WAIT_2, CNL_CLOSE, CNL_CLOSE_WAIT, CNL_LAST_ACK,
        CNL_LISTEN, CNL_CLOSING, CNL_BOUND,
    ]

    /// Looks at all sockets. The cost is that of one walk through them, about a microsecond each. Those that come and
    /// go meanwhile may be missing.
    public func table() throws(KernelError) -> SocketTable {
        var table = SocketTable()
        for (number, kind) in Self.protocols {
            guard let sockets = try sockets(of: number, in: Self.states) else {
                if kind == .tcp || kind == .udp { table.isComplete = false }
                continue
            }
            for socket in sockets { table.add(socket, of: kind) }
        }
        return table
    }
}

extension IPv6Address {
    fileprivate var isMapped: Bool { high == 0 && low >> 32 == 0xFFFF }
}
