import CGA
import Shim6Wire

/// CGAs of one key in any number of prefixes. The costly search is done once.
struct KeyedAddresses {
    let key: PrivateKey
    private let generator: CGAGenerator

    init(bits: Int) throws {
        var random = CryptographicRandom()
        key = try PrivateKey.generate(bits: bits)
        var generator = try CGAGenerator(
            publicKey: key.subjectPublicKeyInfo, sec: 1, modifier: UInt128(random.next()) << 64 | UInt128(random.next())
        )
        try generator.search()
        self.generator = generator
    }

    /// The addresses of host `number`, in prefixes that no other host has.
    func host(_ number: Int, locators: Int) throws -> [CGAIdentity] {
        try (0..<locators).map { locator in
            let prefix = 0x2001_0db8_0000_0000 | UInt64(number) << 8 | UInt64(locator)
            let made = try generator.address(in: prefix)
            return try CGAIdentity(address: made.address, parameters: made.parameters, privateKey: key)
        }
    }
}
