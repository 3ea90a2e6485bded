import CGA
import COpenSSL
import Glibc
import Shim6Wire
import Testing

/// What OpenSSL has allocated and not freed, in the process of the test below, which has one thread.
nonisolated(unsafe) private var liveBlocks = 0

@Suite("Memory of OpenSSL")
struct LeakTests {
    // In a process of its own, where nothing else allocates.
    @Test("Keys, signatures, codes and refused input leave no memory and no error behind")
    func leavesNothing() async {
        await #expect(processExitsWith: .success) {
            let counted = CRYPTO_set_mem_functions(
                { size, _, _ in
                    liveBlocks += 1
                    return malloc(size)
                },
                { block, size, _, _ in
                    if block == nil { liveBlocks += 1 }
                    return realloc(block, size)
                },
                { block, _, _ in
                    if block != nil { liveBlocks -= 1 }
                    free(block)
                })
            guard counted == 1 else { exit(1) }
            let vector = try #require(CGAVectors.all.signature.first)
            let ulid = try address(vector.ulid)
            let locators = try vector.signedLocators
            let der = try CGAVectors.key(vector.key).private_key_der_hex.octets
            let parameters = try CGAParameters(vector.ulid_pds_hex.octets)
            var brokenKey = vector.ulid_pds_hex.octets
            brokenKey[60] ^= 0xff

            func round() throws {
                let identity = try CGAIdentity(address: ulid, parameters: parameters, privateKey: PrivateKey(der: der))
                let signature = try identity.sign(generation: 5, locators: locators)
                // A capacity of zero decodes the key each time.
                var verifier = LocatorListVerifier(cachedKeys: 0)
                try verifier.verify(
                    ulid: ulid, parameters: parameters.octets, generation: 5, locators: locators, signature: signature)
                for refused in [
                    (6, signature, parameters.octets), (5, [1], parameters.octets), (5, signature, brokenKey),
                ] {
                    try? verifier.verify(
                        ulid: ulid, parameters: refused.2, generation: UInt32(refused.0), locators: locators,
                        signature: refused.1)
                }
                _ = try? PrivateKey(der: Array(der.dropLast()))
                _ = try? PrivateKey(pem: Array(KeyFixtures.encryptedPKCS8.utf8))
                _ = try? PrivateKey(pem: Array(KeyFixtures.ellipticCurve.utf8))
                _ = try PrivateKey(der: der).pem()
                let validator = try ValidatorKey(secret: Array(0..<16))
                _ = validator.verify(try validator.code(for: der), of: der)
                guard ERR_peek_error() == 0 else { exit(2) }
            }
            // What OpenSSL fetches once and keeps is there after a few rounds.
            for _ in 0..<5 { try round() }
            let before = liveBlocks
            guard before > 0 else { exit(3) }
            for _ in 0..<20 { try round() }
            guard liveBlocks == before else { exit(4) }
        }
    }
}
