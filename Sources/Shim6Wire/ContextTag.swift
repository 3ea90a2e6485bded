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

extension ContextTag: CustomStringConvertible {
    /// Twelve hexadecimal digits.
    public var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 12 - digits.count) + digits
    }

    /// Reads one to twelve hexadecimal digits; nil for anything else, and for a value of more than 47 bits.
    public init?(_ text: some StringProtocol) {
        guard (1...12).contains(text.utf8.count), text.utf8.first != UInt8(ascii: "+"),
            let rawValue = UInt64(text, radix: 16)
        else { return nil }
        self.init(rawValue: rawValue)
    }
}
