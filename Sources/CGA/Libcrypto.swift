import COpenSSL

/// What this module needs of libcrypto. Which algorithms there are is a matter of the host's configuration: a host with
/// nothing but a FIPS provider has no SipHash. So a program asks before it begins its work.
public enum Libcrypto {
    /// What is needed and cannot be had, by OpenSSL's names; empty on a usual host.
    public static func missing() -> [String] {
        defer { ERR_clear_error() }
        var missing: [String] = []
        if sha1 == nil { missing.append("SHA1") }
        if sipHash == nil { missing.append("SIPHASH") }
        let rsa = EVP_SIGNATURE_fetch(nil, "RSA", nil)
        if rsa == nil { missing.append("RSA") }
        EVP_SIGNATURE_free(rsa)
        var octet: UInt8 = 0
        if RAND_bytes(&octet, 1) != 1 { missing.append("random numbers") }
        return missing
    }

    // Asked for once and kept, which also saves the search at each use. What they point to never changes.
    nonisolated(unsafe) static let sha1 = fetched { EVP_MD_fetch(nil, "SHA1", nil) }
    nonisolated(unsafe) static let sipHash = fetched { EVP_MAC_fetch(nil, "SIPHASH", nil) }

    private static func fetched(_ fetch: () -> OpaquePointer?) -> OpaquePointer? {
        defer { ERR_clear_error() }
        return fetch()
    }
}
