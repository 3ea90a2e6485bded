import Shim6Wire

/// Steps 3 to 7 of a verification (RFC 3972, section 5), for addresses that share all of their parameters but the Subnet
/// Prefix: one hash an address, and one more if any of them has a Sec above 0.
struct VerificationHashes {
    typealias HashFunction = ([UInt8]) throws(CGAError) -> SHA1.Digest

    private let digest: HashFunction
    private var parameters: CGAParameters
    private var hash2: UInt64?

    /// Step 1. Throws `collisionCount`.
    init(of parameters: CGAParameters, digest: @escaping HashFunction) throws(CGAError) {
        // 3972-3-04
        guard parameters.collisionCount <= CGAParameters.maximumCollisionCount else { throw .collisionCount }
        self.parameters = parameters
        self.digest = digest
    }

    /// Step 1. Throws `collisionCount` or `cryptography`.
    init(of parameters: CGAParameters) throws(CGAError) {
        try self.init(of: parameters, digest: try SHA1().digest)
    }

    /// Throws `hash1`, `unassignedSec`, `hash2` or `cryptography`.
    mutating func verify(_ address: IPv6Address) throws(CGAError) {
        if parameters.subnetPrefix != address.high { parameters.subnetPrefix = address.high }
        let hash1 = try digest(parameters.octets).leading64  // 3972-3-12, 3972-5-19
        guard (hash1 ^ address.low) & CGAParameters.hash1Mask == 0 else { throw .hash1 }
        // Sec 3 to 7 have no meaning yet, not even the hash function is known. Refusing them is safe (3972-5-14).
        let sec = Int(address.low >> 61)
        guard sec <= CGAParameters.maximumSec else { throw .unassignedSec }
        guard sec > 0 else { return }
        if hash2 == nil { hash2 = try digest(parameters.hash2Input).leading64 }
        guard let hash2, hash2 >> (64 - 16 * sec) == 0 else { throw .hash2 }
    }
}
