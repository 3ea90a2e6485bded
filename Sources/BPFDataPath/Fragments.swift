import Shim6Core
import Shim6Wire

/// Fragments a packet that is too big for its path once it is rehomed, though its sender may make it so big: every link
/// takes 1,280 octets, and on a path that takes no more the payload header makes them 1,288. Each fragment is rehomed (RFC
/// 5533, section 4.6), so that the peer's stack puts them together behind its shim.
enum Fragments {
    /// What goes behind the IPv6 header with the locators, fragment by fragment, with the payload header; empty if the
    /// packet has headers in front of the place for it, which is not worth the trouble.
    ///
    /// - Parameter identification: of the fragments, unless the packet is a fragment already.
    static func of(_ packet: [UInt8], tag: ContextTag, identification: UInt32) -> [[UInt8]] {
        of(packet, room: PayloadHeader.length, identification).map {
            PayloadHeader(nextHeader: NextHeader.fragment, tag: tag).encoded + $0
        }
    }

    /// The same as packets between the ULIDs, which leave room for `room` octets of headers.
    static func plain(_ packet: [UInt8], room: Int, identification: UInt32) -> [[UInt8]] {
        guard var header = IPv6Header(packet[...]) else { return [] }
        let parts = of(packet, room: room, identification)
        header.nextHeader = NextHeader.fragment
        return parts.map { IPv6Packet(header: header, payload: $0).encoded }
    }

    /// Fragment headers and the data behind them.
    private static func of(_ octets: [UInt8], room: Int, _ identification: UInt32) -> [[UInt8]] {
        guard var packet = IPv6Packet(octets), packet.payload.count > FragmentHeader.length else { return [] }
        var header = FragmentHeader(nextHeader: packet.header.nextHeader, identification: identification)
        var start = 0
        switch packet.header.nextHeader {
        case NextHeader.hopByHopOptions, NextHeader.routing: return []
        case NextHeader.fragment:
            guard let own = FragmentHeader(packet.payload[...]) else { return [] }
            (header, start) = (own, FragmentHeader.length)
        default:
            // The kernel may have left the transport's checksum to the device, and this is the device.
            packet.completeChecksum(of: packet.header.nextHeader)
        }
        let whole = header
        let data = packet.payload[start...]
        // Octets of data of each fragment but the last.
        let size = (IPv6Header.leastMTU - IPv6Header.length - room - FragmentHeader.length) / 8 * 8
        return stride(from: 0, to: data.count, by: size).map { position in
            header.offset = whole.offset + position
            header.hasMore = whole.hasMore || position + size < data.count
            return header.encoded + data.dropFirst(position).prefix(size)
        }
    }
}
