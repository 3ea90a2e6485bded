import Glibc
import KernelRows
import Logging
import Netlink
import Shim6Wire

/// Makes new sessions prefer the daemon's addresses to others on the same uplink, without touching the others: by rule 6
/// of source address selection (RFC 6724, section 5).
///
/// The prefixes of all of them get a label that no destination beyond them has; our address gets the label of everything. A
/// label has no owner; ours are found again by the number on the prefix. What has a label of somebody else keeps it.
final class AddressLabels {
    private let socket: RouteSocket
    private let log: Logger
    private var labels: Set<AddressLabel> = []

    init(socket: RouteSocket, log: Logger) {
        self.socket = socket
        self.log = log
    }

    /// Exactly these are preferred from now on, to all that is in their own prefixes and in those of `others`.
    func keep(_ addresses: Set<IPv6Address>, over others: Set<IPv6Address>) {
        let prefixes = Set(addresses.union(others).map(Self.labelOfPrefix))
        let wanted = prefixes.union(addresses.map(Self.label))
        guard wanted != labels else { return }
        do {
            let present = try socket.labels()
            for label in labels.subtracting(wanted) where present.contains(label) { try? socket.delete(label) }
            labels.formIntersection(wanted)
            // By these those of the addresses are found again, so they come first.
            for label in prefixes.subtracting(labels) { try add(label, to: present) }
            for address in addresses where labels.contains(Self.labelOfPrefix(of: address)) {
                let label = Self.label(of: address)
                if !labels.contains(label) { try add(label, to: present) }
            }
        } catch {
            log.error("\(error)")
        }
    }

    private func add(_ label: AddressLabel, to present: [AddressLabel]) throws(KernelError) {
        guard !present.contains(where: { $0.prefix == label.prefix }) else { return }
        try socket.add(label)
        labels.insert(label)
    }

    /// Removes what any run has made.
    static func flush(_ socket: RouteSocket) throws(KernelError) {
        let labels = try socket.labels()
        let marked = labels.filter { $0.label == Mark.addressLabel }
        for label in labels where label.label == AddressLabel.everything && label.prefix?.length == 128 {
            guard let prefix = label.prefix,
                marked.contains(where: { $0.prefix?.contains(prefix.address) == true })
            else { continue }
            try socket.delete(label)
        }
        for label in marked { try socket.delete(label) }
    }

    private static func label(of address: IPv6Address) -> AddressLabel {
        AddressLabel(IPv6Prefix(address, length: 128), label: AddressLabel.everything)
    }

    private static func labelOfPrefix(of address: IPv6Address) -> AddressLabel {
        AddressLabel(IPv6Prefix(address, length: 64), label: Mark.addressLabel)
    }
}
