/// Walks the elements of a DER encoding without ever leaving the given range. It knows definite lengths in their
/// shortest form, which is all that DER allows.
struct DERReader {
    enum Tag: UInt8 {
        case integer = 0x02
        case bitString = 0x03
        case sequence = 0x30
    }

    private let octets: [UInt8]
    private(set) var position: Int
    private let end: Int

    init(_ octets: [UInt8], in range: Range<Int>) {
        let range = range.clamped(to: octets.indices)
        self.octets = octets
        position = range.lowerBound
        end = range.upperBound
    }

    var isAtEnd: Bool { position == end }

    /// Steps over one element with this tag and returns where its contents are. Throws `malformedPublicKey`.
    mutating func element(_ tag: Tag) throws(CGAError) -> Range<Int> {
        guard try nextOctet() == tag.rawValue else { throw .malformedPublicKey }
        let length = try length()
        guard length <= end - position else { throw .malformedPublicKey }
        defer { position += length }
        return position..<position + length
    }

    /// Steps over an INTEGER and returns where its magnitude is, without the octet that only carries the sign.
    /// Refuses negative and padded numbers.
    mutating func magnitude() throws(CGAError) -> Range<Int> {
        let contents = try element(.integer)
        guard let first = contents.first, octets[first] < 0x80 else { throw .malformedPublicKey }
        guard octets[first] == 0, contents.count > 1 else { return contents }
        guard octets[first + 1] >= 0x80 else { throw .malformedPublicKey }
        return contents.dropFirst()
    }

    mutating func nextOctet() throws(CGAError) -> UInt8 {
        guard position < end else { throw .malformedPublicKey }
        defer { position += 1 }
        return octets[position]
    }

    private mutating func length() throws(CGAError) -> Int {
        let first = try nextOctet()
        guard first >= 0x80 else { return Int(first) }
        // Three length octets reach 16 MiB, beyond any message or file that is read here.
        let count = first & 0x7f
        guard (1...3).contains(count) else { throw .malformedPublicKey }
        var length = 0
        for _ in 0..<count {
            length = length << 8 | Int(try nextOctet())
        }
        let shortest = length < 0x80 ? 0 : length < 0x100 ? 1 : length < 0x1_0000 ? 2 : 3
        guard count == shortest else { throw .malformedPublicKey }
        return length
    }
}
