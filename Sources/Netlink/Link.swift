import CNetlink
import Glibc

/// A network interface.
public struct Link: Hashable, Sendable {
    public var index: UInt32
    public var name: String
    /// IFF_...
    public var flags: UInt32
    /// Octets.
    public var mtu: UInt32
    /// The largest packet the stack leaves unsegmented, in octets.
    public var gsoMaxSize: UInt32
    /// ARPHRD_...
    public var hardwareType: UInt16
    public var operationalState: OperationalState
    public var hasCarrier: Bool
    /// The kernel's name for what made it, "veth", "tun" and so on; nil for hardware.
    public var kind: String?
    /// The other end, if this is one end of a veth pair and the other is in the same namespace.
    public var peer: UInt32?

    /// RFC 2863, ifOperStatus, numbered as the kernel does.
    public enum OperationalState: UInt8, Sendable {
        case unknown = 0
        case notPresent
        case down
        case lowerLayerDown
        case testing
        case dormant
        case up
    }

    /// The administrator wants it up.
    public var isUp: Bool { flags & UInt32(IFF_UP) != 0 }
    public var isLoopback: Bool { flags & UInt32(IFF_LOOPBACK) != 0 }
    /// It is up and packets can go.
    public var isRunning: Bool { flags & UInt32(IFF_RUNNING) != 0 }
    /// No address resolution on it.
    public var isWithoutResolution: Bool { flags & UInt32(IFF_NOARP) != 0 }

    init(_ flat: cnl_link) {
        index = flat.index
        name = string(flat.name)
        flags = flat.flags
        mtu = flat.mtu
        gsoMaxSize = flat.gso_max_size
        hardwareType = flat.type
        operationalState = OperationalState(rawValue: flat.operstate) ?? .unknown
        hasCarrier = flat.carrier
        let kind = string(flat.kind)
        self.kind = kind.isEmpty ? nil : kind
        peer = flat.peer == 0 ? nil : flat.peer
    }
}
