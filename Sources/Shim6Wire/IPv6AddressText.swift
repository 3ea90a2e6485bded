extension IPv6Address {
    /// The address that `text` writes in a form of RFC 4291, section 2.2: groups of hexadecimal digits, at most one
    /// `::`, and possibly a dotted IPv4 address at the end. Nil for anything else, zone identifiers included.
    public init?(_ text: some StringProtocol) {
        var parser = IPv6TextParser(text: Array(text.utf8))
        guard let address = parser.address() else { return nil }
        self = address
    }

    /// Group `index` of eight, from the left.
    fileprivate func group(_ index: Int) -> UInt16 {
        let half = index < 4 ? high : low
        return UInt16(truncatingIfNeeded: half >> UInt64(48 - 16 * (index % 4)))
    }

    fileprivate init(groups: [UInt16]) {
        self.init(
            high: groups.prefix(4).reduce(0) { $0 << 16 | UInt64($1) },
            low: groups.dropFirst(4).reduce(0) { $0 << 16 | UInt64($1) }
        )
    }
}

extension IPv6Address: CustomStringConvertible {
    /// The canonical text of RFC 5952; IPv4-mapped addresses end in dotted form (its section 5).
    public var description: String {
        if high == 0 && low >> 32 == 0xffff {
            let octets = (0..<4).map { String(low >> UInt64(24 - 8 * $0) & 0xff) }
            return "::ffff:" + octets.joined(separator: ".")
        }
        let zeros = longestZeroRun
        let left = (0..<zeros.lowerBound).map(hexadecimalGroup).joined(separator: ":")
        guard !zeros.isEmpty else { return left }
        return left + "::" + (zeros.upperBound..<8).map(hexadecimalGroup).joined(separator: ":")
    }

    private func hexadecimalGroup(_ index: Int) -> String { String(group(index), radix: 16) }

    /// The groups that `::` stands for: the first of the longest runs of at least two zero groups, else `8..<8`.
    private var longestZeroRun: Range<Int> {
        var longest = 8..<8
        var start = 0
        for index in 0..<8 {
            if group(index) != 0 {
                start = index + 1
            } else if index + 1 - start > max(longest.count, 1) {
                longest = start..<(index + 1)
            }
        }
        return longest
    }
}

/// Reads the text of one address, left to right.
private struct IPv6TextParser {
    let text: [UInt8]
    private var position = 0
    private var groups: [UInt16] = []
    /// How many groups stand left of `::`.
    private var gap: Int?

    init(text: [UInt8]) {
        self.text = text
    }

    mutating func address() -> IPv6Address? {
        if skip(colons: 2) { gap = 0 }
        while position < text.count {
            guard groups.count < 8, readGroup() else { return nil }
            if position == text.count { break }
            if skip(colons: 2) {
                guard gap == nil else { return nil }
                gap = groups.count
            } else {
                guard skip(colons: 1), position < text.count else { return nil }
            }
        }
        guard let gap else { return groups.count == 8 ? IPv6Address(groups: groups) : nil }
        guard groups.count < 8 else { return nil }
        groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        return IPv6Address(groups: groups)
    }

    private mutating func skip(colons count: Int) -> Bool {
        let found = text[position...].prefix(count).count { $0 == UInt8(ascii: ":") }
        guard found == count else { return false }
        position += count
        return true
    }

    /// Reads one to four hexadecimal digits, or the dotted IPv4 address that ends the text (two groups).
    private mutating func readGroup() -> Bool {
        let rest = text[position...]
        if rest.contains(UInt8(ascii: ".")), !rest.contains(UInt8(ascii: ":")) { return readIPv4() }
        var value: UInt16 = 0
        var digits = 0
        while position < text.count, let digit = hexadecimalDigit(text[position]) {
            guard digits < 4 else { return false }
            value = value << 4 | UInt16(digit)
            digits += 1
            position += 1
        }
        groups.append(value)
        return digits > 0
    }

    private mutating func readIPv4() -> Bool {
        let parts = text[position...].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4, groups.count <= 6 else { return false }
        var value: UInt32 = 0
        for part in parts {
            let isCanonical = part.count == 1 || ((2...3).contains(part.count) && part.first != UInt8(ascii: "0"))
            guard isCanonical, part.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
            let octet = part.reduce(0 as UInt32) { $0 * 10 + UInt32($1 - 0x30) }
            guard octet <= 255 else { return false }
            value = value << 8 | octet
        }
        groups.append(UInt16(truncatingIfNeeded: value >> 16))
        groups.append(UInt16(truncatingIfNeeded: value))
        position = text.count
        return true
    }

    private func hexadecimalDigit(_ octet: UInt8) -> UInt8? {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): octet - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): octet - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
