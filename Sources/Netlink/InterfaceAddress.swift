import CNetlink
import Shim6Wire

/// An IPv6 address on an interface.
public struct InterfaceAddress: Hashable, Sendable {
    public var address: IPv6Address
    public var prefixLength: UInt8
    /// Index of the interface.
    public var interface: UInt32
    public var flags: Flags
    /// Seconds until it is deprecated; nil for never.
    public var preferred: UInt32?
    /// Seconds until it goes; nil for never.
    public var valid: UInt32?
    /// Who made it (IFA_PROTO): 0 unknown, 1 to 3 the kernel.
    public var `protocol`: UInt8
    /// RT_SCOPE_...: 0 global, 253 link, 254 host. Not looked at when it is added.
    public var scope: UInt8

    /// What keepalived writes as `protocol`.
    public static let madeByKeepalived: UInt8 = 18

    /// IFA_F_...
    public struct Flags: OptionSet, Hashable, Sendable {
        public let rawValue: UInt32

        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        public static let temporary = Flags(rawValue: 0x01)
        /// No duplicate address detection.
        public static let noDetection = Flags(rawValue: 0x02)
        public static let optimistic = Flags(rawValue: 0x04)
        public static let detectionFailed = Flags(rawValue: 0x08)
        public static let home = Flags(rawValue: 0x10)
        public static let deprecated = Flags(rawValue: 0x20)
        public static let tentative = Flags(rawValue: 0x40)
        public static let permanent = Flags(rawValue: 0x80)
        /// Made by address autoconfiguration (RFC 4862): temporary addresses (RFC 8981) may be made beside it.
        public static let managesTemporary = Flags(rawValue: 0x100)
        /// No route to the prefix comes with it.
        public static let noPrefixRoute = Flags(rawValue: 0x200)
    }

    public init(
        _ address: IPv6Address, prefixLength: UInt8, interface: UInt32, flags: Flags = [], preferred: UInt32? = nil,
        valid: UInt32? = nil, protocol: UInt8 = 0
    ) {
        self.address = address
        self.prefixLength = prefixLength
        self.interface = interface
        self.flags = flags
        self.preferred = preferred
        self.valid = valid
        self.protocol = `protocol`
        scope = 0
    }

    init(_ flat: cnl_interface_address) {
        self.init(
            IPv6Address(flat.address), prefixLength: flat.prefix_length, interface: flat.index,
            flags: Flags(rawValue: flat.flags), preferred: flat.preferred == .max ? nil : flat.preferred,
            valid: flat.valid == .max ? nil : flat.valid, protocol: flat.protocol)
        scope = flat.scope
    }

    var flat: cnl_interface_address {
        cnl_interface_address(
            address: address.flat, index: interface, flags: flags.rawValue, preferred: preferred ?? .max,
            valid: valid ?? .max, prefix_length: prefixLength, scope: scope, protocol: `protocol`)
    }
}
