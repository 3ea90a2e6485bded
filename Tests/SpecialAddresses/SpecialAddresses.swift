import Shim6Wire

/// Blocks of the registry of special IPv6 addresses (RFC 6890, section 2.2.3), others that are special by themselves, and
/// what is next to each; typed from the RFCs and not from the code.
public enum SpecialAddresses {
    public struct Block: Sendable, CustomStringConvertible {
        /// The first and the last address.
        public var ends: [IPv6Address]
        public var canBeLocator: Bool
        public var description: String

        init(_ name: String, _ first: String, _ last: String, _ canBeLocator: Bool) {
            ends = [first, last].compactMap(IPv6Address.init)
            precondition(ends.count == 2, "no addresses: \(first) \(last)")
            self.canBeLocator = canBeLocator
            description = "\(name), \(first) to \(last)"
        }
    }

    private static let ones = "ffff:ffff:ffff:ffff"

    public static let blocks = [
        Block("unspecified and loopback", "::", "::1", false),
        Block("IPv4-mapped", "::ffff:0:0", "::ffff:ffff:ffff", false),
        Block("IPv4-compatible", "::1:0", "::ffff:ffff", false),
        Block("IPv4-IPv6 translation", "64:ff9b::", "64:ff9b::ffff:ffff", false),
        Block("local translation", "64:ff9b:1::", "64:ff9b:1:ffff:\(ones)", false),
        Block("the end of ::/8", "ff:ffff::", "ff:ffff:ffff:ffff:\(ones)", false),
        Block("discard", "100::", "100::\(ones)", false),
        Block("behind discard", "100:0:0:1::", "1ff:ffff:ffff:ffff:\(ones)", true),
        Block("before global unicast", "1fff::", "1fff:ffff:ffff:ffff:\(ones)", true),
        Block("first of global unicast", "2000::", "2000:ffff:ffff:ffff:\(ones)", true),
        Block("Teredo", "2001::", "2001:0:ffff:ffff:\(ones)", true),
        Block("protocol assignments", "2001:1::", "2001:1:ffff:ffff:\(ones)", false),
        Block("benchmarks", "2001:2::", "2001:2:0:ffff:\(ones)", true),
        Block("behind benchmarks", "2001:2:1::", "2001:2:ffff:ffff:\(ones)", false),
        Block("ORCHID", "2001:10::", "2001:1f:ffff:ffff:\(ones)", false),
        Block("ORCHIDv2", "2001:20::", "2001:2f:ffff:ffff:\(ones)", false),
        Block("the end of protocol assignments", "2001:1ff::", "2001:1ff:ffff:ffff:\(ones)", false),
        Block("behind protocol assignments", "2001:200::", "2001:200:ffff:ffff:\(ones)", true),
        Block("documentation", "2001:db8::", "2001:db8:ffff:ffff:\(ones)", true),
        Block("6to4", "2002::", "2002:ffff:ffff:ffff:\(ones)", true),
        Block("the end of global unicast", "3fff::", "3fff:ffff:ffff:ffff:\(ones)", true),
        Block("unique local", "fc00::", "fdff:ffff:ffff:ffff:\(ones)", true),
        Block("before link-local", "fe00::", "fe7f:ffff:ffff:ffff:\(ones)", true),
        Block("link-local", "fe80::", "febf:ffff:ffff:ffff:\(ones)", false),
        Block("site-local", "fec0::", "feff:ffff:ffff:ffff:\(ones)", false),
        Block("multicast", "ff00::", "ffff:ffff:ffff:ffff:\(ones)", false),
    ]
}
