import CNetlink
import Shim6Wire

/// An IPv6 route with one next hop. A multipath route of the kernel is several of these.
public struct Route: Hashable, Sendable {
    /// Nil for a default route.
    public var destination: IPv6Prefix?
    /// Packets from these addresses only; nil for any. A match here counts for more than any metric.
    public var source: IPv6Prefix?
    public var gateway: IPv6Address?
    /// Index of the outgoing interface; nil if it has none, as an unreachable route.
    public var interface: UInt32?
    public var table: UInt32
    /// Nil leaves it to the kernel (1024) when added, and means any when deleted.
    public var metric: UInt32?
    /// Octets; nil for the interface's.
    public var mtu: UInt32?
    /// Who made it. Only a route with the same number is deleted.
    public var `protocol`: UInt8
    /// RTN_...: 1 unicast, 2 local, 7 unreachable, 9 throw.
    public var type: UInt8
    /// RTNH_F_... and RTM_F_...; 0x1 is a dead next hop, 0x10 one without carrier. Not looked at when it is added.
    public var flags: UInt32

    /// What the kernel tells routes apart by: one that is replaced is not told as gone.
    public struct Key: Hashable, Sendable {
        public var table: UInt32
        public var destination: IPv6Prefix?
        public var source: IPv6Prefix?
        public var metric: UInt32
    }

    public var key: Key {
        Key(table: table, destination: destination, source: source, metric: metric ?? 1_024)
    }

    public static let unicast: UInt8 = 1
    public static let blackhole: UInt8 = 6
    public static let unreachable: UInt8 = 7
    public static let prohibit: UInt8 = 8
    /// The next rule is asked.
    public static let `throw`: UInt8 = 9
    /// RTPROT_...: made by the kernel itself, and for a router advertisement.
    public static let byKernel: UInt8 = 2
    public static let byRouter: UInt8 = 9
    /// The kernel's table for routes of no table in particular.
    public static let mainTable: UInt32 = 254

    public init(
        to destination: IPv6Prefix?, from source: IPv6Prefix? = nil, via gateway: IPv6Address? = nil,
        interface: UInt32?, table: UInt32 = Route.mainTable, metric: UInt32? = nil, mtu: UInt32? = nil,
        protocol: UInt8, type: UInt8 = Route.unicast
    ) {
        self.destination = destination?.length == 0 ? nil : destination
        self.source = source?.length == 0 ? nil : source
        self.gateway = gateway
        self.interface = interface
        self.table = table
        self.metric = metric
        self.mtu = mtu
        self.protocol = `protocol`
        self.type = type
        flags = 0
    }

    init(_ flat: cnl_route) {
        self.init(
            to: flat.destination.prefix, from: flat.source.prefix,
            via: flat.has_gateway ? IPv6Address(flat.gateway) : nil, interface: flat.index == 0 ? nil : flat.index,
            table: flat.table, metric: flat.metric, mtu: flat.mtu == 0 ? nil : flat.mtu, protocol: flat.protocol,
            type: flat.type)
        flags = flat.flags
    }

    var flat: cnl_route {
        cnl_route(
            destination: cnl_prefix(destination), source: cnl_prefix(source),
            gateway: gateway?.flat ?? cnl_address(high: 0, low: 0), has_gateway: gateway != nil,
            index: interface ?? 0, table: table, metric: metric ?? 0, mtu: mtu ?? 0, flags: 0,
            protocol: `protocol`, type: type)
    }
}
