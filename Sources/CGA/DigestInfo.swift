/// What RSASSA-PKCS1-v1_5 pads and signs: the SHA-1 digest of a message behind the name of the hash function
/// (RFC 8017, section 9.2).
///
/// It is put together here and handed to OpenSSL without a digest name: a system-wide policy against SHA-1 in signatures,
/// which some distributions ship with certificates in mind, would otherwise switch off the only signature that RFC 3972
/// knows.
struct DigestInfo {
    private static let prefix: [UInt8] = [
        0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14,
    ]

    let octets: [UInt8]

    /// Throws `cryptography`.
    init(_ message: [UInt8]) throws(CGAError) {
        let digest = try SHA1().digest(of: message)
        octets = Self.prefix + digest.indices.map { digest[$0] }
    }
}
