import COpenSSL

/// SHA-1 with one OpenSSL context for many messages, since setting one up costs more than hashing a short message.
/// SHA-1 is what Sec 0, 1 and 2 mean (RFC 4982, section 6).
final class SHA1 {
    typealias Digest = InlineArray<20, UInt8>

    private let context: OpaquePointer

    /// Throws `cryptography`.
    init() throws(CGAError) {
        guard let algorithm = Libcrypto.sha1, let context = EVP_MD_CTX_new() else { throw .cryptography }
        guard EVP_DigestInit_ex2(context, algorithm, nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw .cryptography
        }
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    /// Throws `cryptography`.
    func digest(of octets: [UInt8]) throws(CGAError) -> Digest {
        var digest = Digest(repeating: 0)
        var span = digest.mutableSpan
        let hashed = span.withUnsafeMutableBufferPointer { out in
            EVP_DigestInit_ex2(context, nil, nil) == 1
                && EVP_DigestUpdate(context, octets, octets.count) == 1
                && EVP_DigestFinal_ex(context, out.baseAddress, nil) == 1
        }
        guard hashed else { throw .cryptography }
        return digest
    }
}

extension SHA1.Digest {
    /// The leftmost 64 bits.
    var leading64: UInt64 {
        var value: UInt64 = 0
        for index in 0..<8 { value = value << 8 | UInt64(self[index]) }
        return value
    }
}
