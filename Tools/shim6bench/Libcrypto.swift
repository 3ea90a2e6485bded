import CGA
import COpenSSL

/// One RSA signature, verified by libcrypto with everything made ready before: the operation that no proof of locators
/// can do without.
final class RSAVerification {
    private let context: OpaquePointer
    private let signature: [UInt8]
    private let digest: [UInt8]

    init(_ key: PrivateKey) throws {
        let message = systemRandom(84)
        signature = try key.sign(message)
        digest = try SHA1Reference().digest(of: message)
        let encoded = key.subjectPublicKeyInfo
        let decoded = encoded.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return d2i_PUBKEY(nil, &cursor, buffer.count)
        }
        defer { EVP_PKEY_free(decoded) }
        guard let context = EVP_PKEY_CTX_new(decoded, nil), EVP_PKEY_verify_init(context) == 1,
            EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
            EVP_PKEY_CTX_set_signature_md(context, EVP_sha1()) == 1
        else { throw Failure(description: "libcrypto cannot verify") }
        self.context = context
    }

    deinit {
        EVP_PKEY_CTX_free(context)
    }

    /// Whether the signature is good.
    func verify() -> Bool {
        EVP_PKEY_verify(context, signature, signature.count, digest, digest.count) == 1
    }
}

/// SHA-1 by libcrypto with a context that is kept.
final class SHA1Reference {
    private let context: OpaquePointer

    init() throws {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex2(context, EVP_sha1(), nil) == 1 else {
            throw Failure(description: "libcrypto offers no SHA-1")
        }
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    func digest(of octets: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 20)
        hash(octets, into: &digest)
        return digest
    }

    /// `digest` has room for 20 octets.
    func hash(_ octets: [UInt8], into digest: inout [UInt8]) {
        EVP_DigestInit_ex2(context, nil, nil)
        EVP_DigestUpdate(context, octets, octets.count)
        EVP_DigestFinal_ex(context, &digest, nil)
    }
}
