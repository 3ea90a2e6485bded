/// A context tag: the 47-bit number by which the receiver of a packet finds its context (RFC 5533, section 4.1).
public struct ContextTag: Hashable, Sendable, RawRepresentable {
    /// Always below 2^47.
    public let rawValue: UInt64

    /// Nil if `rawValue` needs more than 47 bits.
    public init?(rawValue: UInt64) {
        guard rawValue < 1 << 47 else { return nil }
        self.rawValue = rawValue
    }

    /// The low 47 bits of `bits`.
    public init(truncating bits: UInt64) {
        rawValue = bits & (1 << 47 - 1)
    }
}
