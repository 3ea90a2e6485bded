/// The numbers of protocols and extension headers, as the Next Header fields of IPv6 have them (IANA, "Assigned Internet
/// Protocol Numbers").
public enum NextHeader {
    public static let hopByHopOptions: UInt8 = 0
    public static let tcp: UInt8 = 6
    public static let udp: UInt8 = 17
    public static let routing: UInt8 = 43
    public static let fragment: UInt8 = 44
    public static let icmpv6: UInt8 = 58
    /// Nothing follows (RFC 8200, section 4.7).
    public static let none: UInt8 = 59
    public static let destinationOptions: UInt8 = 60
    public static let sctp: UInt8 = 132
    /// RFC 5533, section 17.
    public static let shim6: UInt8 = 140
    /// For experiments (RFC 4727): no protocol of anybody's.
    public static let experimental: UInt8 = 253

    /// Extension headers that stand in front of the payload extension header (RFC 5533, section 4.6). All have their
    /// length in the second octet, in units of 8 octets beyond the first 8.
    public static func standsInFrontOfShim(_ number: UInt8) -> Bool {
        number == hopByHopOptions || number == routing || number == destinationOptions
    }
}
