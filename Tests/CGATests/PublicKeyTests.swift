import Requirements
import Testing

@testable import CGA

@Suite("Public keys")
struct PublicKeyTests {
    private func key(
        bits: Int = 1024, exponent: [UInt8] = [1, 0, 1], lastOctet: UInt8 = 0xff
    ) -> [UInt8] {
        var modulus = [UInt8](repeating: 0xab, count: (bits + 7) / 8)
        let top = (bits - 1) % 8
        modulus[0] = modulus[0] & (1 << top - 1) | 1 << top
        modulus[modulus.count - 1] = lastOctet
        return RSAPublicKeyFields.subjectPublicKeyInfo(modulus: modulus, exponent: exponent)
    }

    @Test("Keys of the vectors are read", .requirement("3972-3-05", "3972-3-07", "3972-3-08"))
    func readsKeys() throws {
        for fixture in CGAVectors.all.keys {
            let key = try PublicKey(subjectPublicKeyInfo: fixture.spki_hex.octets)
            #expect(key.bits == fixture.bits)
        }
    }

    @Test("The length of the modulus is bounded", .requirement("5533-16-02", "3972-5-17"))
    func boundsModulus() throws {
        for bits in [1024, 1025, 2048, 4095, 4096] {
            #expect(try PublicKey(subjectPublicKeyInfo: key(bits: bits)).bits == bits)
        }
        for bits in [1, 8, 384, 1023] {
            #expect(throws: CGAError.keyTooShort) { try PublicKey(subjectPublicKeyInfo: key(bits: bits)) }
        }
        for bits in [4097, 8192, 16384, 65536] {
            #expect(throws: CGAError.keyTooLong) { try PublicKey(subjectPublicKeyInfo: key(bits: bits)) }
        }
        #expect(throws: CGAError.keyTooShort) { try PublicKey(subjectPublicKeyInfo: key(), bits: 2048...4096) }
        #expect(throws: CGAError.keyTooLong) { try PublicKey(subjectPublicKeyInfo: key(bits: 2048), bits: 1024...1024) }
    }

    @Test("The length of the key is judged before the signature is looked at", .requirement("5533-16-02"))
    func judgesKeyFirst() throws {
        let made = try CGAGenerator(publicKey: key(bits: 16384), sec: 0, modifier: 0).address(in: 0x2001_0db8_0000_0000)
        var verifier = LocatorListVerifier()
        #expect(throws: CGAError.keyTooLong) {
            try verifier.verify(
                ulid: made.address, parameters: made.parameters.octets, generation: 0, locators: [], signature: [])
        }
    }

    @Test("Exponents that are unsafe or slow are refused")
    func boundsExponent() throws {
        for exponent: [UInt8] in [[3], [17], [1, 0, 1], [0xff, 0xff, 0xff, 0xff]] {
            _ = try PublicKey(subjectPublicKeyInfo: key(exponent: exponent))
        }
        let long = [UInt8](repeating: 0xff, count: 128)
        for exponent: [UInt8] in [[], [1], [2], [4], [1, 0, 0], [1, 0, 0, 0, 1], long] {
            #expect(throws: CGAError.unusableKey) { try PublicKey(subjectPublicKeyInfo: key(exponent: exponent)) }
        }
    }

    @Test("An even modulus is refused")
    func refusesEvenModulus() {
        #expect(throws: CGAError.unusableKey) { try PublicKey(subjectPublicKeyInfo: key(lastOctet: 0xfe)) }
    }

    @Test("Another algorithm is refused", .requirement("3972-3-06", "3972-3-07"))
    func refusesOtherAlgorithms() throws {
        let bits = DERWriter.element(.bitString, [0, 1, 2, 3])
        // id-ecPublicKey, id-RSASSA-PSS, rsaEncryption without its NULL.
        for algorithm in ["06072a8648ce3d0201", "06092a864886f70d01010a", "06092a864886f70d010101"] {
            let octets = DERWriter.element(.sequence, DERWriter.element(.sequence, try Hex(algorithm).octets) + bits)
            #expect(throws: CGAError.notRSA) { try PublicKey(subjectPublicKeyInfo: octets) }
        }
    }

    @Test(
        "What is not DER is refused", .requirement("3972-3-05", "3972-3-08", "3972-5-20"),
        arguments: [
            // No octets, no length, an indefinite length, lengths not in their shortest form, a length with its top bit
            // set, lengths beyond the end, another tag, something behind the key.
            "", "30", "3080", "308100", "30820001", "30817f", "3083000100", "3084ffffffff", "3088ffffffffffffffff",
            "30ff", "3001", "30827fff", "3100", "300000", "3000",
            // Inside: no algorithm, no key, something behind the key.
            "30020500", "30023000", "300630000302", "30083000030200000500",
        ])
    func refusesBrokenDER(text: String) throws {
        let octets = try Hex(text).octets
        #expect(throws: CGAError.malformedPublicKey) { try PublicKey(subjectPublicKeyInfo: octets) }
    }

    @Test("Numbers that are negative, padded or empty are refused", .requirement("3972-3-08"))
    func refusesBrokenNumbers() {
        func key(_ modulus: [UInt8], _ exponent: [UInt8], unused: UInt8 = 0, tail: [UInt8] = []) -> [UInt8] {
            let numbers = DERWriter.element(.integer, modulus) + DERWriter.element(.integer, exponent) + tail
            let bits = [unused] + DERWriter.element(.sequence, numbers)
            return DERWriter.element(
                .sequence,
                DERWriter.element(.sequence, RSAPublicKeyFields.rsaEncryption) + DERWriter.element(.bitString, bits))
        }
        let modulus = [0x7f] + [UInt8](repeating: 0xff, count: 159)
        #expect(throws: Never.self) { try PublicKey(subjectPublicKeyInfo: key(modulus, [3])) }
        let broken = [
            key([0x80] + modulus, [3]), key([0] + modulus, [3]), key([0, 0] + modulus, [3]), key([], [3]),
            key(modulus, []), key(modulus, [0x83]), key(modulus, [0, 3]), key(modulus, [3], unused: 1),
            key(modulus, [3], tail: [0x05, 0x00]),
        ]
        for octets in broken {
            #expect(throws: CGAError.malformedPublicKey) { try PublicKey(subjectPublicKeyInfo: octets) }
        }
    }

    @Test("No cut and no changed octet of a key does harm")
    func survivesMutations() throws {
        for fixture in CGAVectors.all.keys {
            let octets = fixture.spki_hex.octets
            for count in octets.indices {
                #expect(throws: CGAError.malformedPublicKey) {
                    try PublicKey(subjectPublicKeyInfo: Array(octets.prefix(count)))
                }
            }
            // Octets up to the sign of the modulus are structure: a change there is never accepted.
            let structure = octets.count - fixture.bits / 8 - 6
            for index in octets.indices {
                for flip: UInt8 in [0x01, 0x80, 0xff] {
                    var changed = octets
                    changed[index] ^= flip
                    let key = try? PublicKey(subjectPublicKeyInfo: changed)
                    if index < structure { #expect(key == nil) }
                }
            }
        }
    }
}
