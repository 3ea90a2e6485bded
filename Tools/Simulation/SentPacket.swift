import Shim6Wire

/// A packet as it left a host of a scripted run.
public struct SentPacket: Sendable {
    public enum Content: Sendable {
        /// A control message in its octets.
        case control([UInt8])
        case payload(flow: Int, hasTag: Bool)
        case parameterProblem
    }

    public var seconds: Double
    /// The sender.
    public var host: Int
    public var source: IPv6Address
    public var destination: IPv6Address
    /// Nil if an address belonged to no link.
    public var path: Network.Path?
    public var content: Content
    public var isLost: Bool
}

/// A control message that somebody makes.
public struct ForgedMessage: Sendable {
    public var octets: [UInt8]
    public var source: IPv6Address
    public var destination: IPv6Address

    public init(octets: [UInt8], source: IPv6Address, destination: IPv6Address) {
        self.octets = octets
        self.source = source
        self.destination = destination
    }
}
