import COpenSSL
import Requirements
import Shim6Wire
import Testing

@testable import CGA

@Suite("Shim6 CGA signature")
struct SignatureTests {
    private func verify(
        _ vector: CGAVectors.Signature, ulid: IPv6Address? = nil, parameters: [UInt8]? = nil, generation: UInt32? = nil,
        locators: [IPv6Address]? = nil, signature: [UInt8]? = nil
    ) throws {
        var verifier = LocatorListVerifier()
        try verifier.verify(
            ulid: ulid ?? address(vector.ulid), parameters: parameters ?? vector.ulid_pds_hex.octets,
            generation: generation ?? vector.generation, locators: locators ?? vector.signedLocators,
            signature: signature ?? vector.signature_hex.octets)
    }

    @Test(
        "Signing a list gives the expected octets",
        .requirement("5533-5.15.5-01", "5533-5.15.5-02", "5533-5.15.5-04", "3972-6-01", "3972-6-02", "3972-7.4-02"),
        arguments: CGAVectors.all.signature)
    func signs(vector: CGAVectors.Signature) throws {
        let key = try PrivateKey(der: CGAVectors.key(vector.key).private_key_der_hex.octets)
        let identity = try CGAIdentity(
            address: address(vector.ulid), parameters: CGAParameters(vector.ulid_pds_hex.octets), privateKey: key)
        let locators = try vector.signedLocators
        #expect(
            SignedLocatorList.octets(generation: vector.generation, locators: locators)
                == vector.signed_message_hex.octets)
        #expect(try identity.sign(generation: vector.generation, locators: locators) == vector.signature_hex.octets)
    }

    @Test(
        "A signed list verifies, and again with the key kept", .requirement("3972-6-04", "3972-6-05", "5533-16-01"),
        arguments: CGAVectors.all.signature)
    func verifies(vector: CGAVectors.Signature) throws {
        var verifier = LocatorListVerifier()
        for _ in 0..<3 {
            try verifier.verify(
                ulid: address(vector.ulid), parameters: vector.ulid_pds_hex.octets, generation: vector.generation,
                locators: vector.signedLocators, signature: vector.signature_hex.octets)
            #expect(verifier.keys.count == 1)
        }
        #expect(throws: CGAError.signature) {
            try verifier.verify(
                ulid: address(vector.ulid), parameters: vector.ulid_pds_hex.octets, generation: vector.generation &+ 1,
                locators: vector.signedLocators, signature: vector.signature_hex.octets)
        }
    }

    @Test(
        "A signature over anything else is refused",
        .requirement("5533-5.15.5-02", "5533-5.15.5-03", "5533-5.15.5-05", "3972-6-07"),
        arguments: CGAVectors.all.signature)
    func refusesOtherLists(vector: CGAVectors.Signature) throws {
        let locators = try vector.signedLocators
        #expect(throws: CGAError.signature) { try verify(vector, generation: vector.generation ^ 1) }
        #expect(throws: CGAError.signature) { try verify(vector, locators: locators.reversed()) }
        #expect(throws: CGAError.signature) { try verify(vector, locators: locators.dropLast()) }
        #expect(throws: CGAError.signature) { try verify(vector, locators: []) }
        #expect(throws: CGAError.signature) { try verify(vector, locators: locators + [locators[0]]) }
        // The HBA locator of the list is not signed.
        let whole = try vector.locators.map { try address($0.address) }
        #expect(whole.count == locators.count + 1)
        #expect(throws: CGAError.signature) { try verify(vector, locators: whole) }
    }

    @Test("Every bit of a signature counts", arguments: CGAVectors.all.signature)
    func refusesChangedSignature(vector: CGAVectors.Signature) throws {
        for index in vector.signature_hex.octets.indices {
            var signature = vector.signature_hex.octets
            signature[index] ^= 1 << (index % 8)
            #expect(throws: CGAError.signature) { try verify(vector, signature: signature) }
        }
        for octet: UInt8 in [0, 1, 0xff] {
            let signature = [UInt8](repeating: octet, count: vector.signature_hex.octets.count)
            #expect(throws: CGAError.signature) { try verify(vector, signature: signature) }
            // Nothing is left for whoever looks at this thread's errors next.
            #expect(ERR_peek_error() == 0)
        }
    }

    @Test("A signature of another length is refused", arguments: CGAVectors.all.signature)
    func refusesOtherLength(vector: CGAVectors.Signature) throws {
        let signature = vector.signature_hex.octets
        for wrong in [[], Array(signature.dropLast()), Array(signature.dropFirst()), signature + [0], [0] + signature] {
            #expect(throws: CGAError.signatureLength) { try verify(vector, signature: wrong) }
        }
    }

    @Test(
        "A good signature is worth nothing with parameters that are not those of the ULID",
        .requirement("3972-6-04", "3972-6-07", "3972-7.4-01"))
    func refusesForeignParameters() throws {
        let vector = try #require(CGAVectors.all.signature.first { $0.key == "rsa1024" })
        let ulid = try address(vector.ulid)
        #expect(throws: CGAError.hash1) {
            try verify(vector, ulid: IPv6Address(high: ulid.high, low: ulid.low ^ 1))
        }
        #expect(throws: CGAError.subnetPrefix) {
            try verify(vector, ulid: IPv6Address(high: ulid.high ^ 1, low: ulid.low))
        }
        // Parameters of the same ULID form but another key: the address check passes, the signature is not theirs.
        let other = try CGAGenerator(
            publicKey: CGAVectors.key("rsa2048").spki_hex.octets, sec: 0, modifier: 3
        ).address(in: ulid.high)
        #expect(throws: CGAError.signatureLength) {
            try verify(vector, ulid: other.address, parameters: other.parameters.octets)
        }
    }

    @Test("A key below 1024 bits is refused although its CGA is right", .requirement("5533-16-02"))
    func refusesShortKey() throws {
        let vector = try CGAVectors.cga("rfc3972-appendix-a")
        let ulid = try address(vector.address)
        try CGAParameters(vector.pds_hex.octets).verify(ulid)
        var verifier = LocatorListVerifier()
        #expect(throws: CGAError.keyTooShort) {
            try verifier.verify(
                ulid: ulid, parameters: vector.pds_hex.octets, generation: 1, locators: [ulid],
                signature: [UInt8](repeating: 1, count: 64))
        }
    }

    @Test("An HBA without key cannot sign", .requirement("5533-7.2-07", "5535-4-04"))
    func refusesHBAWithoutKey() throws {
        let vector = try #require(CGAVectors.all.hba.first { $0.p_flag == 0 })
        let member = try #require(vector.members.first)
        let ulid = try address(member.address)
        var verifier = LocatorListVerifier()
        #expect(throws: CGAError.methodContradictsParameters) {
            try verifier.verify(
                ulid: ulid, parameters: member.pds_hex.octets, generation: 1, locators: [ulid],
                signature: [UInt8](repeating: 1, count: 48))
        }
    }

    @Test("A key is kept only after it has verified a signature")
    func keepsProvenKeys() throws {
        let vector = try #require(CGAVectors.all.signature.first)
        var verifier = LocatorListVerifier()
        #expect(throws: CGAError.signature) {
            try verifier.verify(
                ulid: address(vector.ulid), parameters: vector.ulid_pds_hex.octets, generation: vector.generation ^ 1,
                locators: vector.signedLocators, signature: vector.signature_hex.octets)
        }
        #expect(verifier.keys.count == 0)
    }

    @Test("An identity needs parameters of its address and of its key", .requirement("3972-6-07"))
    func refusesInconsistentIdentity() throws {
        let vector = try #require(CGAVectors.all.signature.first { $0.key == "rsa1024" })
        let parameters = try CGAParameters(vector.ulid_pds_hex.octets)
        let right = try PrivateKey(der: CGAVectors.key("rsa1024").private_key_der_hex.octets)
        let wrong = try PrivateKey(der: CGAVectors.key("rsa2048").private_key_der_hex.octets)
        let ulid = try address(vector.ulid)
        #expect(throws: CGAError.keyMismatch) {
            try CGAIdentity(address: ulid, parameters: parameters, privateKey: wrong)
        }
        #expect(throws: CGAError.hash1) {
            try CGAIdentity(
                address: IPv6Address(high: ulid.high, low: ulid.low ^ 1), parameters: parameters, privateKey: right)
        }
    }

    @Test(
        "Signatures are those of OpenSSL's own SHA-1 scheme, and no other hash or padding passes",
        .requirement("5533-5.15.5-04", "3972-6-06"))
    func agreesWithOpenSSL() throws {
        let fixture = try CGAVectors.key("rsa1024")
        let key = try PrivateKey(der: fixture.private_key_der_hex.octets)
        let publicKey = try PublicKey(subjectPublicKeyInfo: fixture.spki_hex.octets)
        let message = Array("a list of locators".utf8)
        let der = fixture.private_key_der_hex.octets
        #expect(try key.sign(message) == opensslSignature(der, message, EVP_sha1(), RSA_PKCS1_PADDING))
        for (digest, padding) in [(EVP_sha256(), RSA_PKCS1_PADDING), (EVP_sha1(), RSA_PKCS1_PSS_PADDING)] {
            let signature = try opensslSignature(der, message, digest, padding)
            #expect(throws: CGAError.signature) { try publicKey.verify(signature, over: message) }
        }
    }

    @Test("Shorter keys serve where the caller allows them", .requirement("3972-5-16", "3972-3-09"))
    func verifiesShortKeys() throws {
        let pem = Array(KeyFixtures.rsa512.utf8)
        let key = pem.withUnsafeBytes { buffer in
            let source = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count))
            defer { BIO_free(source) }
            return PEM_read_bio_PrivateKey(source, nil, nil, nil)
        }
        defer { EVP_PKEY_free(key) }
        var der = [UInt8](repeating: 0, count: Int(i2d_PrivateKey(key, nil)))
        var spki = [UInt8](repeating: 0, count: Int(i2d_PUBKEY(key, nil)))
        der.withUnsafeMutableBufferPointer { buffer in
            var cursor = buffer.baseAddress
            _ = i2d_PrivateKey(key, &cursor)
        }
        spki.withUnsafeMutableBufferPointer { buffer in
            var cursor = buffer.baseAddress
            _ = i2d_PUBKEY(key, &cursor)
        }
        let message: [UInt8] = [1, 2, 3]
        let publicKey = try PublicKey(subjectPublicKeyInfo: spki, bits: 384...2048)
        try publicKey.verify(opensslSignature(der, message, EVP_sha1(), RSA_PKCS1_PADDING), over: message)
        #expect(throws: CGAError.keyTooShort) { try PublicKey(subjectPublicKeyInfo: spki) }
    }

    private func opensslSignature(
        _ der: [UInt8], _ message: [UInt8], _ digest: OpaquePointer?, _ padding: Int32
    ) throws -> [UInt8] {
        let key = der.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return d2i_AutoPrivateKey(nil, &cursor, buffer.count)
        }
        defer { EVP_PKEY_free(key) }
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        var inner: OpaquePointer?
        var signature = [UInt8](repeating: 0, count: Int(EVP_PKEY_get_size(key)))
        var length = signature.count
        try #require(EVP_DigestSignInit(context, &inner, digest, nil, key) == 1)
        try #require(EVP_PKEY_CTX_set_rsa_padding(inner, padding) == 1)
        try #require(EVP_DigestSign(context, &signature, &length, message, message.count) == 1)
        return Array(signature.prefix(length))
    }

    @Test("One decoded key serves several threads")
    func verifiesConcurrently() async throws {
        let vector = try #require(CGAVectors.all.signature.first)
        let key = try PublicKey(subjectPublicKeyInfo: CGAVectors.key(vector.key).spki_hex.octets)
        let verified = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    (0..<50).count { _ in
                        (try? key.verify(vector.signature_hex.octets, over: vector.signed_message_hex.octets)) != nil
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(verified == 200)
    }
}
