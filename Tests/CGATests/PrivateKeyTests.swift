import COpenSSL
import Requirements
import Testing

@testable import CGA

/// A PEM text and why it is refused.
struct Refused: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let pem: String
    let reason: PrivateKeyError

    init(_ description: String, _ pem: String, _ reason: PrivateKeyError) {
        testDescription = description
        self.pem = pem
        self.reason = reason
    }
}

@Suite("Private keys")
struct PrivateKeyTests {
    @Test("PKCS#8 and PKCS#1 are read, and the public half is that of the parameters", arguments: CGAVectors.all.keys)
    func readsDER(fixture: CGAVectors.Key) throws {
        let pkcs8 = fixture.private_key_der_hex.octets
        // PKCS#8 of these two keys is 26 octets and then PKCS#1.
        for der in [pkcs8, Array(pkcs8.dropFirst(26))] {
            let key = try PrivateKey(der: der)
            #expect(key.bits == fixture.bits)
            #expect(key.subjectPublicKeyInfo == fixture.spki_hex.octets)
        }
    }

    @Test("PEM that was written is read again", arguments: CGAVectors.all.keys)
    func writesPEM(fixture: CGAVectors.Key) throws {
        let key = try PrivateKey(der: fixture.private_key_der_hex.octets)
        let pem = try key.pem()
        #expect(pem.starts(with: Array("-----BEGIN PRIVATE KEY-----\n".utf8)))
        #expect(pem.last == UInt8(ascii: "\n"))
        let again = try PrivateKey(pem: Array("# a remark\n".utf8) + pem)
        #expect(again.subjectPublicKeyInfo == fixture.spki_hex.octets)
        let message: [UInt8] = [1, 2, 3]
        #expect(try again.sign(message) == key.sign(message))
    }

    @Test(
        "Keys that cannot serve are refused with the reason",
        arguments: [
            Refused("RSA of 512 bits", KeyFixtures.rsa512, .length(512)),
            Refused("elliptic curve", KeyFixtures.ellipticCurve, .notRSA),
            Refused("RSA-PSS", KeyFixtures.rsaPSS, .notRSA),
            Refused("PKCS#8 under a passphrase", KeyFixtures.encryptedPKCS8, .encrypted),
            Refused("PKCS#1 under a passphrase", KeyFixtures.encryptedPKCS1, .encrypted),
            Refused("nothing", "", .unreadable),
            Refused("no PEM", "no key", .unreadable),
            Refused("no DER", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", .unreadable),
            Refused("no end", "-----BEGIN PRIVATE KEY-----\n", .unreadable),
        ])
    func refuses(key: Refused) {
        #expect(throws: key.reason) { try PrivateKey(pem: Array(key.pem.utf8)) }
        #expect(ERR_peek_error() == 0)
    }

    @Test("A cut DER key, and one with something behind it, is refused")
    func refusesCuts() throws {
        let der = try CGAVectors.key("rsa1024").private_key_der_hex.octets
        for count in stride(from: 0, to: der.count, by: 5) {
            #expect(throws: PrivateKeyError.unreadable) { try PrivateKey(der: Array(der.prefix(count))) }
        }
        #expect(throws: PrivateKeyError.unreadable) { try PrivateKey(der: der + [0]) }
        #expect(ERR_peek_error() == 0)
    }

    @Test("A damaged key is refused, or signs as before")
    func refusesDamage() throws {
        let fixture = try CGAVectors.key("rsa1024")
        let der = Array(fixture.private_key_der_hex.octets.dropFirst(26))
        let original = try PrivateKey(der: der)
        let message: [UInt8] = [7]
        var refused = 0
        let indices = stride(from: 8, to: der.count, by: 23)
        for index in indices {
            var damaged = der
            damaged[index] ^= 0x10
            guard let key = try? PrivateKey(der: damaged) else {
                refused += 1
                continue
            }
            #expect(key.subjectPublicKeyInfo == original.subjectPublicKeyInfo)
            #expect(try key.sign(message) == original.sign(message))
        }
        #expect(refused > 0)
    }

    @Test("A new key signs, and goes through PEM")
    func generates() throws {
        let key = try PrivateKey.generate(bits: 1024)
        #expect(key.bits == 1024)
        let other = try PrivateKey.generate(bits: 1024)
        #expect(key.subjectPublicKeyInfo != other.subjectPublicKeyInfo)
        let again = try PrivateKey(pem: key.pem())
        let message = Array("message".utf8)
        let publicKey = try PublicKey(subjectPublicKeyInfo: key.subjectPublicKeyInfo)
        try publicKey.verify(again.sign(message), over: message)
        #expect(throws: CGAError.signature) { try publicKey.verify(other.sign(message), over: message) }
    }

    @Test(
        "A key made for the daemon's defaults yields an identity whose lists verify",
        .requirement("3972-4-20", "3972-3-09"))
    func makesIdentity() throws {
        let key = try PrivateKey.generate(bits: 2048)
        var random = CryptographicRandom()
        var generator = try CGAGenerator(
            publicKey: key.subjectPublicKeyInfo, sec: 1,
            modifier: UInt128(random.next()) << 64 | UInt128(random.next()))
        try generator.search()
        let made = try generator.address(in: 0x2001_0db8_00a1_0000)
        let identity = try CGAIdentity(address: made.address, parameters: made.parameters, privateKey: key)
        let locators = [made.address, try address("2001:db8:a2::1")]
        var verifier = LocatorListVerifier()
        try verifier.verify(
            ulid: identity.address, parameters: identity.parameters.octets, generation: 1, locators: locators,
            signature: identity.sign(generation: 1, locators: locators))
    }

    @Test("Lengths outside 1024 to 4096 bits are not made", arguments: [-1, 0, 512, 1023, 4097, 16384])
    func refusesLength(bits: Int) {
        #expect(throws: PrivateKeyError.length(bits)) { try PrivateKey.generate(bits: bits) }
    }
}
