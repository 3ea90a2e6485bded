import COpenSSL

/// A peer's RSA public key, ready to verify signatures. Immutable, so it may be used from several threads.
public final class PublicKey: @unchecked Sendable {
    /// Modulus lengths that are accepted unless the caller says otherwise: RFC 5533, section 16, sets the lower bound,
    /// the cost of a verification the upper one.
    public static let defaultBits = 1024...4096  // 5533-16-02, 3972-3-09, 3972-5-16

    /// The length of the modulus.
    public let bits: Int
    /// A context made ready once. It is only ever duplicated, which is cheaper than making one for each signature.
    private let prepared: OpaquePointer

    /// Throws `malformedPublicKey`, `notRSA`, `keyTooShort`, `keyTooLong`, `unusableKey` or `cryptography`.
    public init(
        subjectPublicKeyInfo: [UInt8], bits allowed: ClosedRange<Int> = PublicKey.defaultBits
    ) throws(CGAError) {
        let fields = try RSAPublicKeyFields(subjectPublicKeyInfo: subjectPublicKeyInfo, bits: allowed)
        defer { ERR_clear_error() }
        guard let key = Self.makeKey(fields) else { throw .cryptography }
        defer { EVP_PKEY_free(key) }
        guard let context = EVP_PKEY_CTX_new(key, nil) else { throw .cryptography }
        guard
            EVP_PKEY_verify_init(context) == 1,
            EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1
        else {
            EVP_PKEY_CTX_free(context)
            throw .cryptography
        }
        bits = fields.bits
        prepared = context
    }

    deinit {
        EVP_PKEY_CTX_free(prepared)
    }

    /// Checks an RSASSA-PKCS1-v1_5 signature with SHA-1 over `message` (RFC 3972, section 6).
    ///
    /// Throws `signatureLength`, `signature` or `cryptography`.
    public func verify(_ signature: [UInt8], over message: [UInt8]) throws(CGAError) {
        guard signature.count == (bits + 7) / 8 else { throw .signatureLength }
        defer { ERR_clear_error() }
        guard let context = EVP_PKEY_CTX_dup(prepared) else { throw .cryptography }
        defer { EVP_PKEY_CTX_free(context) }
        let info = try DigestInfo(message).octets  // 3972-6-06
        guard EVP_PKEY_verify(context, signature, signature.count, info, info.count) == 1 else { throw .signature }
    }

    private static func makeKey(_ fields: RSAPublicKeyFields) -> OpaquePointer? {
        guard let builder = OSSL_PARAM_BLD_new() else { return nil }
        defer { OSSL_PARAM_BLD_free(builder) }
        let modulus = fields.modulus.withUnsafeBufferPointer { BN_bin2bn($0.baseAddress, Int32($0.count), nil) }
        guard let modulus else { return nil }
        defer { BN_free(modulus) }
        guard
            OSSL_PARAM_BLD_push_BN(builder, ParameterName.modulus.characters, modulus) == 1,
            OSSL_PARAM_BLD_push_uint32(builder, ParameterName.exponent.characters, fields.exponent) == 1,
            let parameters = OSSL_PARAM_BLD_to_param(builder)
        else { return nil }
        defer { OSSL_PARAM_free(parameters) }
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "RSA", nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard
            EVP_PKEY_fromdata_init(context) == 1,
            EVP_PKEY_fromdata(context, &key, COpenSSL_publicKey, parameters) == 1
        else { return nil }
        return key
    }
}
