/// The one's complement of the one's complement sum of 16-bit words (RFC 1071).
public struct InternetChecksum: Sendable {
    /// Of fewer than 2^47 octets it cannot overflow.
    private var sum: UInt64 = 0

    public init() {}

    /// Adds octets. Only the last ones to be added may be an odd number; a zero is thought behind them.
    public mutating func add(_ octets: ArraySlice<UInt8>) {
        var (upper, lower): (UInt64, UInt64) = (0, 0)
        octets.withUnsafeBufferPointer { octets in
            for word in 0..<octets.count / 2 {
                upper &+= UInt64(octets[2 * word])
                lower &+= UInt64(octets[2 * word + 1])
            }
            if octets.count % 2 == 1 { upper &+= UInt64(octets[octets.count - 1]) }
        }
        sum &+= upper << 8 &+ lower
    }

    /// Adds what the pseudo-header of TCP, UDP and ICMPv6 has (RFC 8200, section 8.1).
    public mutating func addPseudoHeader(_ header: IPv6Header, length: Int, protocol number: UInt8) {
        for half in [header.source.high, header.source.low, header.destination.high, header.destination.low] {
            for shift in [48, 32, 16, 0] as [UInt64] { sum &+= half >> shift & 0xffff }
        }
        sum &+= UInt64(length) &+ UInt64(number)
    }

    /// What belongs into a checksum field that was zero while the octets were added; zero if the field was right.
    public var value: UInt16 {
        var sum = sum
        while sum > 0xffff { sum = sum & 0xffff &+ sum >> 16 }
        return ~UInt16(truncatingIfNeeded: sum)
    }

    /// The checksum over the first `count` octets. Control messages have no pseudo-header (RFC 5533, section 5.3).
    static func over(_ octets: [UInt8], count: Int) -> UInt16 {
        var checksum = InternetChecksum()
        checksum.add(octets[..<min(count, octets.count)])
        return checksum.value
    }
}
