import Shim6Wire

/// Frames as the tests build them: an Ethernet header, an IPv6 header and what follows.
enum Frame {
    /// To the address that a loopback or a fresh test device takes as its own.
    static let ethernet: [UInt8] = [UInt8](repeating: 0, count: 12) + [0x86, 0xdd]

    static func ipv6(_ source: IPv6Address, _ destination: IPv6Address, next: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let length = UInt16(truncatingIfNeeded: payload.count)
        var octets = ethernet + [0x60, 0, 0, 0, UInt8(length >> 8), UInt8(length & 0xff), next, 64]
        octets += source.octets + destination.octets + payload
        return octets
    }

    /// The UDP datagram of the worked packets with the data repeated to `length` octets. Its checksum is any number:
    /// the programs must neither look at it nor change it.
    static func udp(_ length: Int = 5) -> [UInt8] {
        let total = UInt16(truncatingIfNeeded: length + 8)
        let head: [UInt8] = [0x12, 0x34, 0, 9, UInt8(total >> 8), UInt8(total & 0xff), 0x0a, 0x26]
        return head + (0..<length).map { [0x73, 0x68, 0x69, 0x6d, 0x36][$0 % 5] }
    }

    /// A payload extension header (RFC 5533, section 5.2).
    static func payloadHeader(next: UInt8, tag: UInt64) -> [UInt8] {
        let bits = tag | 1 << 47
        return [next, 0] + (0..<6).reversed().map { UInt8(truncatingIfNeeded: bits >> (8 * UInt64($0))) }
    }

    static func hex(_ text: String) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
