import Shim6Wire

/// Verifies what peers claim about their locators by the methods CGA and HBA, which a list may mix (RFC 5533, sections
/// 5.15.5 and 7.2).
///
/// Cheap checks come first: one hash an address and one for all, then a look at the key, and one RSA operation last. Keys
/// that have verified a signature are kept decoded. A value with state: give it one owner.
public struct LocatorListVerifier: Sendable {
    /// The decoded keys that are kept unless somebody asks for another number.
    public static let defaultCachedKeys = 256

    private let bits: ClosedRange<Int>
    /// Decoded keys by their SubjectPublicKeyInfo.
    public private(set) var keys: RecentlyUsed<EncodedKey, PublicKey>

    /// `bits` bounds the modulus of a peer's key; `cachedKeys` says how many decoded keys are kept (a few KiB each).
    public init(bits: ClosedRange<Int> = PublicKey.defaultBits, cachedKeys: Int = Self.defaultCachedKeys) {
        self.bits = bits
        keys = RecentlyUsed(capacity: cachedKeys)
    }

    /// Checks that `ulid` belongs to `parameters`, and that each locator is proven by its method. A list is good as a whole
    /// or not at all.
    ///
    /// - Parameters:
    ///   - ulid: the peer's ULID.
    ///   - parameters: its CGA Parameters data structure, as in the option of that name.
    ///   - generation: the Locator List Generation.
    ///   - members: the locators of the list whose method is HBA.
    ///   - locators: the locators of the list whose method is CGA, in the order of the list.
    ///   - signature: the CGA Signature, without padding. Not looked at if `locators` is empty.
    /// - Throws: the first thing that is wrong.
    public mutating func verify(
        ulid: IPv6Address, parameters octets: [UInt8], generation: UInt32, members: [IPv6Address] = [],
        locators: some Collection<IPv6Address>, signature: [UInt8]
    ) throws(CGAError) {
        let parameters = try CGAParameters(octets)
        if members.isEmpty {
            try parameters.verify(ulid, by: .cga)  // 3972-6-04, 3972-6-07
        } else {
            // The ULID is what ties the set to the peer.
            try parameters.verify(members: [ulid] + members.filter { $0 != ulid })
            guard !locators.isEmpty else { return }
            try parameters.requireKey()
            // Only the ULID's own parameters serve for a signature; those of another member do for hashes.
            guard parameters.subnetPrefix == ulid.high else { throw .subnetPrefix }
        }
        let message = SignedLocatorList.octets(generation: generation, locators: locators)
        let name = EncodedKey(octets: parameters.publicKey)
        if let key = keys.value(for: name) {
            return try key.verify(signature, over: message)
        }
        let key = try PublicKey(subjectPublicKeyInfo: name.octets, bits: bits)
        try key.verify(signature, over: message)
        keys.insert(key, for: name)
    }
}

/// A SubjectPublicKeyInfo as the name of its key. An array hashes octet by octet, which takes longer than the rest.
public struct EncodedKey: Hashable, Sendable {
    let octets: [UInt8]

    public func hash(into hasher: inout Hasher) {
        octets.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}
