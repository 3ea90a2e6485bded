import CNetlink
import Shim6Wire

/// An IPv6 neighbour as neighbour discovery sees it (RFC 4861, section 7.3.2).
public struct Neighbour: Hashable, Sendable {
    public var address: IPv6Address
    /// Index of the interface.
    public var interface: UInt32
    public var state: State
    public var isRouter: Bool

    /// NUD_...
    public enum State: UInt16, Sendable {
        case none = 0
        case incomplete = 0x01
        case reachable = 0x02
        case stale = 0x04
        case delay = 0x08
        case probe = 0x10
        case failed = 0x20
        case withoutResolution = 0x40
        case permanent = 0x80

        /// In reports.
        public var name: String {
            switch self {
            case .none: "NONE"
            case .incomplete: "INCOMPLETE"
            case .reachable: "REACHABLE"
            case .stale: "STALE"
            case .delay: "DELAY"
            case .probe: "PROBE"
            case .failed: "FAILED"
            case .withoutResolution: "WITHOUTRESOLUTION"
            case .permanent: "PERMANENT"
            }
        }
    }

    init(_ flat: cnl_neighbour) {
        address = IPv6Address(flat.address)
        interface = flat.index
        state = State(rawValue: flat.state) ?? .none
        isRouter = flat.router
    }
}
