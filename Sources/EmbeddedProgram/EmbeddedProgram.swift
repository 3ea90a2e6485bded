/// The kernel program of the `bpf` data path, as the loader wants it.
public enum EmbeddedProgram {
    /// The octets of the ELF object file.
    public static func object() -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(programObject.utf8.count / 4 * 3)
        var bits: UInt32 = 0
        var count = 0
        for character in programObject.utf8 {
            guard let value = sextet(character) else { break }
            bits = bits << 6 | value
            count += 1
            guard count % 4 != 0 else {
                octets += [
                    UInt8(truncatingIfNeeded: bits >> 16), UInt8(truncatingIfNeeded: bits >> 8),
                    UInt8(truncatingIfNeeded: bits),
                ]
                continue
            }
        }
        switch count % 4 {
        case 2: octets.append(UInt8(truncatingIfNeeded: bits >> 4))
        case 3: octets += [UInt8(truncatingIfNeeded: bits >> 10), UInt8(truncatingIfNeeded: bits >> 2)]
        default: break
        }
        return octets
    }

    /// Six bits of a base64 character; nil for the padding.
    private static func sextet(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
