import CGA
import Testing
import Vectors

@Suite("Responder Validator key")
struct ValidatorKeyTests {
    /// From the reference implementation: key 00 01 ... 0f, input 00 01 ... of this many octets.
    @Test(
        "Codes are SipHash-2-4 of 128 bits, call after call",
        arguments: [
            (0, "a3817f04ba25a8e66df67214c7550293"), (8, "3b62a9ba6258f5610f83e264f31497b4"),
            (16, "6ee2a4ca67b054bbfd3315bf85230577"),
        ])
    func knownAnswers(length: UInt8, code: String) throws {
        let key = try ValidatorKey(secret: Array(0..<16))
        let message = Array(0..<length)
        for _ in 0..<3 {
            #expect(try key.code(for: message).hex == code)
            #expect(try key.code(for: message + [0]).hex != code)
        }
    }

    @Test("A code passes only as it was made, for what it was made")
    func verifies() throws {
        let key = try ValidatorKey(secret: [UInt8](repeating: 1, count: 16))
        let other = try ValidatorKey(secret: [UInt8](repeating: 2, count: 16))
        let message: [UInt8] = [1, 2, 3]
        let code = try key.code(for: message)
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

    @Test("A secret of another length is refused", arguments: [0, 15, 17, 32])
    func refusesOtherLengths(length: Int) {
        #expect(throws: CGAError.cryptography) { try ValidatorKey(secret: [UInt8](repeating: 1, count: length)) }
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
