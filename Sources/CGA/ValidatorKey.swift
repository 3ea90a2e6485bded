import COpenSSL

/// A secret S of the Responder Validator (RFC 5533, section 7.10.1) and its one-way function: SipHash-2-4 with a result
/// of 128 bits, which is made for short inputs and costs an I1 little. Not Sendable: give it one owner.
public final class ValidatorKey {
    /// The length of a secret and of a code in octets.
    public static let length = 16

    private let secret: [UInt8]
    private let context: OpaquePointer

    /// `secret` is 16 random octets.
    ///
    /// Throws `cryptography`, also for a secret of another length.
    public init(secret: [UInt8]) throws(CGAError) {
        defer { ERR_clear_error() }
        guard secret.count == Self.length, let algorithm = Libcrypto.sipHash, let context = EVP_MAC_CTX_new(algorithm)
        else { throw .cryptography }
        self.secret = secret
        self.context = context
    }

    deinit {
        EVP_MAC_CTX_free(context)
    }

    /// The code of `octets`. Throws `cryptography`.
    public func code(for octets: [UInt8]) throws(CGAError) -> [UInt8] {
        var made = false
        let code = [UInt8](unsafeUninitializedCapacity: Self.length) { code, count in
            made =
                EVP_MAC_init(context, secret, secret.count, nil) == 1
                && EVP_MAC_update(context, octets, octets.count) == 1
                && EVP_MAC_final(context, code.baseAddress, &count, Self.length) == 1
        }
        guard made, code.count == Self.length else { throw .cryptography }
        return code
    }

    /// Whether `code` is the code of `octets`. The time taken does not tell how much of it is right.
    @inlinable
    public func verify(_ code: some Collection<UInt8>, of octets: [UInt8]) -> Bool {
        guard let expected = try? self.code(for: octets) else { return false }
        return constantTimeEqual(expected, Array(code))
    }
}

/// Whether two secrets are equal, in a time that depends on their lengths alone.
public func constantTimeEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    left.count == right.count && CRYPTO_memcmp(left, right, left.count) == 0
}
