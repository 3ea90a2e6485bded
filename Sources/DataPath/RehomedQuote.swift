import Shim6Core
import Shim6Wire

/// A packet rehomed as the `xfrm` data path does it, as an ICMPv6 error quotes it: IPv6 header, type 2 routing header,
/// Destination Options header with nothing but a Home Address option, and the rest. The kernel finds no socket by the locators in it.
package struct RehomedQuote {
    private let packet: IPv6Packet
    private let headers: HomeAddressHeaders

    package init?(_ octets: [UInt8]) {
        guard let packet = IPv6Packet(octets), packet.header.nextHeader == NextHeader.routing,
            let headers = HomeAddressHeaders(packet.payload[...])
        else { return nil }
        self.packet = packet
        self.headers = headers
    }

    /// The source locator.
    package var source: IPv6Address { packet.header.source }

    /// The peer's ULID is in the routing header, or the destination if the error came from the peer itself.
    package var possibleULIDs: [ULIDPair] {
        [headers.routed, packet.header.destination].map { ULIDPair(local: headers.home, peer: $0) }
    }

    /// The error as it would be without the shim: about the packet as the socket sent it, with an MTU that leaves room
    /// for the headers.
    ///
    /// - Returns: nil if it says of a path that it carries less than every link does.
    package func message(for ulids: ULIDPair, _ error: ICMPv6Error) -> LocalMessage? {
        var error = error
        if error.type == .packetTooBig {
            guard error.word >= UInt32(IPv6Header.leastMTU) else { return nil }
            error.word = max(error.word - UInt32(HomeAddressHeaders.length), UInt32(IPv6Header.leastMTU))
        }
        var header = packet.header
        (header.classAndLabel, header.nextHeader) = (0, headers.nextHeader)
        (header.source, header.destination) = (ulids.local, ulids.peer)
        header.payloadLength -= min(header.payloadLength, UInt16(HomeAddressHeaders.length))
        error.quote = header.encoded + packet.payload[HomeAddressHeaders.length...]
        return LocalMessage(error: error, ulid: ulids.local)
    }

    /// The same for the `xfrm` data path. Packet Too Big: about a packet between the locators, so that the kernel lowers
    /// the MTU of their route, which that of rehomed packets follows.
    package func message(for entry: DataPathEntry, _ error: ICMPv6Error) -> LocalMessage? {
        guard error.type == .packetTooBig else { return message(for: entry.ulids, error) }
        guard error.word >= UInt32(IPv6Header.leastMTU) else { return nil }
        var header = packet.header
        (header.classAndLabel, header.nextHeader) = (0, NextHeader.experimental)
        (header.source, header.destination) = (entry.outgoing.source, entry.outgoing.destination)
        let about = IPv6Packet(header: header, payload: [UInt8](repeating: 0, count: 8))
        return LocalMessage(
            error: ICMPv6Error(error.type, code: error.code, word: error.word, quote: about.encoded),
            ulid: entry.ulids.local)
    }
}
