/// The checksum of control messages: the one's complement of the one's complement sum of all 16-bit words of the
/// message, without a pseudo-header (RFC 5533, section 5.3).
enum Checksum {
    /// The checksum over the first `count` octets, an even number. Zero for a message with a right checksum field;
    /// what belongs into the field if that is zero.
    static func over(_ octets: [UInt8], count: Int) -> UInt16 {
        // Of at most 2,048 octets neither sum overflows.
        var (upper, lower): (UInt32, UInt32) = (0, 0)
        octets.withUnsafeBufferPointer { octets in
            for word in 0..<min(count, octets.count) / 2 {
                upper &+= UInt32(octets[2 * word])
                lower &+= UInt32(octets[2 * word + 1])
            }
        }
        var sum = upper << 8 &+ lower
        while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
        return ~UInt16(truncatingIfNeeded: sum)
    }
}
