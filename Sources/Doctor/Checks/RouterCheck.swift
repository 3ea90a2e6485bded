import Glibc
import Netlink
import Shim6Wire

/// The next hop of an uplink, by neighbour discovery.
struct RouterCheck {
    enum State: Hashable {
        /// Without neighbour discovery, or without a known next hop.
        case notAsked
        case answers(isRouter: Bool)
        /// It has answered some time ago.
        case answered(isRouter: Bool)
        case silent
    }

    var state: State
    /// Routers that are known on the link.
    var others: [IPv6Address] = []
    /// Whether the gateway is in a prefix of the link.
    var isOnLink = true

    /// Asks for the gateway of an uplink, as the stack does when it has a packet for it.
    ///
    /// - Parameter isPatient: an answer of some time ago is not enough.
    static func ask(_ uplink: Uplink, isPatient: Bool = false) throws(KernelError) -> RouterCheck {
        guard let gateway = uplink.gateway, !uplink.link.isWithoutResolution else {
            return RouterCheck(state: .notAsked)
        }
        let socket = try RouteSocket()
        let index = uplink.link.index
        // Three solicitations, one a second, and five seconds before them (RFC 4861, section 10).
        for turn in 0..<(isPatient ? 100 : 40) {
            if turn % 10 == 0 { try? socket.probe(gateway, interface: index) }
            let row = try socket.neighbours().first { $0.interface == index && $0.address == gateway }
            let isRouter = row?.isRouter ?? false
            switch row?.state {
            case .reachable, .permanent, .withoutResolution: return RouterCheck(state: .answers(isRouter: isRouter))
            case .stale, .delay, .probe: if !isPatient { return RouterCheck(state: .answered(isRouter: isRouter)) }
            case .failed where turn > 0: return try silent(uplink, gateway, socket)
            default: break
            }
            usleep(100_000)
        }
        return try silent(uplink, gateway, socket)
    }

    private static func silent(
        _ uplink: Uplink, _ gateway: IPv6Address, _ socket: RouteSocket
    ) throws(KernelError) -> RouterCheck {
        let index = uplink.link.index
        let others = try socket.neighbours().filter {
            $0.interface == index && $0.isRouter && $0.address != gateway && $0.state != .failed
        }
        let isOnLink = try socket.routes().contains {
            $0.interface == index && $0.gateway == nil && $0.destination?.contains(gateway) == true
        }
        return RouterCheck(state: .silent, others: others.map(\.address), isOnLink: isOnLink)
    }

    /// - Parameter step: what came of packets that the router should have forwarded; nil if none could be sent.
    func finding(_ uplink: Uplink, _ step: LocalChecks.Step?) -> Finding? {
        guard let gateway = uplink.gateway else { return nil }
        let check = "router of \(uplink.name)"
        switch state {
        case .notAsked: return nil
        case .silent:
            let place = isOnLink ? "" : ", which is in no prefix of \(uplink.name)"
            return Finding(
                check, .failure, "nobody answers at \(gateway)\(place): it is dead now, or the wrong gateway",
                advice: others.isEmpty
                    ? ["ip -6 neigh show dev \(uplink.name); ip -6 route show default"]
                    : others.map { "gateway = \"\($0)\" in its [[uplink]]   # a router there" })
        case .answers(let isRouter), .answered(let isRouter):
            guard let step, step.hasLeft, !step.routerForwards else {
                return Finding(check, .ok, "\(gateway) answers")
            }
            if isRouter { return step.routerAnswered ? Finding(check, .ok, "\(gateway) answers") : nil }
            return Finding(
                check, .failure,
                "\(gateway) is there but forwards nothing: it is no router, or its forwarding is off",
                advice: ["gateway = \"ADDRESS\" in its [[uplink]]"])
        }
    }
}
