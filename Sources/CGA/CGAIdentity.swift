import Shim6Wire

/// One of this host's CGAs with what proves it: the parameters and the private key. The counterpart of
/// `LocatorListVerifier`.
public struct CGAIdentity: Sendable {
    public let address: IPv6Address
    public let parameters: CGAParameters
    private let privateKey: PrivateKey

    /// Throws what `CGAParameters.verify(_:)` throws if `address` was not made from `parameters`, `keyMismatch` if the
    /// public key in them is not that of `privateKey`.
    public init(address: IPv6Address, parameters: CGAParameters, privateKey: PrivateKey) throws(CGAError) {
        try parameters.verify(address)
        guard parameters.publicKey == privateKey.subjectPublicKeyInfo else { throw .keyMismatch }
        self.address = address
        self.parameters = parameters
        self.privateKey = privateKey
    }

    /// The CGA Signature of a Locator List (RFC 5533, section 5.15.5). `locators` are those of the list whose method is
    /// CGA, in the order of the list. The same list gives the same signature, so it may be kept.
    ///
    /// Throws `cryptography`.
    public func sign(generation: UInt32, locators: some Collection<IPv6Address>) throws(CGAError) -> [UInt8] {
        try privateKey.sign(SignedLocatorList.octets(generation: generation, locators: locators))
    }
}
