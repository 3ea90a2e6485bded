import Logging
import Netlink
import Shim6Wire

/// Makes new sessions prefer the daemon's addresses to others in the same prefix, without touching the others: by rule 6
/// of source address selection (RFC 6724, section 5).
///
/// The prefix gets a label that no destination beyond it has; our address in it gets the label of everything. A label
/// has no owner; ours are found again by the number on the prefix.
final class AddressLabels {
    private let socket: RouteSocket
    private let log: Logger
    private var labelled: Set<IPv6Address> = []

    init(socket: RouteSocket, log: Logger) {
        self.socket = socket
        self.log = log
    }

    /// Exactly these are preferred from now on.
    func keep(_ addresses: Set<IPv6Address>) {
        do {
            for address in labelled.subtracting(addresses) {
                try? socket.delete(Self.label(of: address))
                if !addresses.contains(where: { $0.high == address.high }) {
                    try? socket.delete(Self.labelOfPrefix(of: address))
                }
                labelled.remove(address)
            }
            for address in addresses.subtracting(labelled) {
                // A prefix that has a label of somebody else keeps it.
                try? socket.add(Self.labelOfPrefix(of: address))
                try socket.add(Self.label(of: address))
                labelled.insert(address)
            }
        } catch {
            log.error("\(error)")
        }
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
