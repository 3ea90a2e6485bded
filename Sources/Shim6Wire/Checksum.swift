/// The checksum of control messages: the one's complement of the one's complement sum of all 16-bit words of the
/// message, without a pseudo-header (RFC 5533, section 5.3).
enum Checksum {
    /// The checksum over the first `count` octets, an even number. Zero for a message with a right checksum field;
    /// what belongs into the field if that is zero.
    static func over(_ octets: [UInt8], count: Int) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: count, by: 2) {
            // At most 1,024 words of 16 bits: no overflow.
            sum &+= UInt32(octets[index]) << 8 | UInt32(octets[index + 1])
        }
        while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
        return ~UInt16(truncatingIfNeeded: sum)
    }
}
