/// Builds DER encodings from the inside out.
enum DERWriter {
    static func element(_ tag: DERReader.Tag, _ contents: [UInt8]) -> [UInt8] {
        var element = [tag.rawValue]
        if contents.count < 0x80 {
            element.append(UInt8(contents.count))
        } else {
            var length: [UInt8] = []
            length.append(bigEndian: UInt64(contents.count))
            length.removeFirst(length.prefix { $0 == 0 }.count)
            element.append(0x80 | UInt8(length.count))
            element += length
        }
        return element + contents
    }

    /// An INTEGER of this big-endian magnitude.
    static func integer(_ magnitude: [UInt8]) -> [UInt8] {
        let digits = magnitude.drop { $0 == 0 }
        let needsSign = digits.first.map { $0 >= 0x80 } ?? true
        return element(.integer, (needsSign ? [0] : []) + digits)
    }
}

extension RSAPublicKeyFields {
    /// The SubjectPublicKeyInfo of an RSA key of these big-endian numbers.
    static func subjectPublicKeyInfo(modulus: [UInt8], exponent: [UInt8]) -> [UInt8] {
        let key = DERWriter.element(.sequence, DERWriter.integer(modulus) + DERWriter.integer(exponent))
        return DERWriter.element(
            .sequence, DERWriter.element(.sequence, rsaEncryption) + DERWriter.element(.bitString, [0] + key))
    }
}
