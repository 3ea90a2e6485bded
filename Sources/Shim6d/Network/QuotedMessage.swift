import Netlink
import Shim6Wire

/// The Shim6 message that an ICMPv6 Parameter Problem quotes (RFC 5533, section 8).
struct QuotedMessage {
    /// Begins at the Shim6 header and may be cut short.
    var octets: [UInt8]
    var source: IPv6Address
    var destination: IPv6Address

    private static let parameterProblem: UInt8 = 4
    private static let icmpHeader = 8
    private static let ipv6Header = 40
    private static let shim6: UInt8 = 140

    /// Nil unless it is a Parameter Problem about an unknown next header, quoting a packet that carries Shim6 right
    /// behind the IPv6 header, as all that this daemon sends do.
    init?(_ packet: RawPacket) {
        let octets = packet.octets
        guard octets.count > Self.icmpHeader + Self.ipv6Header, octets[0] == Self.parameterProblem, octets[1] == 1,
            octets[Self.icmpHeader] >> 4 == 6, octets[Self.icmpHeader + 6] == Self.shim6,
            let source = IPv6Address(octets: octets[16..<32]), let destination = IPv6Address(octets: octets[32..<48])
        else { return nil }
        self.octets = Array(octets[(Self.icmpHeader + Self.ipv6Header)...])
        self.source = source
        self.destination = destination
    }
}
