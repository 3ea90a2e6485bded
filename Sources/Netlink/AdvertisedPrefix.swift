import CNetlink
import Shim6Wire

/// A prefix as a router has just advertised it (RFC 4861, section 4.6.2). The kernel tells it once for each
/// advertisement and keeps no list.
public struct AdvertisedPrefix: Hashable, Sendable {
    /// Nil for ::/0.
    public var prefix: IPv6Prefix?
    /// Index of the interface.
    public var interface: UInt32
    /// Hosts may make addresses in it.
    public var isAutonomous: Bool
    /// Seconds; nil for ever.
    public var preferred: UInt32?
    /// Seconds; nil for ever.
    public var valid: UInt32?

    public init(_ prefix: IPv6Prefix?, interface: UInt32, isAutonomous: Bool, preferred: UInt32?, valid: UInt32?) {
        self.prefix = prefix
        self.interface = interface
        self.isAutonomous = isAutonomous
        self.preferred = preferred
        self.valid = valid
    }

    init(_ flat: cnl_advertised_prefix) {
        self.init(
            flat.prefix.prefix, interface: flat.index, isAutonomous: flat.autonomous,
            preferred: flat.preferred == .max ? nil : flat.preferred, valid: flat.valid == .max ? nil : flat.valid)
    }
}
