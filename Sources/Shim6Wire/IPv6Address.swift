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
}
