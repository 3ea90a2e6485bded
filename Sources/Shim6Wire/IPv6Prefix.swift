/// The addresses whose first `length` bits are those of `address`.
public struct IPv6Prefix: Hashable, Sendable {
    /// The lowest address of the prefix: the bits after the first `length` are zero.
    public let address: IPv6Address
    /// 0 to 128 bits.
    public let length: UInt8

    /// The prefix of `length` bits that `address` is in; nil if `length` is above 128.
    public init?(_ address: IPv6Address, length: Int) {
        guard (0...128).contains(length) else { return nil }
        let mask = Self.mask(length: length)
        self.address = IPv6Address(high: address.high & mask.high, low: address.low & mask.low)
        self.length = UInt8(length)
    }

    /// Reads `2001:db8::/64`. Nil for anything else, an address with bits set after the prefix included.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv6Address(parts[0]) else { return nil }
        let digits = parts[1]
        guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            digits == "0" || digits.first != "0", let length = Int(digits)
        else { return nil }
        self.init(address, length: length)
        guard self.address == address else { return nil }
    }

    public func contains(_ candidate: IPv6Address) -> Bool {
        let mask = Self.mask(length: Int(length))
        return candidate.high & mask.high == address.high && candidate.low & mask.low == address.low
    }

    /// Whether every address of `other` is in this one.
    public func contains(_ other: IPv6Prefix) -> Bool { length <= other.length && contains(other.address) }

    private static func mask(length: Int) -> IPv6Address {
        // Swift's smart shifts give zero when every bit is shifted out.
        IPv6Address(high: UInt64.max << max(0, 64 - length), low: UInt64.max << min(64, 128 - length))
    }
}

extension IPv6Prefix: CustomStringConvertible {
    public var description: String { "\(address)/\(length)" }
}
