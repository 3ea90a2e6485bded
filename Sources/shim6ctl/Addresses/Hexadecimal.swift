/// Octets written with two hexadecimal digits each.
struct Hexadecimal {
    let octets: [UInt8]

    init(_ octets: some Sequence<UInt8>) { self.octets = Array(octets) }

    /// Reads digits, with white space anywhere; nil for anything else, and for an odd number of digits.
    init?(text: some Sequence<UInt8>) {
        var octets: [UInt8] = []
        var half: UInt8?
        for character in text {
            let digit: UInt8
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = character - UInt8(ascii: "A") + 10
            case UInt8(ascii: " "), 0x09...0x0d: continue
            default: return nil
            }
            if let first = half {
                octets.append(first << 4 | digit)
                half = nil
            } else {
                half = digit
            }
        }
        guard half == nil, !octets.isEmpty else { return nil }
        self.octets = octets
    }

    var text: String {
        octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
