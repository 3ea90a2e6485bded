import Shim6Wire

/// The Shim6 message that an ICMPv6 Parameter Problem quotes (RFC 5533, section 8).
struct QuotedMessage {
    /// Begins at the Shim6 header and may be cut short.
    var octets: [UInt8]
    var locators: LocatorPair

    /// Nil unless it is a Parameter Problem about an unknown next header, quoting a packet that carries Shim6 right
    /// behind the IPv6 header, as all that this daemon sends do.
    init?(_ error: ICMPv6Error) {
        guard error.isUnknownNextHeader, let packet = IPv6Packet(error.quote),
            packet.header.nextHeader == NextHeader.shim6, !packet.payload.isEmpty
        else { return nil }
        octets = packet.payload
        locators = packet.header.addresses
    }
}
