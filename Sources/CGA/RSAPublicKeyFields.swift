/// The numbers of an RSA public key, read out of its DER SubjectPublicKeyInfo without OpenSSL, so that a peer's key is
/// judged before anything costly is done with it.
struct RSAPublicKeyFields {
    /// Big-endian, without leading zero octets.
    let modulus: ArraySlice<UInt8>
    /// At most 32 bits.
    let exponent: UInt32

    var bits: Int {
        guard let first = modulus.first else { return 0 }
        return modulus.count * 8 - first.leadingZeroBitCount
    }

    /// rsaEncryption, 1.2.840.113549.1.1.1, with its NULL parameters.
    static let rsaEncryption: [UInt8] = [
        0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ]

    /// Throws `malformedPublicKey`, `notRSA`, `keyTooShort`, `keyTooLong` or `unusableKey`. `octets` may hold nothing but
    /// the key. `bits` is what the length of the modulus must be in.
    init(subjectPublicKeyInfo octets: [UInt8], bits allowed: ClosedRange<Int>) throws(CGAError) {
        var outer = DERReader(octets, in: octets.indices)
        let info = try outer.element(.sequence)
        guard outer.isAtEnd else { throw .malformedPublicKey }
        var infoReader = DERReader(octets, in: info)
        let algorithm = try infoReader.element(.sequence)
        let bitString = try infoReader.element(.bitString)
        guard infoReader.isAtEnd else { throw .malformedPublicKey }
        guard octets[algorithm].elementsEqual(Self.rsaEncryption) else { throw .notRSA }  // 3972-3-07

        var keyReader = DERReader(octets, in: bitString)
        // 3972-3-08
        guard try keyReader.nextOctet() == 0 else { throw .malformedPublicKey }
        let key = try keyReader.element(.sequence)
        guard keyReader.isAtEnd else { throw .malformedPublicKey }
        var numberReader = DERReader(octets, in: key)
        modulus = octets[try numberReader.magnitude()]
        let exponent = octets[try numberReader.magnitude()]
        guard numberReader.isAtEnd else { throw .malformedPublicKey }

        // An exponent of many bits makes verification as slow as signing.
        self.exponent = UInt32(bigEndian: exponent.suffix(4))
        guard bits >= allowed.lowerBound else { throw .keyTooShort }
        guard bits <= allowed.upperBound else { throw .keyTooLong }
        guard exponent.count <= 4, self.exponent >= 3, self.exponent & 1 == 1, modulus.last.map({ $0 & 1 }) == 1 else {
            throw .unusableKey
        }
    }
}
