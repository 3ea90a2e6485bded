import CNetlink
import Shim6Wire

/// An XFRM state in route optimisation mode: puts a locator in the place of a ULID on the way out, and the ULID back on
/// the way in (RFC 6275, sections 6.3 and 6.4).
public struct RehomingState: Hashable, Sendable {
    /// Which address is replaced, by the extension header that keeps the ULID.
    public enum Header: UInt8, Hashable, Sendable {
        /// The destination; a type 2 routing header.
        case routing = 43
        /// The source; a Home Address option.
        case destinationOptions = 60
    }

    /// Of the packets as the sockets see them. The unspecified address, inbound, for any.
    public var source: IPv6Address
    public var destination: IPv6Address
    public var header: Header
    /// The locator; inbound the unspecified address for any.
    public var careOf: IPv6Address
    /// The mark by which it is found again.
    public var request: UInt32
    /// Whether it takes packets with any source.
    public var isWildcard: Bool
    /// Packets that used it.
    public internal(set) var packets: UInt64 = 0

    public init(
        source: IPv6Address, destination: IPv6Address, header: Header, careOf: IPv6Address, request: UInt32,
        isWildcard: Bool = false
    ) {
        self.source = source
        self.destination = destination
        self.header = header
        self.careOf = careOf
        self.request = request
        self.isWildcard = isWildcard
    }

    /// Nil if it is for neither header.
    init?(_ flat: cnl_state) {
        guard let header = Header(rawValue: flat.protocol) else { return nil }
        self.init(
            source: IPv6Address(flat.source), destination: IPv6Address(flat.destination), header: header,
            careOf: IPv6Address(flat.care_of), request: flat.request, isWildcard: flat.wildcard)
        packets = flat.packets
    }

    var flat: cnl_state {
        cnl_state(
            source: source.flat, destination: destination.flat, care_of: careOf.flat, request: request,
            protocol: header.rawValue, wildcard: isWildcard, packets: 0, octets: 0, added: 0, used: 0)
    }
}

/// An XFRM policy of the sub type that lets what it selects pass, through states in route optimisation mode if it has
/// templates.
public struct RehomingPolicy: Hashable, Sendable {
    public enum Direction: UInt8, Hashable, Sendable {
        case incoming = 0
        case outgoing = 1
    }

    /// What asks for a state.
    public struct Template: Hashable, Sendable {
        public var source: IPv6Address
        public var destination: IPv6Address
        public var header: RehomingState.Header
        public var request: UInt32
        /// Packets without a state pass as they are; outgoing ones are told as `XFRMEvent.acquire`.
        public var isOptional: Bool

        public init(
            source: IPv6Address, destination: IPv6Address, header: RehomingState.Header, request: UInt32,
            isOptional: Bool = false
        ) {
            self.source = source
            self.destination = destination
            self.header = header
            self.request = request
            self.isOptional = isOptional
        }

        fileprivate var flat: cnl_template {
            cnl_template(
                source: source.flat, destination: destination.flat, request: request, protocol: header.rawValue,
                optional: isOptional)
        }
    }

    /// Nil for any.
    public var source: IPv6Prefix?
    public var destination: IPv6Prefix?
    public var direction: Direction
    /// The lowest that matches is used. Also the mark by which it is found again.
    public var priority: UInt32
    /// 0 for any.
    public var nextHeader: UInt8 = 0
    /// With next header 58; 0 for any.
    public var icmpType: UInt8 = 0
    /// At most two. Outgoing the routing header comes first, incoming the destination options.
    public var templates: [Template] = []

    public init(source: IPv6Prefix?, destination: IPv6Prefix?, direction: Direction, priority: UInt32) {
        self.source = source
        self.destination = destination
        self.direction = direction
        self.priority = priority
    }

    var flat: cnl_rehoming_policy {
        var flat = cnl_rehoming_policy()
        flat.source = cnl_prefix(source)
        flat.destination = cnl_prefix(destination)
        flat.priority = priority
        flat.direction = direction.rawValue
        flat.next_header = nextHeader
        flat.icmp_type = icmpType
        flat.template_count = UInt8(min(templates.count, 2))
        if let first = templates.first { flat.templates.0 = first.flat }
        if templates.count > 1 { flat.templates.1 = templates[1].flat }
        return flat
    }
}
