import Configuration
import Netlink
import Shim6Wire

/// An uplink as the probes need it: there, up, and with addresses.
struct Uplink {
    var settings: Configuration.Uplink
    var link: Link
    /// One address a prefix, which probes can come from and go to.
    var sources: [IPv6Address]
    /// The next hop; nil where the interface needs none.
    var gateway: IPv6Address?

    var name: String { link.name }

    /// The daemon's own mark on addresses.
    private static let daemon: UInt8 = 114
    private static let most = 4

    /// Those of the addresses on a link to probe from: the daemon's where there are such, and none that cannot be used or
    /// that other hosts have as well.
    static func sources(_ settings: Configuration.Uplink, on link: Link, _ rows: [InterfaceAddress]) -> [IPv6Address] {
        let usable = rows.filter { row in
            row.interface == link.index && row.scope == 0 && row.address.high >> 61 == 1
                && row.flags.isDisjoint(with: [.tentative, .detectionFailed])
                && row.protocol != InterfaceAddress.madeByKeepalived && !settings.shared.contains(row.address)
                && !settings.excluded.contains { $0.contains(row.address) }
        }
        let own = usable.filter { $0.protocol == daemon }
        var found: [IPv6Address] = []
        // A deprecated address does as well, but may go soon.
        for row in (own.isEmpty ? usable : own).sorted(by: { !isDeprecated($0) && isDeprecated($1) })
        where !found.contains(where: { $0.high == row.address.high }) {
            found.append(row.address)
        }
        return Array(found.prefix(most))
    }

    private static func isDeprecated(_ row: InterfaceAddress) -> Bool { row.flags.contains(.deprecated) }
}
