/// An IPv6 address: 128 bits in network order, kept as two host integers.
public struct IPv6Address: Hashable, Sendable {
    /// Octets 0-7, the first octet in the top bits.
    public var high: UInt64
    /// Octets 8-15, octet 8 in the top bits.
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The address whose 16 octets these are, in network order; nil if there are not exactly 16.
    public init?(octets: some Collection<UInt8>) {
        guard octets.count == 16 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (index, octet) in octets.enumerated() {
            if index < 8 {
                high = high << 8 | UInt64(octet)
            } else {
                low = low << 8 | UInt64(octet)
            }
        }
        self.init(high: high, low: low)
    }

    /// The 16 octets in network order.
    public var octets: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            for index in 0..<8 {
                buffer.initializeElement(at: index, to: UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * index)))
                buffer.initializeElement(at: index + 8, to: UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * index)))
            }
            count = 16
        }
    }

    /// Whether this is in ff00::/8 (RFC 4291, section 2.7).
    public var isMulticast: Bool { high >> 56 == 0xff }
    /// Whether this is `::`.
    public var isUnspecified: Bool { high == 0 && low == 0 }
    /// Whether this is `::1`.
    public var isLoopback: Bool { high == 0 && low == 1 }
    /// Whether this is in fe80::/10 (RFC 4291, section 2.5.6).
    public var isLinkLocal: Bool { high >> 54 == 0xfe80 >> 6 }
}

extension IPv6Address: Comparable {
    /// The order of the addresses as 128-bit numbers.
    public static func < (left: IPv6Address, right: IPv6Address) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}
