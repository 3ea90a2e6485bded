/// An option that means something in its message, with its contents unread (RFC 5533, section 5.15).
///
/// Octets 0-1 Type (15 bits) and C, 2-3 Length of the contents, 4- contents, then zeros to a multiple of 8 octets.
public struct OptionView: Sendable {
    public let type: OptionType
    /// The first octet of Type, counted from the first octet of the Shim6 header.
    public let offset: Int
    /// Without padding.
    public let contents: ArraySlice<UInt8>

    /// The error that the contents cannot have this Length.
    var lengthError: ParseError { ParseError(.optionLength, at: offset + 2) }

    /// The value of a Forked Instance Identifier option.
    /// - Throws: `optionLength`.
    public func forkedInstance() throws(ParseError) -> UInt32 {
        guard contents.count == 4 else { throw lengthError }
        return contents.bigEndian(UInt32.self, at: 0)
    }

    /// The seconds of a Keepalive Timeout option, after 16 reserved bits (RFC 5534, section 5.3). Nil for zero.
    /// - Throws: `optionLength`.
    public func keepaliveTimeout() throws(ParseError) -> UInt16? {
        // The reserved bits are not looked at: 5534-5.3-08, 5534-5.3-10.
        guard contents.count == 4 else { throw lengthError }
        let seconds = contents.bigEndian(UInt16.self, at: 2)
        return seconds == 0 ? nil : seconds
    }
}

/// The options of a message in their order, without those that mean nothing in it.
public struct OptionSequence: Sequence, IteratorProtocol, Sendable {
    private var walk: OptionWalk
    private let message: MessageType

    init(_ walk: OptionWalk, in message: MessageType) {
        self.walk = walk
        self.message = message
    }

    public mutating func next() -> OptionView? {
        while let raw = walk.next() {
            guard let type = walk.type(of: raw, in: message) else { continue }
            return OptionView(type: type, offset: raw.offset, contents: walk.octets[raw.contents])
        }
        return nil
    }
}

/// Steps from option header to option header.
struct OptionWalk: Sendable {
    struct RawOption {
        let type: UInt16
        let isCritical: Bool
        let offset: Int
        let contents: Range<Int>
    }

    let octets: [UInt8]
    /// Where the next option begins.
    private(set) var offset: Int
    /// Where the message ends: within `octets`, and a multiple of 8 octets after `offset`.
    let end: Int

    init(octets: [UInt8], offset: Int, end: Int) {
        self.octets = octets
        self.offset = offset
        self.end = end
    }

    var isAtEnd: Bool { offset >= end }

    /// The next option; nil at the end, and if the option runs past the end: then `isAtEnd` is false.
    mutating func next() -> RawOption? {
        guard end - offset >= 8 else { return nil }
        let word = octets.bigEndian(UInt16.self, at: offset)
        let length = Int(octets.bigEndian(UInt16.self, at: offset + 2))
        let next = offset + Self.total(length: length)
        guard next <= end else { return nil }
        defer { offset = next }
        return RawOption(
            type: word >> 1, isCritical: word & 1 == 1, offset: offset,
            contents: (offset + 4)..<(offset + 4 + length)
        )
    }

    /// The type of an option if it means something in a message; nil if it is to be handled as an unknown one.
    func type(of option: RawOption, in message: MessageType) -> OptionType? {
        guard let type = OptionType(rawValue: option.type), type.isDefined(in: message),
            type.admits(octets[option.contents])
        else { return nil }
        return type
    }

    /// The octets that an option with contents of `length` octets takes, header and padding included. The octets of the
    /// padding are not looked at: 5533-5.15-06.
    static func total(length: Int) -> Int { 11 + length - (length + 3) % 8 }
}
