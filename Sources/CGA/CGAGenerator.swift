import Shim6Wire

/// Why no CGA could be made.
public enum CGAGenerationError: Error, Hashable, Sendable {
    /// Only Sec 0, 1 and 2 are defined (RFC 4982, section 6).
    case unassignedSec(Int)
    /// The public key is not one DER SubjectPublicKeyInfo.
    case malformedPublicKey
    /// The reused Modifier does not give the zero bits that Sec demands.
    case modifierNotGoodEnough
    /// The Modifier search has not been finished.
    case searchNotFinished
    /// `shouldContinue` said no.
    case cancelled
    /// The subnet prefixes of an HBA set are none, too many for the extension field, or not all different.
    case prefixes
    /// Three addresses in a row were taken (RFC 3972, section 4, step 8).
    case tooManyCollisions
}

/// Makes CGAs for one public key (RFC 3972, section 4).
///
/// The costly part is the search for a Modifier, about 2^(16*Sec) hashes. It is done in pieces, so that the caller
/// decides how long to work at a time, on which thread, and when to stop. Several generators that start at
/// different random Modifiers search in parallel. One Modifier then serves every subnet prefix.
public struct CGAGenerator: Sendable {
    /// Hash2 input: Modifier, nine zero octets, public key, extensions.
    private var input: [UInt8]
    public let sec: Int
    /// The Modifier that is tried next, or the final one once the search is finished.
    public private(set) var modifier: UInt128
    /// How many Modifiers have been tried.
    public private(set) var attempts: UInt64 = 0
    /// Whether `modifier` is final.
    public private(set) var isFinished = false

    let publicKey: [UInt8]
    let extensions: [UInt8]

    /// Step 1. `publicKey` is a DER SubjectPublicKeyInfo, `modifier` a fresh random number, which keeps addresses of one
    /// key unlinkable, and `extensions` the encoded extension fields.
    ///
    /// Throws `unassignedSec` or `malformedPublicKey`.
    public init(
        publicKey: [UInt8], sec: Int, modifier: UInt128, extensions: [UInt8] = []
    ) throws(CGAGenerationError) {
        guard (0...CGAParameters.maximumSec).contains(sec) else { throw .unassignedSec(sec) }
        do {
            input = try CGAParameters(
                modifier: modifier, subnetPrefix: 0, publicKey: publicKey, extensions: extensions
            ).octets
        } catch {
            throw .malformedPublicKey
        }
        self.sec = sec
        self.modifier = modifier
        self.publicKey = publicKey
        self.extensions = extensions
        // With Sec 0 no bit of Hash2 matters.
        isFinished = sec == 0
    }

    /// Starts at step 4 with the Modifier, key and extensions of earlier parameters, for another subnet prefix.
    ///
    /// Throws `unassignedSec`, or `modifierNotGoodEnough` if the Modifier was found for a lower Sec.
    public init(reusing parameters: CGAParameters, sec: Int) throws(CGAGenerationError) {
        try self.init(
            publicKey: parameters.publicKey, sec: sec, modifier: parameters.modifier,
            extensions: Array(parameters.extensions))
        guard isFinished || search(attempts: 1) else { throw .modifierNotGoodEnough }
    }

    /// Steps 2 and 3: tries up to `attempts` further Modifiers. Returns whether the search is finished.
    public mutating func search(attempts limit: Int) -> Bool {
        guard !isFinished else { return true }
        let sha1 = try? SHA1()
        let shift = 64 - 16 * sec
        for _ in 0..<max(limit, 0) {
            attempts += 1
            // Asked for at the start of the program (`Libcrypto.missing`).
            guard let digest = try? sha1?.digest(of: input) else { fatalError("libcrypto offers no SHA-1") }
            if digest.leading64 >> shift == 0 {
                isFinished = true
                return true
            }
            modifier &+= 1
            for index in 0..<16 {
                input[index] = UInt8(truncatingIfNeeded: modifier >> (120 - 8 * index))
            }
        }
        return false
    }

    /// Steps 2 and 3 to the end. `shouldContinue` is asked every 4,096 attempts, about every 2 ms.
    ///
    /// Throws `cancelled`. The search can then be taken up again.
    public mutating func search(while shouldContinue: () -> Bool) throws(CGAGenerationError) {
        while !search(attempts: 4096) {
            guard shouldContinue() else { throw .cancelled }
        }
    }

    /// Steps 4 to 7 and 9: the address in `subnetPrefix` (the leftmost 64 bits of the address) and its parameters. Ask with
    /// `collisionCount` 0 first, and with one more each time duplicate address detection finds the address taken (step 8).
    ///
    /// Throws `searchNotFinished`, or `tooManyCollisions` if `collisionCount` is above 2.
    public func address(
        in subnetPrefix: UInt64, collisionCount: Int = 0
    ) throws(CGAGenerationError) -> (address: IPv6Address, parameters: CGAParameters) {
        guard isFinished else { throw .searchNotFinished }
        guard let count = UInt8(exactly: collisionCount), count <= CGAParameters.maximumCollisionCount else {
            throw .tooManyCollisions
        }
        do {
            let parameters = try CGAParameters(
                modifier: modifier, subnetPrefix: subnetPrefix, collisionCount: count, publicKey: publicKey,
                extensions: extensions)
            let interfaceID = try parameters.hash1 & CGAParameters.hash1Mask | UInt64(sec) << 61
            return (IPv6Address(high: subnetPrefix, low: interfaceID), parameters)
        } catch {
            throw .malformedPublicKey
        }
    }
}
