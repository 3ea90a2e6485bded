import CGA

/// What takes long when an identity is made: the key, and the search for a Modifier (RFC 3972, section 4, steps 1 to 3).
struct IdentityJob: Sendable {
    /// Nil: one is made, of `keyBits`.
    var key: PrivateKey?
    var keyBits: Int
    /// Sec of the addresses.
    var securityParameter: Int
    /// The leftmost 64 bits of the addresses wanted.
    var prefixes: [UInt64]
    /// One HBA set over all prefixes, which is good for signatures as well (RFC 5535); else a CGA in each.
    var isSet: Bool

    struct Product: Sendable {
        var key: PrivateKey
        /// One for each prefix.
        var parameters: [CGAParameters]
    }

    /// Uses one processor: the host has other work. `shouldContinue` is asked every few milliseconds.
    ///
    /// Throws `PrivateKeyError`, or `CGAGenerationError`: `cancelled` if it should not continue.
    func run(while shouldContinue: @Sendable () -> Bool) throws -> Product {
        let key = try key ?? PrivateKey.generate(bits: keyBits)  // 3972-7.1-03, 3972-7.1-04
        var random = CryptographicRandom()
        let modifier = UInt128.random(in: 0 ... .max, using: &random)
        let publicKey = key.subjectPublicKeyInfo
        if isSet {
            var set = try HBAGenerator(
                subnetPrefixes: prefixes, publicKey: publicKey, sec: securityParameter, modifier: modifier)
            try set.generator.search(threads: 1) { _ in shouldContinue() }
            return Product(key: key, parameters: try set.addresses().map(\.parameters))
        }
        // One search serves every prefix.
        var generator = try CGAGenerator(publicKey: publicKey, sec: securityParameter, modifier: modifier)
        try generator.search(threads: 1) { _ in shouldContinue() }
        return Product(key: key, parameters: try prefixes.map { try generator.address(in: $0).parameters })
    }
}
