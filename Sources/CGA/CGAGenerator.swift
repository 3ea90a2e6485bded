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

/// Makes CGAs for one public key (RFC 3972, section 4: 3972-4-02).
///
/// The costly part is the search for a Modifier, about 2^(16*Sec) hashes. It can be done in pieces or on all processors,
/// and be stopped and taken up again. One Modifier then serves every subnet prefix.
public struct CGAGenerator: Sendable {
    public let sec: Int
    /// The Modifier that is tried next, or the final one once the search is finished.
    public private(set) var modifier: UInt128
    /// How many Modifiers have been tried.
    public private(set) var attempts: UInt64 = 0
    /// Whether `modifier` is final.
    public private(set) var isFinished = false

    public let publicKey: [UInt8]
    public let extensions: [UInt8]
    /// Nil with Sec 0, where no bit of Hash2 matters.
    let search: ModifierSearch?

    /// Step 1. `publicKey` is a DER SubjectPublicKeyInfo, `modifier` a fresh random number, which keeps addresses of one
    /// key unlinkable, and `extensions` the encoded extension fields.
    ///
    /// Throws `unassignedSec` or `malformedPublicKey`.
    public init(
        publicKey: [UInt8], sec: Int, modifier: UInt128, extensions: [UInt8] = []
    ) throws(CGAGenerationError) {
        guard (0...CGAParameters.maximumSec).contains(sec) else { throw .unassignedSec(sec) }  // 4982-5-01
        do {
            let input = try CGAParameters(
                modifier: modifier, subnetPrefix: 0, publicKey: publicKey, extensions: extensions)
            search = sec == 0 ? nil : ModifierSearch(hash2Input: input.octets, sec: sec)
        } catch {
            throw .malformedPublicKey
        }
        self.sec = sec
        self.modifier = modifier
        self.publicKey = publicKey
        self.extensions = extensions
        isFinished = sec == 0
    }

    /// Step 1 with a Modifier from OpenSSL's random generator, so that nobody can tell that two addresses have one key.
    ///
    /// Throws `unassignedSec` or `malformedPublicKey`.
    public init(publicKey: [UInt8], sec: Int, extensions: [UInt8] = []) throws(CGAGenerationError) {
        let modifier = UInt128(bigEndian: systemRandom(16)[...])  // 3972-4-13, 3972-7.3-01
        try self.init(publicKey: publicKey, sec: sec, modifier: modifier, extensions: extensions)
    }

    /// Goes on with a search that was left at the Modifier of `parameters` after so many attempts.
    ///
    /// Throws `unassignedSec`.
    public init(continuing parameters: CGAParameters, sec: Int, attempts: UInt64) throws(CGAGenerationError) {
        try self.init(
            publicKey: parameters.publicKey, sec: sec, modifier: parameters.modifier,
            extensions: Array(parameters.extensions))
        self.attempts = attempts
    }

    /// Starts at step 4 with the Modifier, key and extensions of earlier parameters, for another subnet prefix:
    /// 3972-4-22.
    ///
    /// Throws `unassignedSec`, or `modifierNotGoodEnough` if the Modifier was found for a lower Sec.
    public init(reusing parameters: CGAParameters, sec: Int) throws(CGAGenerationError) {
        try self.init(
            publicKey: parameters.publicKey, sec: sec, modifier: parameters.modifier,
            extensions: Array(parameters.extensions))
        guard isFinished || search(attempts: 1) else { throw .modifierNotGoodEnough }
    }

    /// Steps 2 and 3: tries up to `attempts` further Modifiers. Returns whether the search is finished.
    public mutating func search(attempts: UInt64) -> Bool {
        guard let search, !isFinished else { return true }
        let hit = search.firstHit(from: modifier, attempts: attempts)
        advance(by: hit ?? attempts, isHit: hit != nil)
        return isFinished
    }

    /// After `failed` Modifiers that will not do, and perhaps one that will.
    mutating func advance(by failed: UInt64, isHit: Bool) {
        modifier &+= UInt128(failed)
        attempts += failed + (isHit ? 1 : 0)
        isFinished = isHit
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
            return (IPv6Address(high: subnetPrefix, low: interfaceID), parameters)  // 3972-4-19, 3972-4-20
        } catch {
            throw .malformedPublicKey
        }
    }
}
