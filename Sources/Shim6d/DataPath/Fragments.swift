import Shim6Core
import Shim6Wire

/// Fragments a packet that is too big for its path once it is rehomed, though its sender may make it so big: every link
/// takes 1,280 octets, and on a path that takes no more the payload header makes them 1,288. Each fragment is rehomed (RFC
/// 5533, section 4.6), so that the peer's stack puts them together behind its shim.
enum Fragments {
    private static let ipv6 = 40
    private static let fragment: UInt8 = 44
    private static let tcp: UInt8 = 6
    private static let udp: UInt8 = 17

    /// What goes behind the IPv6 header with the locators, fragment by fragment, with the payload header; empty if the
    /// packet has headers in front of the place for it, which is not worth the trouble.
    ///
    /// - Parameter identification: of the fragments, unless the packet is a fragment already.
    static func of(_ packet: [UInt8], tag: ContextTag, identification: UInt32) -> [[UInt8]] {
        of(packet, room: PayloadHeader.length, identification).map {
            PayloadHeader(nextHeader: fragment, tag: tag).encoded + $0
        }
    }

    /// The same as packets between the ULIDs, which leave room for `room` octets of headers.
    static func plain(_ packet: [UInt8], room: Int, identification: UInt32) -> [[UInt8]] {
        of(packet, room: room, identification).map { part in
            var header = Array(packet[..<ipv6])
            header[4] = UInt8(truncatingIfNeeded: part.count >> 8)
            header[5] = UInt8(truncatingIfNeeded: part.count)
            header[6] = fragment
            return header + part
        }
    }

    /// Fragment headers and the data behind them.
    private static func of(_ packet: [UInt8], room: Int, _ identification: UInt32) -> [[UInt8]] {
        guard packet.count > ipv6 + 8, packet[6] != 0, packet[6] != 43 else { return [] }
        var header = [packet[6], 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: identification >> (24 - 8 * $0)) }
        var data = packet[ipv6...]
        if packet[6] == fragment {
            header = Array(data.prefix(8))
            data = data.dropFirst(8)
        } else {
            completeChecksum(of: &data, in: packet)
        }
        let offset = Int(header[2]) << 8 | Int(header[3] & 0xf8)
        let isLast = header[3] & 1 == 0
        // Octets of data of each fragment but the last.
        let size = (Int(PathMTUs.least) - ipv6 - room - 8) / 8 * 8
        return stride(from: 0, to: data.count, by: size).map { start in
            let part = data.dropFirst(start).prefix(size)
            let more = start + size < data.count || !isLast
            let position = offset + start
            header[2] = UInt8(truncatingIfNeeded: position >> 8)
            header[3] = UInt8(truncatingIfNeeded: position & 0xf8) | (more ? 1 : 0)
            return header + part
        }
    }

    /// The kernel may have left the transport's checksum to the device, and this is the device.
    private static func completeChecksum(of data: inout ArraySlice<UInt8>, in packet: [UInt8]) {
        let offset: Int
        switch packet[6] {
        case tcp: offset = 16
        case udp: offset = 6
        default: return
        }
        guard data.count >= offset + 2 else { return }
        let field = data.startIndex + offset
        data[field] = 0
        data[field + 1] = 0
        var sum = words(packet[8..<40]) &+ UInt64(data.count) &+ UInt64(packet[6]) &+ words(data)
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        var checksum = ~UInt16(truncatingIfNeeded: sum)
        if checksum == 0, packet[6] == udp { checksum = 0xffff }
        data[field] = UInt8(checksum >> 8)
        data[field + 1] = UInt8(truncatingIfNeeded: checksum)
    }

    /// The sum of the 16-bit words; an odd octet at the end counts as the higher half of one.
    private static func words(_ octets: ArraySlice<UInt8>) -> UInt64 {
        octets.enumerated().reduce(0) { $0 &+ UInt64($1.element) << ($1.offset % 2 == 0 ? 8 : 0) }
    }
}
