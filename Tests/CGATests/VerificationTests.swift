import Requirements
import Shim6Wire
import Testing

@testable import CGA

@Suite("CGA verification")
struct VerificationTests {
    @Test(
        "An address verifies with its parameters",
        .requirement("3972-5-01", "3972-3-12", "3972-3-13", "3972-5-04", "3972-5-12", "3972-5-13"),
        arguments: CGAVectors.all.cga)
    func verifies(vector: CGAVectors.CGA) throws {
        let parameters = try CGAParameters(vector.pds_hex.octets)
        try parameters.verify(try address(vector.address))
        try parameters.verify(try address(vector.address), by: .cga)
    }

    @Test(
        "Addresses that must be refused are, and only those",
        .requirement("3972-5-02", "3972-5-03", "3972-5-05", "5535-7.2-01", "5535-7.2-02", "5535-7.2-04"),
        arguments: CGAVectors.all.negative)
    func refuses(vector: CGAVectors.Negative) throws {
        let method: VerificationMethod = try #require(["cga": .cga, "hba": .hba][vector.verify])
        let ulid = try address(vector.address)
        let expected: CGAError? = [
            "cc3": .collisionCount, "wrong-prefix": .subnetPrefix, "sec-raised-to-2": .hash2,
            "iid-bit5-flipped": .hash1,
            "hba-cross-cga": .subnetPrefix, "hba-foreign-prefix": .subnetPrefix,
            "hba-no-extension": .methodContradictsParameters, "hba-p-flag-flipped": .hash1, "hba-prefix-order": .hash1,
        ][vector.name]
        #expect((expected == nil) == vector.expect)
        var thrown: CGAError?
        do throws(CGAError) {
            let parameters = try CGAParameters(vector.pds_hex.octets)
            switch method {
            case .cga: try parameters.verify(ulid)
            case .hba: try parameters.verify(ulid, by: .hba)
            }
        } catch {
            thrown = error
        }
        #expect(thrown == expected)
    }

    @Test(
        "Every bit of the interface identifier counts but Sec, u and g",
        .requirement("3972-2-01", "3972-2-04", "3972-5-05", "3972-5-11", "3972-7.1-01"))
    func comparesHashBits() throws {
        let vector = try CGAVectors.cga("cga-sec1-rsa1024")
        let parameters = try CGAParameters(vector.pds_hex.octets)
        let good = try address(vector.address)
        var passing: [Int] = []
        for bit in 0..<64 {
            let changed = IPv6Address(high: good.high, low: good.low ^ (1 << (63 - bit)))
            if (try? parameters.verify(changed)) != nil { passing.append(bit) }
        }
        // Bit 2 is the low bit of Sec, which falls from 1 to 0; bits 0 and 1 make Sec 5 and 3.
        #expect(passing == [2, 6, 7])
    }

    @Test("Every bit of the prefix counts", .requirement("3972-3-03", "3972-5-03"))
    func comparesPrefixBits() throws {
        let vector = try CGAVectors.cga("cga-sec0-rsa1024")
        let parameters = try CGAParameters(vector.pds_hex.octets)
        let good = try address(vector.address)
        for bit in 0..<64 {
            #expect(throws: CGAError.subnetPrefix) {
                try parameters.verify(IPv6Address(high: good.high ^ 1 << bit, low: good.low))
            }
        }
    }

    @Test(
        "Sec 3 to 7 in an address is refused",
        .requirement("4982-6-02", "4982-4.1-01", "4982-4.1-02", "4982-5-03", "3972-5-06", "3972-5-14"))
    func refusesUnassignedSec() throws {
        let vector = try CGAVectors.cga("cga-sec1-rsa1024")
        let parameters = try CGAParameters(vector.pds_hex.octets)
        let good = try address(vector.address)
        for sec: UInt64 in 3...7 {
            #expect(throws: CGAError.unassignedSec) {
                try parameters.verify(IPv6Address(high: good.high, low: good.low & (1 << 61 - 1) | sec << 61))
            }
        }
    }

    @Test("Sec is read from the three leftmost bits", .requirement("3972-2-02", "3972-5-06"))
    func readsSec() throws {
        let vector = try CGAVectors.cga("cga-sec1-rsa1024")
        let parameters = try CGAParameters(vector.pds_hex.octets)
        let good = try address(vector.address)
        let outcomes = (0..<8).map { (sec: UInt64) -> CGAError? in
            do throws(CGAError) {
                try parameters.verify(IPv6Address(high: good.high, low: good.low & (1 << 61 - 1) | sec << 61))
                return nil
            } catch {
                return error
            }
        }
        #expect(outcomes == [nil, nil, .hash2] + [CGAError?](repeating: .unassignedSec, count: 5))
    }

    @Test(
        "A verification takes two hashes at most, one with Sec 0, and none where a cheap check fails",
        .requirement("3972-5-15", "3972-5-09"))
    func countsHashes() throws {
        func hashes(_ parameters: CGAParameters, _ addresses: [IPv6Address]) throws -> Int {
            let sha1 = try SHA1()
            var count = 0
            do throws(CGAError) {
                var hashes = try VerificationHashes(of: parameters) { (octets) throws(CGAError) in
                    count += 1
                    return try sha1.digest(of: octets)
                }
                for address in addresses { try hashes.verify(address) }
            } catch {}
            return count
        }
        for vector in CGAVectors.all.cga {
            let parameters = try CGAParameters(vector.pds_hex.octets)
            let good = try address(vector.address)
            #expect(try hashes(parameters, [good]) == (vector.sec == 0 ? 1 : 2))
            #expect(try hashes(parameters, [IPv6Address(high: good.high, low: good.low ^ 1)]) == 1)
        }
        for vector in CGAVectors.all.hba {
            let parameters = try CGAParameters(try #require(vector.members.first).pds_hex.octets)
            let members = try vector.members.map { try address($0.address) }
            #expect(try hashes(parameters, members) == members.count + (vector.sec == 0 ? 0 : 1))
        }
        var octets = try CGAVectors.cga("cga-sec1-rsa1024").pds_hex.octets
        octets[24] = 3
        #expect(try hashes(CGAParameters(octets), [address("::1")]) == 0)
    }

    @Test("The first failing step names the reason", .requirement("3972-5-09"))
    func stopsAtFirstFailure() throws {
        // Collision Count 3, wrong prefix and wrong hash at once, then one less each time.
        let vector = try CGAVectors.cga("cga-sec0-rsa1024")
        var octets = vector.pds_hex.octets
        let other = try address("2001:db8:9:9::1")
        octets[24] = 3
        #expect(throws: CGAError.collisionCount) { try CGAParameters(octets).verify(other) }
        octets[24] = 2
        #expect(throws: CGAError.subnetPrefix) { try CGAParameters(octets).verify(other) }
        octets.replaceSubrange(16..<24, with: other.octets[0..<8])
        #expect(throws: CGAError.hash1) { try CGAParameters(octets).verify(other) }
    }

    @Test(
        "Unknown extensions are hashed and otherwise ignored",
        .requirement("3972-3-11", "3972-3-14", "3972-5-18", "3972-5-19", "4581-2-05", "4581-3-01"))
    func hashesUnknownExtensions() throws {
        let vector = try CGAVectors.cga("cga-sec1-unknown-ext")
        let ulid = try address(vector.address)
        let parameters = try CGAParameters(vector.pds_hex.octets)
        try parameters.verify(ulid)
        #expect(Array(parameters.extensions) == vector.extensions_hex.octets)
        #expect(!parameters.extensions.isEmpty)
        var changed = vector.pds_hex.octets
        changed[changed.count - 1] ^= 1
        #expect(throws: CGAError.hash1) { try CGAParameters(changed).verify(ulid) }
        #expect(throws: CGAError.hash1) { try CGAParameters(changed + [0]).verify(ulid) }

        // An extension that cannot be read is no reason to refuse the address either.
        let broken = try CGAGenerator(
            publicKey: parameters.publicKey, sec: 0, modifier: 1, extensions: [0xff, 0xfd, 0xff, 0xff, 1]
        ).address(in: ulid.high)
        try broken.parameters.verify(broken.address, by: .cga)
        #expect(throws: CGAError.malformedExtension) { try broken.parameters.verify(broken.address, by: .hba) }
    }

    @Test(
        "The types for experiments serve as unknown extensions, several in a row and beside Multi-Prefix",
        .requirement("4581-3-01", "4581-2-04", "3972-5-18"), arguments: [0xfffd, 0xfffe, 0xffff] as [UInt16])
    func experimentalExtensions(type: UInt16) throws {
        let prefix: UInt64 = 0x2001_0db8_0042_0001
        let unknown = try #require(CGAExtension(type: type, data: [1, 2, 3]).octets)
        let set = try #require(MultiPrefix(hasPublicKey: true, subnetPrefixes: [prefix]).extensionField.octets)
        let key = try CGAVectors.key("rsa1024").spki_hex.octets
        for extensions in [unknown, unknown + unknown, unknown + set, set + unknown] {
            let made = try CGAGenerator(publicKey: key, sec: 0, extensions: extensions).address(in: prefix)
            try made.parameters.verify(made.address, by: .cga)
            #expect(try made.parameters.parsedExtensions().contains(CGAExtension(type: type, data: [1, 2, 3])))
            let isMember = (try? made.parameters.verify(made.address, by: .hba)) != nil
            #expect(isMember == (extensions.count > 14))
        }
    }

    @Test(
        "Modifier, Collision Count and key are part of both hashes as they should be",
        .requirement("3972-3-13", "3972-5-07"))
    func hashInputs() throws {
        let vector = try CGAVectors.cga("cga-sec1-rsa2048-cc2")
        let parameters = try CGAParameters(vector.pds_hex.octets)
        for (offset, changesHash2) in [
            (0, true), (15, true), (16, false), (23, false), (24, false), (40, true), (318, true),
        ] {
            var octets = vector.pds_hex.octets
            octets[offset] ^= 1
            let changed = try CGAParameters(octets)
            #expect(try changed.hash1 != parameters.hash1)
            #expect(try (changed.hash2 != parameters.hash2) == changesHash2)
        }
        var input = vector.pds_hex.octets
        input.replaceSubrange(16..<25, with: [UInt8](repeating: 0, count: 9))
        #expect(input == vector.hash2_input_hex.octets)
    }
}
