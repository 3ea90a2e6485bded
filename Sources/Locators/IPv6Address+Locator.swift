import Shim6Wire

extension IPv6Address {
    /// Whether this may be a locator or a ULID: a unicast address that names one host and that packets reach from
    /// beyond its link. The kernel program asks the same (`is_global_unicast` in `bpf/classify.h`).
    ///
    /// Locators are global or unique local unicast addresses (RFC 5534, section 3.1). The registry of special addresses
    /// (RFC 6890) says which those are: an address has to be good as source and as destination, and has to be forwarded.
    /// Decided beyond that:
    /// * Nothing in ::/8: what the registry has there are the unspecified and the loopback address and images of IPv4
    ///   addresses. Those of RFC 6052 are forwarded, but by translators that do not pass Shim6.
    /// * Not the discard prefix 100::/64 (RFC 6666): nothing comes back from there.
    /// * Documentation prefixes may be: laboratories use them, and routers drop them where they must not be.
    public var canBeLocator: Bool {
        switch high >> 32 {
        case 0x0000_0000...0x00ff_ffff: false  // ::/8
        case 0x0100_0000: high != 0x0100_0000_0000_0000  // 100::/64, RFC 6666
        case 0x2001_0000: true  // 2001::/32, Teredo (RFC 4380)
        case 0x2001_0002: high >> 16 & 0xffff == 0  // 2001:2::/48, benchmarks (RFC 5180)
        case 0x2001_0001...0x2001_01ff: false  // the rest of 2001::/23: protocol assignments, ORCHIDs
        case 0xfe80_0000...0xfebf_ffff: false  // fe80::/10, link-local
        case 0xfec0_0000...0xfeff_ffff: false  // fec0::/10, site-local (RFC 3879)
        case 0xff00_0000...0xffff_ffff: false  // multicast
        default: true
        }
    }

    /// Whether this is in fc00::/7 (RFC 4193).
    public var isUniqueLocal: Bool { high >> 57 == 0xfc00 >> 9 }
}
