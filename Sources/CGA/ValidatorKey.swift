import COpenSSL

/// A secret S of the Responder Validator (RFC 5533, section 7.10.1): HMAC-SHA-256 cut to 20 octets. The key schedule is
/// done once. Not Sendable: give it one owner.
public final class ValidatorKey {
    /// The length of a code in octets.
    public static let codeLength = 20

    private let context: OpaquePointer

    /// `secret` is random, 32 octets or more for the full strength.
    ///
    /// Throws `cryptography`, also for an empty secret.
    public init(secret: [UInt8]) throws(CGAError) {
        defer { ERR_clear_error() }
        guard !secret.isEmpty, let algorithm = EVP_MAC_fetch(nil, "HMAC", nil) else { throw .cryptography }
        defer { EVP_MAC_free(algorithm) }
        guard let context = EVP_MAC_CTX_new(algorithm) else { throw .cryptography }
        let parameters = [
            OSSL_PARAM_construct_utf8_string(
                ParameterName.digest.characters, UnsafeMutablePointer(mutating: ParameterName.sha256.characters), 0),
            OSSL_PARAM_construct_end(),
        ]
        guard EVP_MAC_init(context, secret, secret.count, parameters) == 1 else {
            EVP_MAC_CTX_free(context)
            throw .cryptography
        }
        self.context = context
    }

    deinit {
        EVP_MAC_CTX_free(context)
    }

    /// The code of `octets`.
    public func code(for octets: [UInt8]) -> [UInt8] {
        Array(unsafeUninitializedCapacity: 32) { code, count in
            var length = 0
            // Without a key this only goes back to the state after the key schedule.
            let made =
                EVP_MAC_init(context, nil, 0, nil) == 1
                && EVP_MAC_update(context, octets, octets.count) == 1
                && EVP_MAC_final(context, code.baseAddress, &length, 32) == 1
            guard made, length == 32 else { fatalError("libcrypto cannot compute HMAC-SHA-256") }
            count = Self.codeLength
        }
    }

    /// Whether `code` is the code of `octets`. The time taken does not tell how much of it is right.
    public func verify(_ code: some Collection<UInt8>, of octets: [UInt8]) -> Bool {
        constantTimeEqual(self.code(for: octets), Array(code))
    }
}

/// Whether two secrets are equal, in a time that depends on their lengths alone.
public func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
