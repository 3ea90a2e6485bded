/// Why an address, a public key or a signature was refused. The raw values are what `shim6ctl` reports.
public enum CGAError: String, Error, Sendable, CaseIterable {
    /// The parameter data structure ends before its public key does (RFC 3972, section 3).
    case truncatedParameters = "truncatedParameters"
    /// The Public Key field is not a DER SubjectPublicKeyInfo (RFC 3972, section 3).
    case malformedPublicKey = "malformedPublicKey"
    /// An extension field runs beyond the parameter data structure, or its data has an impossible length
    /// (RFC 4581, section 2; RFC 5535, section 5).
    case malformedExtension = "malformedExtension"

    /// The Collision Count is above 2 (RFC 3972, section 5, step 1).
    case collisionCount = "collisionCount"
    /// The Subnet Prefix is not that of the address (step 2).
    case subnetPrefix = "subnetPrefix"
    /// Hash1 is not the interface identifier (step 4).
    case hash1 = "hash1"
    /// The address has a Sec value that no RFC defines (step 5; RFC 4982, section 6).
    case unassignedSec = "unassignedSec"
    /// Hash2 lacks the zero bits that Sec demands (step 7).
    case hash2 = "hash2"

    /// The verification method does not go with the parameter data structure (RFC 5533, section 7.2): CGA, where the
    /// Multi-Prefix extension says that the Public Key field holds no key, or HBA without that extension.
    case methodContradictsParameters = "methodContradictsParameters"
    /// The public key is not an rsaEncryption key.
    case notRSA = "notRSA"
    /// The RSA modulus has fewer bits than allowed (RFC 5533, section 16).
    case keyTooShort = "keyTooShort"
    /// The RSA modulus has more bits than allowed.
    case keyTooLong = "keyTooLong"
    /// The RSA modulus is even, or the exponent even, 1 or above 32 bits.
    case unusableKey = "unusableKey"
    /// The signature is not as long as the modulus (RFC 8017, section 8.2.2).
    case signatureLength = "signatureLength"
    /// The signature was not made by this key over these locators (RFC 5533, section 5.15.5).
    case signature = "signature"
    /// The private key is not that of the parameter data structure.
    case keyMismatch = "keyMismatch"
    /// OpenSSL failed for a reason of its own, such as lack of memory.
    case cryptography = "cryptography"
}
