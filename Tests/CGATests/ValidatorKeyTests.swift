import CGA
import Testing
import Vectors

@Suite("Responder Validator key")
struct ValidatorKeyTests {
    /// Test cases of RFC 4231, section 4, cut to 20 octets.
    static let known: [(secret: String, message: String, code: String)] = [
        (
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200"
        ),
        (
            "4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
            "5bdcc146bf60754e6a042426089575c75a003f08"
        ),
        (
            String(repeating: "aa", count: 20), String(repeating: "dd", count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b"
        ),
        (
            String(repeating: "aa", count: 131),
            "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc621"
        ),
    ]

    @Test("Codes are HMAC-SHA-256 cut to 20 octets, call after call", arguments: known)
    func knownAnswers(secret: String, message: String, code: String) throws {
        let key = try ValidatorKey(secret: Hex(secret).octets)
        let message = try Hex(message).octets
        for _ in 0..<3 {
            #expect(key.code(for: message).hex == code)
            #expect(key.code(for: message + [0]).hex != code)
            #expect(key.code(for: []).count == ValidatorKey.codeLength)
        }
    }

    @Test("A code passes only as it was made, for what it was made")
    func verifies() throws {
        let key = try ValidatorKey(secret: [UInt8](repeating: 1, count: 32))
        let other = try ValidatorKey(secret: [UInt8](repeating: 2, count: 32))
        let message: [UInt8] = [1, 2, 3]
        let code = key.code(for: message)
        #expect(key.verify(code, of: message))
        #expect(key.verify(code[...], of: message))
        #expect(!key.verify(code, of: [1, 2, 4]))
        #expect(!other.verify(code, of: message))
        for index in code.indices {
            var changed = code
            changed[index] ^= 0x80
            #expect(!key.verify(changed, of: message))
            #expect(!key.verify(code.prefix(index), of: message))
        }
        #expect(!key.verify(code + [0], of: message))
    }

    @Test("An empty secret is refused")
    func refusesEmptySecret() {
        #expect(throws: CGAError.cryptography) { try ValidatorKey(secret: []) }
    }

    @Test("Equality looks at every octet and at the length")
    func comparesSecrets() {
        #expect(constantTimeEqual([], []))
        #expect(constantTimeEqual([1, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2, 4]))
        #expect(!constantTimeEqual([0, 2, 3], [1, 2, 3]))
        #expect(!constantTimeEqual([1, 2, 3], [1, 2]))
        #expect(!constantTimeEqual([], [0]))
    }
}
