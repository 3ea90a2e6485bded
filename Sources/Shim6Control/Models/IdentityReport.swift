import Shim6Wire

/// The answer to `identity`: the key of this host, and the addresses that it proves.
public struct IdentityReport: Codable, Hashable, Sendable {
    /// One cryptographic address.
    public struct Address: Codable, Hashable, Sendable {
        public var address: IPv6Address
        /// `hba` for a member of an HBA set, else `cga`.
        public var method: String
        /// Sec of RFC 3972, section 2.
        public var securityParameter: Int
        public var collisionCount: Int
        /// The interface that it is on; nil if it is on none.
        public var interface: String?
        /// It was replaced, and is kept for the contexts that have it as ULID, or until its successor can be used.
        public var old: Bool
        /// How many contexts have it as their ULID.
        public var ulidOf: Int

        public init(
            address: IPv6Address, method: String, securityParameter: Int, collisionCount: Int, interface: String?,
            old: Bool, ulidOf: Int
        ) {
            self.address = address
            self.method = method
            self.securityParameter = securityParameter
            self.collisionCount = collisionCount
            self.interface = interface
            self.old = old
            self.ulidOf = ulidOf
        }
    }

    /// Where the private key is kept.
    public var keyFile: String
    public var keyBits: Int
    /// It was brought along by `private-key` and `parameters`: the daemon makes nothing.
    public var broughtAlong: Bool
    /// A key or address is being made.
    public var making: Bool
    /// Those in use first.
    public var addresses: [Address]
    /// Prefixes in which three addresses in a row were taken by others; `create` or `rotate` tries again.
    public var exhausted: [String]

    public init(
        keyFile: String, keyBits: Int, broughtAlong: Bool, making: Bool, addresses: [Address], exhausted: [String]
    ) {
        self.keyFile = keyFile
        self.keyBits = keyBits
        self.broughtAlong = broughtAlong
        self.making = making
        self.addresses = addresses
        self.exhausted = exhausted
    }
}
