import Configuration
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
    /// The global addresses on the interface, and whether a peer could verify them.
    var addresses: [Address] = []

    struct Address {
        var row: InterfaceAddress
        var isVerifiable: Bool

        var isTentative: Bool {
            row.flags.contains(.tentative) && !row.flags.contains(.optimistic) && !row.flags.contains(.detectionFailed)
        }
        var isDuplicate: Bool { row.flags.contains(.detectionFailed) }
        var isDeprecated: Bool { row.flags.contains(.deprecated) }
    }

    /// Whether packets can leave, as far as the host can tell.
    var isRunning: Bool {
        guard let link else { return false }
        return link.isUp && link.isRunning
    }

    /// The addresses that can be offered to peers, those for new sessions first.
    var locators: [Address] {
        guard isRunning else { return [] }
        let usable = addresses.filter { $0.isVerifiable && !$0.isTentative && !$0.isDuplicate }
        return usable.filter { !$0.isDeprecated } + usable.filter(\.isDeprecated)
    }
}
