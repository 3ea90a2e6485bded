import CGA
import Foundation
import Testing

@Suite("Algorithms of libcrypto")
struct LibcryptoTests {
    @Test("A usual host lacks none")
    func findsAll() {
        #expect(Libcrypto.missing().isEmpty)
    }

    // In a process of its own, which reads its own configuration of OpenSSL.
    @Test("Where there are none, all are named as missing, and what needs them fails with an error, not with a trap")
    func namesMissing() async {
        await #expect(processExitsWith: .success) {
            let file = FileManager.default.temporaryDirectory.appending(path: "openssl-\(getpid()).cnf").path
            let text = """
                openssl_conf = start
                [start]
                providers = providers
                [providers]
                base = base
                [base]
                activate = 1

                """
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            setenv("OPENSSL_CONF", file, 1)
            let missing = Libcrypto.missing()
            unlink(file)
            guard missing == ["SHA1", "SIPHASH", "RSA", "random numbers"] else { exit(1) }

            let vector = try CGAVectors.cga("cga-sec1-rsa1024")
            #expect(throws: CGAError.cryptography) { try ValidatorKey(secret: Array(0..<16)) }
            #expect(throws: CGAError.cryptography) {
                try CGAParameters(vector.pds_hex.octets).verify(try address(vector.address))
            }
            #expect(throws: CGAError.cryptography) {
                try PublicKey(subjectPublicKeyInfo: vector.public_key_spki_hex.octets)
            }
            #expect(throws: PrivateKeyError.cryptography) { try PrivateKey.generate(bits: 1024) }
        }
    }
}
