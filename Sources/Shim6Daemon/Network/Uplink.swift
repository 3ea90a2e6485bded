import Configuration
import KernelRows
import Netlink
import Shim6Wire

/// One configured uplink as the kernel has it now.
struct Uplink {
    let configuration: Configuration.Uplink
    /// Number of its own routing table.
    let table: UInt32
    /// Nil while there is no interface of that name.
    var link: Link?
    var gateway: IPv6Address?
    var gatewayState: Neighbour.State?
    /// The interface had a default route since it came up, and has it no more.
    var hasLostDefaultRoute = false
    var hasDefaultRoute = false
    /// Neighbour unreachability detection has given the gateway up, and it has not answered since.
    var isGatewayDead = false
    /// Where the uplink can have addresses.
    var prefixes: [Prefix] = []
    /// The global addresses on the interface, and whether a peer could verify them.
    var addresses: [Address] = []

    struct Prefix {
        /// Always of length 64.
        var prefix: IPv6Prefix
        var lifetimes: Lifetimes
        /// By a router; else it is from the configuration.
        var isAdvertised: Bool
        /// Hosts in it are reached without a router.
        var isOnLink: Bool
        /// A router lets every host make its own addresses in it.
        var isAutonomous = false
    }

    struct Address {
        var row: InterfaceAddress
        var isVerifiable: Bool
        /// Other hosts have it too, or may get it.
        var isShared = false

        var isTentative: Bool {
            row.flags.contains(.tentative) && !row.flags.contains(.optimistic) && !row.flags.contains(.detectionFailed)
        }
        var isDuplicate: Bool { row.flags.contains(.detectionFailed) }
        var isDeprecated: Bool { row.flags.contains(.deprecated) }
        /// Whether the kernel could take it for a new session as well as one of the daemon's.
        var isRival: Bool {
            row.protocol != Mark.protocolNumber && !isTentative && !isDuplicate && !isDeprecated
        }
        /// Others come before those whose detection goes on (RFC 4429), and these before deprecated ones.
        fileprivate var rank: Int { isDeprecated ? 2 : row.flags.contains(.tentative) ? 1 : 0 }
    }

    /// Whether several hosts share an address, at the same time or one after the other: it cannot lead packets to a host that
    /// has moved. An operator says so, keepalived does, and where a peer could verify it, it is what a permanent address
    /// without a prefix is there for.
    func isShared(_ row: InterfaceAddress, isVerifiable: Bool) -> Bool {
        if configuration.shared.contains(row.address) { return true }
        guard row.protocol != Mark.protocolNumber else { return false }
        let isAlone = isVerifiable && row.prefixLength == 128 && row.flags.contains(.permanent)
        return row.protocol == InterfaceAddress.madeByKeepalived || isAlone
    }

    /// Whether packets get beyond the link, as far as the host can tell (RFC 5534, section 3.2).
    var isOperational: Bool { isRunning && !hasLostDefaultRoute && !isGatewayDead }

    /// Whether packets can leave, as far as the host can tell.
    var isRunning: Bool {
        guard let link else { return false }
        return link.isUp && link.isRunning
    }

    /// The addresses that are available (RFC 5534, section 3.1), those for new sessions first.
    var locators: [Address] {
        guard isRunning else { return [] }
        let usable = addresses.filter { address in
            address.isVerifiable && !address.isShared && !address.isTentative && !address.isDuplicate
                && !configuration.excluded.contains { $0.contains(address.row.address) }
        }
        return usable.sorted { $0.rank < $1.rank }
    }
}
