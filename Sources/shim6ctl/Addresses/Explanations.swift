import CGA

extension PrivateKeyError {
    var explanation: String {
        switch self {
        case .unreadable: "no private key in PEM or DER, PKCS#8 or PKCS#1"
        case .encrypted: "the key is protected by a passphrase; take that off first: openssl pkey -in KEY"
        case .notRSA: "not an RSA key"
        case .length(let bits): "the key has \(bits) bits, not 1024 to 4096"
        case .inconsistent: "the parts of the key do not belong together"
        case .cryptography: "libcrypto failed"
        }
    }
}

extension CGAError {
    /// What is wrong, without the step at which it was found.
    var explanation: String {
        switch self {
        case .truncatedParameters: "the parameters end before their public key"
        case .malformedPublicKey: "the Public Key field is no DER SubjectPublicKeyInfo"
        case .malformedExtension: "an extension field runs beyond the parameters, or has an impossible length"
        case .collisionCount: "the Collision Count is above 2"
        case .subnetPrefix: "the Subnet Prefix is not that of the address"
        case .hash1: "Hash1 is not the interface identifier"
        case .unassignedSec: "no RFC gives a meaning to the Sec of the address"
        case .hash2: "Hash2 does not begin with the zero bits that the Sec of the address demands"
        case .methodContradictsParameters: "the Multi-Prefix extension says that there is no key"
        case .notRSA: "the public key is no RSA key"
        case .keyTooShort: "the public key is too short"
        case .keyTooLong: "the public key is too long"
        case .unusableKey: "the public key is unusable"
        case .signatureLength, .signature: "the signature is not of this key over these locators"
        case .keyMismatch: "the private key is not that of the parameters"
        case .cryptography: "libcrypto failed"
        }
    }

    /// The same where the address was to be a member of an HBA set.
    var explanationOfHBA: String {
        switch self {
        case .methodContradictsParameters: "the parameters have no Multi-Prefix extension"
        case .subnetPrefix: "the prefix of the address is not in the set"
        default: explanation
        }
    }

    /// The step of RFC 3972, section 5, at which a verification stops.
    var stepOfCGA: String? {
        switch self {
        case .collisionCount: "1"
        case .subnetPrefix: "2"
        case .hash1: "4"
        case .unassignedSec: "5"
        case .hash2: "7"
        default: nil
        }
    }

    /// The step of RFC 5535, section 7.2, at which a verification stops.
    var stepOfHBA: String? {
        switch self {
        case .methodContradictsParameters, .malformedExtension, .subnetPrefix: "1"
        default: stepOfCGA.map { "2.\($0)" }
        }
    }
}

extension CGAGenerationError {
    var explanation: String {
        switch self {
        case .unassignedSec(let sec): "Sec \(sec) has no meaning: 0, 1 and 2 have"
        case .malformedPublicKey: "the public key is no DER SubjectPublicKeyInfo"
        case .modifierNotGoodEnough: "the Modifier does not give the zero bits that Sec demands"
        case .searchNotFinished, .cancelled: "the search was not finished"
        case .prefixes: "the prefixes have to be different, and at most 8191"
        case .tooManyCollisions: "the Collision Count is at most 2"
        }
    }
}
