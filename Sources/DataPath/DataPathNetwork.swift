import Shim6Wire

/// The network around the host, as far as a data path has to know it.
public struct DataPathNetwork: Hashable, Sendable {
    /// An uplink whose interface is there.
    public struct Uplink: Hashable, Sendable {
        public var interface: UInt32
        /// The interface's, for people.
        public var name: String
        public var mtu: UInt32
        /// Nil if none is known.
        public var gateway: IPv6Address?
        /// Packets can leave, as far as the host can tell.
        public var isRunning: Bool
        /// All addresses on the interface that could be locators.
        public var addresses: Set<IPv6Address>
        /// Those of them that are available as locators (RFC 5534, section 3.1).
        public var locators: Set<IPv6Address>

        public init(
            interface: UInt32, name: String, mtu: UInt32, gateway: IPv6Address?, isRunning: Bool,
            addresses: Set<IPv6Address>, locators: Set<IPv6Address>
        ) {
            self.interface = interface
            self.name = name
            self.mtu = mtu
            self.gateway = gateway
            self.isRunning = isRunning
            self.addresses = addresses
            self.locators = locators
        }
    }

    public var uplinks: [Uplink]
    /// Interfaces that have gone since the last time. One that has come back with the same number is another one.
    public var removed: Set<UInt32>
    /// The first of the priorities of rules for rehomed pairs; nil while there must be none.
    public var rulePriority: UInt32?

    public init(uplinks: [Uplink], removed: Set<UInt32> = [], rulePriority: UInt32?) {
        self.uplinks = uplinks
        self.removed = removed
        self.rulePriority = rulePriority
    }

    /// The uplink that has this address and can send.
    public func uplink(of address: IPv6Address) -> Uplink? {
        uplinks.first { $0.isRunning && $0.addresses.contains(address) }
    }

    /// The interface of each address that belongs to this host as locator or as one of `pinned`: none if it is on no uplink
    /// at the moment.
    public func places(pinned: some Sequence<IPv6Address>) -> [IPv6Address: UInt32?] {
        var places: [IPv6Address: UInt32?] = [:]
        for address in pinned { places[address] = .some(nil) }
        for uplink in uplinks where uplink.isRunning {
            for address in uplink.locators { places[address] = uplink.interface }
        }
        return places
    }
}
