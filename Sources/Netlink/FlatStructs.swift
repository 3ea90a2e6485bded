import CNetlink
import Shim6Wire

// Between the flat C structs and Swift's values.

extension IPv6Address {
    init(_ flat: cnl_address) {
        self.init(high: flat.high, low: flat.low)
    }

    var flat: cnl_address { cnl_address(high: high, low: low) }
}

extension cnl_prefix {
    /// Nil stands for every address.
    init(_ prefix: IPv6Prefix?) {
        self.init(address: prefix?.address.flat ?? cnl_address(high: 0, low: 0), length: prefix?.length ?? 0)
    }

    var prefix: IPv6Prefix? {
        length == 0 ? nil : IPv6Prefix(IPv6Address(address), length: Int(length))
    }
}

/// A C array of characters as Swift imports it.
typealias FlatName = (
    CChar, CChar, CChar, CChar, CChar, CChar, CChar, CChar, CChar, CChar, CChar, CChar, CChar, CChar, CChar, CChar
)

func string(_ name: FlatName) -> String {
    withUnsafeBytes(of: name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

/// A name of more than 15 octets has no final zero then, and is refused.
func flatName(_ name: String) -> FlatName {
    var flat: FlatName = (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    withUnsafeMutableBytes(of: &flat) { $0.copyBytes(from: name.utf8.prefix(16)) }
    return flat
}
