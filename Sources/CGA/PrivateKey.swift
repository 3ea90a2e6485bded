import COpenSSL

/// Why a private key could not be loaded or made.
public enum PrivateKeyError: Error, Hashable, Sendable {
    /// Neither PEM nor DER of a PKCS#8 or PKCS#1 private key.
    case unreadable
    /// The key is protected by a passphrase.
    case encrypted
    /// Not an rsaEncryption key.
    case notRSA
    /// The modulus has this many bits, which is not within 1024...4096.
    case length(Int)
    /// The parts of the key do not belong together, or the public exponent is unusable.
    case inconsistent
    /// OpenSSL failed for a reason of its own, such as lack of memory.
    case cryptography
}

/// The RSA private key behind this host's CGAs. Only signs (RFC 3972, section 7.4). Immutable, so it may be used from
/// several threads.
public final class PrivateKey: @unchecked Sendable {
    /// The public half, DER SubjectPublicKeyInfo: the Public Key field of CGA parameters.
    public let subjectPublicKeyInfo: [UInt8]
    /// The length of the modulus.
    public let bits: Int
    private let key: OpaquePointer

    /// Reads a PEM private key, PKCS#8 or PKCS#1. What stands before or after it in the file does not matter.
    ///
    /// Throws `unreadable`, `encrypted`, `notRSA`, `length`, `inconsistent` or `cryptography`.
    public convenience init(pem: [UInt8]) throws(PrivateKeyError) {
        defer { ERR_clear_error() }
        var asked = false
        let key = pem.withUnsafeBytes { buffer -> OpaquePointer? in
            // The source reads from `buffer`, it holds no copy.
            guard let source = BIO_new_mem_buf(buffer.baseAddress, Int32(clamping: buffer.count)) else { return nil }
            defer { BIO_free(source) }
            // Without a callback of our own OpenSSL would ask for a passphrase on the terminal.
            return PEM_read_bio_PrivateKey(
                source, nil,
                { _, _, _, asked in
                    asked?.storeBytes(of: true, as: Bool.self)
                    return -1
                }, &asked)
        }
        guard let key else { throw asked ? .encrypted : .unreadable }
        try self.init(taking: key)
    }

    /// Reads a DER private key, PKCS#8 or PKCS#1, that fills `der`.
    ///
    /// Throws `unreadable`, `notRSA`, `length`, `inconsistent` or `cryptography`.
    public convenience init(der: [UInt8]) throws(PrivateKeyError) {
        defer { ERR_clear_error() }
        let key = der.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            var cursor = buffer.baseAddress
            guard let key = d2i_AutoPrivateKey(nil, &cursor, buffer.count) else { return nil }
            guard cursor == buffer.baseAddress.map({ $0 + buffer.count }) else {
                EVP_PKEY_free(key)
                return nil
            }
            return key
        }
        guard let key else { throw .unreadable }
        try self.init(taking: key)
    }

    /// Makes a new key of 1024 to 4096 bits with OpenSSL's random generator, public exponent 65537. Takes a fraction of a
    /// second for 2048 bits and up to several seconds for 4096.
    ///
    /// Throws `length` or `cryptography`.
    public static func generate(bits: Int) throws(PrivateKeyError) -> PrivateKey {
        guard PublicKey.defaultBits.contains(bits) else { throw .length(bits) }
        defer { ERR_clear_error() }
        guard let context = EVP_PKEY_CTX_new_from_name(nil, "RSA", nil) else { throw .cryptography }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard
            EVP_PKEY_keygen_init(context) == 1,
            EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits)) == 1,
            EVP_PKEY_generate(context, &key) == 1,
            let key
        else { throw .cryptography }
        return try PrivateKey(taking: key)
    }

    /// Takes `key` over.
    private init(taking key: OpaquePointer) throws(PrivateKeyError) {
        do throws(PrivateKeyError) {
            guard EVP_PKEY_is_a(key, "RSA") == 1 else { throw .notRSA }  // 3972-3-06
            bits = Int(EVP_PKEY_get_bits(key))
            guard PublicKey.defaultBits.contains(bits) else { throw .length(bits) }
            subjectPublicKeyInfo = try Self.encodePublicHalf(of: key)
            try Self.check(key)
            // What peers would refuse is better refused here.
            let fields = try? RSAPublicKeyFields(
                subjectPublicKeyInfo: subjectPublicKeyInfo, bits: PublicKey.defaultBits)
            guard fields != nil else { throw .inconsistent }
            self.key = key
        } catch {
            EVP_PKEY_free(key)
            throw error
        }
    }

    deinit {
        EVP_PKEY_free(key)
    }

    /// The key as PEM, PKCS#8, without passphrase. Keep it where only the daemon can read it.
    ///
    /// Throws `cryptography`.
    public func pem() throws(PrivateKeyError) -> [UInt8] {
        defer { ERR_clear_error() }
        guard let sink = BIO_new(BIO_s_secmem()) else { throw .cryptography }
        defer { BIO_free(sink) }
        guard PEM_write_bio_PKCS8PrivateKey(sink, key, nil, nil, 0, nil, nil) == 1 else { throw .cryptography }
        var octets = [UInt8](repeating: 0, count: Int(BIO_ctrl_pending(sink)))
        var count = 0
        guard BIO_read_ex(sink, &octets, octets.count, &count) == 1, count == octets.count else { throw .cryptography }
        return octets
    }

    /// An RSASSA-PKCS1-v1_5 signature with SHA-1 over `message` (RFC 3972, section 6), as long as the modulus.
    ///
    /// Throws `cryptography`.
    public func sign(_ message: [UInt8]) throws(CGAError) -> [UInt8] {
        // The only use of the key: 3972-7.4-03, 3972-7.4-04.
        defer { ERR_clear_error() }
        guard let context = EVP_PKEY_CTX_new(key, nil) else { throw .cryptography }
        defer { EVP_PKEY_CTX_free(context) }
        let info = try DigestInfo(message).octets  // 3972-6-02
        var signature = [UInt8](repeating: 0, count: (bits + 7) / 8)
        var length = signature.count
        guard
            EVP_PKEY_sign_init(context) == 1,
            EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1,
            EVP_PKEY_sign(context, &signature, &length, info, info.count) == 1,
            length == signature.count
        else { throw .cryptography }
        return signature
    }

    private static func encodePublicHalf(of key: OpaquePointer) throws(PrivateKeyError) -> [UInt8] {
        let length = i2d_PUBKEY(key, nil)
        guard length > 0 else { throw .cryptography }
        var octets = [UInt8](repeating: 0, count: Int(length))
        let written = octets.withUnsafeMutableBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return i2d_PUBKEY(key, &cursor)
        }
        guard written == length else { throw .cryptography }
        return octets
    }

    /// A damaged key is found when it is loaded, not by peers that refuse its signatures.
    private static func check(_ key: OpaquePointer) throws(PrivateKeyError) {
        guard let context = EVP_PKEY_CTX_new(key, nil) else { throw .cryptography }
        defer { EVP_PKEY_CTX_free(context) }
        guard EVP_PKEY_pairwise_check(context) == 1 else { throw .inconsistent }
    }
}
