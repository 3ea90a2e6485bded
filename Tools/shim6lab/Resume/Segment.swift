import Lab

/// Where a TCP segment of the lab's stream stands in it. The stream's server sends, its client answers.
struct Segment {
    var isFromServer: Bool
    var clientPort: UInt16
    var sequence: UInt32
    var acknowledgement: UInt32
    /// Octets of data.
    var length: Int
    /// SYN with ACK: the server's first.
    var opens: Bool

    /// - Parameters:
    ///   - payload: what is behind the IPv6 header; the data may be cut off.
    ///   - length: what the IPv6 header states.
    init?(_ payload: ArraySlice<UInt8>, nextHeader: UInt8, length: Int) {
        let extensionHeader = 8
        var octets = Array(payload.prefix(2 * extensionHeader + 20))
        var (next, length) = (nextHeader, length)
        if next == 140, octets.count > extensionHeader, octets[2] & 0x80 != 0 {
            next = octets[0]
            octets.removeFirst(extensionHeader)
            length -= extensionHeader
        }
        guard next == 6, octets.count >= 20 else { return nil }
        func number(_ range: Range<Int>) -> UInt32 { octets[range].reduce(0) { $0 << 8 | UInt32($1) } }
        let ports = (UInt16(number(0..<2)), UInt16(number(2..<4)))
        guard (ports.0 == Stream.port) != (ports.1 == Stream.port) else { return nil }
        isFromServer = ports.0 == Stream.port
        clientPort = isFromServer ? ports.1 : ports.0
        sequence = number(4..<8)
        acknowledgement = number(8..<12)
        self.length = max(0, length - Int(octets[12] >> 4) * 4)
        opens = octets[13] & 0x12 == 0x12
    }

    init?(_ packet: CapturedPacket) {
        self.init(packet.payload[...], nextHeader: packet.nextHeader, length: packet.payloadLength)
    }
}

extension UInt32 {
    /// How far behind `other` this sequence number is.
    func distance(fromEarlier other: UInt32) -> Int { Int(Int32(bitPattern: self &- other)) }
}
