import Requirements
import Shim6Wire
import Testing

@testable import CGA

@Suite("HBA")
struct HBATests {
    private func makeSet(for vector: CGAVectors.HBA) throws -> HBAGenerator {
        let prefixes = try vector.prefixes.map { try address($0).high }
        if let extended = vector.extended_modifier_hex {
            return try HBAGenerator(
                subnetPrefixes: prefixes, extendedModifier: extended.octets, sec: vector.sec,
                modifier: vector.initial_modifier_hex.number)
        }
        return try HBAGenerator(
            subnetPrefixes: prefixes, publicKey: try #require(vector.public_key_spki_hex).octets, sec: vector.sec,
            modifier: vector.initial_modifier_hex.number)
    }

    @Test(
        "Generation of a set yields exactly the expected members",
        .requirement("5535-6-08", "5535-6-10", "5535-6-11", "5535-6-13", "5535-6-14", "5535-6-18"),
        arguments: CGAVectors.all.hba)
    func generates(vector: CGAVectors.HBA) throws {
        var set = try makeSet(for: vector)
        try set.generator.search()
        #expect(set.generator.modifier == vector.final_modifier_hex.number)
        #expect(set.generator.attempts == (vector.sec == 0 ? 0 : vector.hash2_iterations))
        let made = try set.addresses(collisionCount: vector.collision_count)
        #expect(made.count == vector.members.count)
        for (made, member) in zip(made, vector.members) {
            #expect(made.address == (try address(member.address)))
            #expect(made.parameters.octets == member.pds_hex.octets)
            #expect(try made.parameters.hash2 == vector.hash2_hex.octets)
            #expect(Array(made.parameters.extensions) == vector.multi_prefix_extension_hex.octets)
        }
    }

    @Test(
        "A collision of one member moves the whole set",
        .requirement("5535-6-12", "5535-6-16", "5535-6-17"),
        arguments: CGAVectors.all.hba.filter { !$0.sets_rejected_by_dad.isEmpty })
    func countsCollisions(vector: CGAVectors.HBA) throws {
        var set = try makeSet(for: vector)
        #expect(throws: CGAGenerationError.searchNotFinished) { try set.addresses() }
        try set.generator.search()
        for (count, rejected) in vector.sets_rejected_by_dad.enumerated() {
            let expected = try rejected.map { try address($0) }
            #expect(try set.addresses(collisionCount: count).map(\.address) == expected)
        }
        #expect(throws: CGAGenerationError.tooManyCollisions) { try set.addresses(collisionCount: 3) }
    }

    @Test(
        "Any member verifies with the parameters of any other",
        .requirement("5535-3.2-01", "5535-7.1-01", "5535-7.2-01", "5535-7.2-03", "5535-7.2-06", "5535-7.2-12"),
        arguments: CGAVectors.all.hba)
    func verifies(vector: CGAVectors.HBA) throws {
        for owner in vector.members {
            let parameters = try CGAParameters(owner.pds_hex.octets)
            #expect(try parameters.multiPrefix()?.hasPublicKey == (vector.p_flag == 1))
            for member in vector.members {
                let address = try address(member.address)
                try parameters.verify(address, by: .hba)
                if member.address == owner.address {
                    try parameters.verify(address)
                } else {
                    #expect(throws: CGAError.subnetPrefix) { try parameters.verify(address) }
                }
            }
        }
    }

    @Test(
        "A whole set is checked at once and each member alone, with parameters that stay as they are",
        .requirement("5535-7.2-07", "5535-7.2-13", "5535-1-01"), arguments: CGAVectors.all.hba)
    func verifiesAtOnce(vector: CGAVectors.HBA) throws {
        let members = try vector.members.map { try address($0.address) }
        #expect(Set(members.map(\.low)).count == members.count)
        for owner in vector.members {
            let parameters = try CGAParameters(owner.pds_hex.octets)
            try parameters.verify(members: members)
            for member in members { try parameters.verify(members: [member]) }
            #expect(parameters.octets == owner.pds_hex.octets)
            for index in members.indices {
                var wrong = members
                wrong[index].low ^= 1
                #expect(throws: CGAError.hash1) { try parameters.verify(members: wrong) }
                wrong = members
                wrong[index].high ^= 1
                #expect(throws: CGAError.subnetPrefix) { try parameters.verify(members: wrong) }
                // One member's Sec alone is above what Hash2 gives.
                wrong = members
                wrong[index].low |= 1 << 62
                #expect(throws: vector.sec == 0 ? CGAError.hash2 : .unassignedSec) {
                    try parameters.verify(members: wrong)
                }
            }
        }
    }

    @Test(
        "Parameters without the extension are of a CGA alone: nothing but a signature proves more locators",
        .requirement("5535-4-02", "5535-7.2-04"), arguments: CGAVectors.all.cga)
    func aloneWithoutExtension(vector: CGAVectors.CGA) throws {
        let parameters = try CGAParameters(vector.pds_hex.octets)
        let ulid = try address(vector.address)
        #expect(try parameters.multiPrefix() == nil)
        #expect(throws: CGAError.methodContradictsParameters) { try parameters.verify(members: [ulid]) }
        var verifier = LocatorListVerifier(bits: 512...4096)
        #expect(throws: CGAError.methodContradictsParameters) {
            try verifier.verify(
                ulid: ulid, parameters: parameters.octets, generation: 1, members: [ulid], locators: [], signature: [])
        }
        #expect(throws: CGAError.signatureLength) {
            try verifier.verify(
                ulid: ulid, parameters: parameters.octets, generation: 1, locators: [ulid], signature: [])
        }
    }

    @Test("The method CGA contradicts a set without a key", .requirement("5533-7.2-07", "5535-4-04"))
    func refusesSignatureWithoutKey() throws {
        for vector in CGAVectors.all.hba {
            let member = try #require(vector.members.first)
            let parameters = try CGAParameters(member.pds_hex.octets)
            let address = try address(member.address)
            if vector.p_flag == 1 {
                try parameters.verify(address, by: .cga)
            } else {
                #expect(throws: CGAError.methodContradictsParameters) { try parameters.verify(address, by: .cga) }
            }
        }
    }

    @Test("Reserved bits are hashed but not judged", .requirement("5535-5-05", "5535-5-06"))
    func toleratesReservedBits() throws {
        var data = MultiPrefix(hasPublicKey: true, subnetPrefixes: [0x2001_0db8_000a_0001]).extensionField.data
        #expect(data[0..<4] == [0x80, 0, 0, 0])
        data.replaceSubrange(0..<4, with: [0xff, 0xff, 0xff, 0xff])
        let field = try #require(CGAExtension(type: 0x0012, data: data).octets)
        let made = try CGAGenerator(
            publicKey: try CGAVectors.key("rsa1024").spki_hex.octets, sec: 0, modifier: 5, extensions: field
        ).address(in: 0x2001_0db8_000a_0001)
        try made.parameters.verify(made.address, by: .hba)
        #expect(try made.parameters.multiPrefix()?.hasPublicKey == true)
    }

    @Test(
        "A Multi-Prefix extension of an impossible length is refused", .requirement("5535-5-02", "5535-5-08"),
        arguments: [0, 1, 3, 5, 8, 11, 13, 16])
    func refusesBrokenExtension(length: Int) throws {
        let field = try #require(CGAExtension(type: 0x0012, data: [UInt8](repeating: 0x80, count: length)).octets)
        let made = try CGAGenerator(
            publicKey: try CGAVectors.key("rsa1024").spki_hex.octets, sec: 0, modifier: 5, extensions: field
        ).address(in: 0x8080_8080_8080_8080)
        #expect(throws: CGAError.malformedExtension) { try made.parameters.verify(made.address, by: .hba) }
        try made.parameters.verify(made.address)
    }

    @Test(
        "A set needs prefixes, all different, and 384 bits in place of a key",
        .requirement("5535-6-01", "5535-6-02", "5535-6-07"))
    func refusesBadInput() throws {
        let extended = [UInt8](repeating: 0x81, count: 48)
        for prefixes: [UInt64] in [[], [1, 2, 1], Array(0..<8192)] {
            #expect(throws: CGAGenerationError.prefixes) {
                try HBAGenerator(subnetPrefixes: prefixes, extendedModifier: extended, sec: 0, modifier: 0)
            }
        }
        #expect(throws: CGAGenerationError.malformedPublicKey) {
            try HBAGenerator(subnetPrefixes: [1], extendedModifier: Array(extended.dropLast()), sec: 0, modifier: 0)
        }
        #expect(throws: CGAGenerationError.unassignedSec(3)) {
            try HBAGenerator(subnetPrefixes: [1], extendedModifier: extended, sec: 3, modifier: 0)
        }
    }

    @Test(
        "Members are CGAs in form, differ from each other and share all but the prefix",
        .requirement("5535-1-01", "5535-4-01", "5535-6-03", "5535-6-15"), arguments: CGAVectors.all.hba)
    func membersAreCGAs(vector: CGAVectors.HBA) throws {
        var set = try makeSet(for: vector)
        try set.generator.search()
        let made = try set.addresses()
        #expect(try made.map(\.address.high) == vector.prefixes.map { try address($0).high })
        #expect(Set(made.map(\.address.low)).count == made.count)
        for (address, parameters) in made {
            #expect(address.low >> 61 == UInt64(vector.sec))
            #expect(address.low & 0x0300_0000_0000_0000 == 0)
            #expect(parameters.subnetPrefix == address.high)
            var shared = parameters
            shared.subnetPrefix = made[0].parameters.subnetPrefix
            #expect(shared == made[0].parameters)
        }
    }

    @Test("Another prefix, or another order of prefixes, makes other addresses", .requirement("5535-4-05", "5535-5-07"))
    func dependsOnPrefixes() throws {
        let extended = [UInt8](repeating: 0x81, count: 48)
        func addresses(_ prefixes: [UInt64]) throws -> [IPv6Address] {
            try HBAGenerator(subnetPrefixes: prefixes, extendedModifier: extended, sec: 0, modifier: 9).addresses()
                .map(\.address)
        }
        let two = try addresses([1, 2])
        #expect(Set(two).isDisjoint(with: try addresses([2, 1])))
        #expect(Set(two).isDisjoint(with: try addresses([1, 2, 3])))
    }

    @Test(
        "The extension is laid out as the RFC says",
        .requirement("5535-5-01", "5535-5-02", "5535-5-03", "5535-5-04", "5535-10-01"), arguments: CGAVectors.all.hba)
    func layout(vector: CGAVectors.HBA) throws {
        let set = try makeSet(for: vector)
        let prefixes = try vector.prefixes.flatMap { try address($0).octets.prefix(8) }
        let length = UInt8(8 * vector.prefixes.count + 4)
        let flag: UInt8 = vector.p_flag == 1 ? 0x80 : 0
        let input = set.generator
        let made = try CGAParameters(
            modifier: 0, subnetPrefix: 0, publicKey: input.publicKey, extensions: input.extensions)
        #expect(Array(made.extensions) == [0x00, 0x12, 0x00, length, flag, 0, 0, 0] + prefixes)
    }

    @Test(
        "An Extended Modifier is written as the modulus of an RSA key",
        .requirement("5535-6-04", "5535-6-05", "5535-6-06", "5535-6-07", "5535-6-09"),
        arguments: CGAVectors.all.hba.filter { $0.p_flag == 0 })
    func wrapsExtendedModifier(vector: CGAVectors.HBA) throws {
        let extended = try #require(vector.extended_modifier_hex).octets
        let set = try makeSet(for: vector)
        let octets = set.generator.publicKey
        var outer = DERReader(octets, in: octets.indices)
        var info = DERReader(octets, in: try outer.element(.sequence))
        let algorithm = try info.element(.sequence)
        #expect(Array(octets[algorithm]) == RSAPublicKeyFields.rsaEncryption)
        var bits = DERReader(octets, in: try info.element(.bitString))
        let unusedBits = try bits.nextOctet()
        #expect(unusedBits == 0)
        var numbers = DERReader(octets, in: try bits.element(.sequence))
        let modulus = try numbers.magnitude()
        let exponent = try numbers.magnitude()
        #expect(Array(octets[modulus]) == Array(extended.drop { $0 == 0 }))
        #expect(Array(octets[exponent]) == [1, 0, 1])
        #expect(outer.isAtEnd && info.isAtEnd && bits.isAtEnd && numbers.isAtEnd)
        // 384 bits with the top bit set: 78 octets of key, one less for each sign or leading octet that falls away.
        let significant = extended.drop { $0 == 0 }
        let sign = significant.first.map { $0 >= 0x80 } == true ? 1 : 0
        #expect(set.generator.publicKey.count == 29 + significant.count + sign)
    }

    @Test(
        "With the prefix of a member in its place a structure is that of the member, and all that is needed",
        .requirement("5535-7.2-06", "5535-7.2-13", "5535-6-18"), arguments: CGAVectors.all.hba)
    func substitutes(vector: CGAVectors.HBA) throws {
        for owner in vector.members {
            for member in vector.members {
                var parameters = try CGAParameters(owner.pds_hex.octets)
                let address = try address(member.address)
                parameters.subnetPrefix = address.high
                #expect(parameters.octets == member.pds_hex.octets)
                try parameters.verify(address)
            }
        }
    }

    @Test(
        "Extensions of other kinds beside the Multi-Prefix extension do no harm",
        .requirement("5533-5.15.4-02", "5533-5.15.4-03"))
    func otherExtensions() throws {
        let prefixes: [UInt64] = [0x2001_0db8_0001_0000, 0x2001_0db8_0002_0000]
        let field = MultiPrefix(hasPublicKey: true, subnetPrefixes: prefixes).extensionField
        let fields = [CGAExtension(type: 0xfffd, data: [1, 2, 3]), field, CGAExtension(type: 0xfffe, data: [])]
        let set = try CGAGenerator(
            publicKey: CGAVectors.key("rsa1024").spki_hex.octets, sec: 0, modifier: 5,
            extensions: try fields.flatMap { try #require($0.octets) })
        let members = try prefixes.map { try set.address(in: $0) }
        for owner in members {
            for member in members { try owner.parameters.verify(member.address, by: .hba) }
        }
        let alone = try CGAGenerator(
            publicKey: set.publicKey, sec: 0, modifier: 5, extensions: try #require(fields[0].octets)
        ).address(in: prefixes[0])
        #expect(throws: CGAError.methodContradictsParameters) { try alone.parameters.verify(alone.address, by: .hba) }
    }

    @Test(
        "An address outside of the set, and one without a set, is not proven by HBA",
        .requirement("5535-9-01", "5535-4-02", "5535-7.2-04"))
    func outsiders() throws {
        let vector = try #require(CGAVectors.all.hba.first { $0.p_flag == 1 })
        let member = try CGAParameters(try #require(vector.members.first).pds_hex.octets)
        let outside = try CGAGenerator(reusing: member, sec: 0).address(in: 0x2001_0db8_ffff_0001)
        try outside.parameters.verify(outside.address, by: .cga)
        #expect(throws: CGAError.subnetPrefix) { try outside.parameters.verify(outside.address, by: .hba) }
        let alone = try CGAGenerator(publicKey: member.publicKey, sec: 0, modifier: 3).address(
            in: 0x2001_0db8_ffff_0001)
        #expect(try alone.parameters.multiPrefix() == nil)
        try alone.parameters.verify(alone.address, by: .cga)
        #expect(throws: CGAError.methodContradictsParameters) { try alone.parameters.verify(alone.address, by: .hba) }
    }

    @Test(
        "Each step of the verification can fail for a member",
        .requirement("5535-7-01", "5535-7.2-05", "5535-7.2-08", "5535-7.2-09", "5535-7.2-10", "5535-7.2-11"))
    func failsAtEachStep() throws {
        let vector = try #require(CGAVectors.all.hba.first { $0.sec == 1 && $0.p_flag == 0 })
        let owner = try #require(vector.members.first).pds_hex.octets
        let member = try address(try #require(vector.members.last).address)
        let parameters = try CGAParameters(owner)
        var collided = owner
        collided[24] = 3
        #expect(throws: CGAError.collisionCount) { try CGAParameters(collided).verify(member, by: .hba) }
        var passing: [Int] = []
        for bit in 0..<64 {
            let changed = IPv6Address(high: member.high, low: member.low ^ 1 << (63 - bit))
            if (try? parameters.verify(changed, by: .hba)) != nil { passing.append(bit) }
        }
        #expect(passing == [2, 6, 7])
        for sec: UInt64 in 2...7 {
            #expect(throws: sec == 2 ? CGAError.hash2 : .unassignedSec) {
                try parameters.verify(
                    IPv6Address(high: member.high, low: member.low & (1 << 61 - 1) | sec << 61), by: .hba)
            }
        }
        #expect(throws: CGAError.hash1) { try CGAParameters(owner + [0xff, 0xfd, 0, 0]).verify(member, by: .hba) }
    }

    @Test(
        "A set made here has random numbers of its own", .requirement("5535-6-07", "5535-6-09"),
        arguments: [true, false])
    func random(hasKey: Bool) throws {
        let key = hasKey ? try CGAVectors.key("rsa1024").spki_hex.octets : nil
        let prefixes: [UInt64] = [0x2001_0db8_000a_0001, 0x2001_0db8_000b_0001]
        let sets = try (0..<20).map { _ in
            try HBAGenerator(subnetPrefixes: prefixes, publicKey: key, sec: 0).addresses()
        }
        #expect(Set(sets.map { $0[0].parameters.modifier }).count == sets.count)
        #expect(Set(sets.map { $0[0].parameters.publicKey }).count == (hasKey ? 1 : sets.count))
        for set in sets { try set[1].parameters.verify(members: set.map(\.address)) }
    }

    @Test(
        "A list that mixes the methods is refused whole when one locator fails",
        .requirement("5533-7.2-07", "5535-4-03", "5535-9-01"))
    func mixedList() throws {
        let key = try PrivateKey(der: CGAVectors.key("rsa1024").private_key_der_hex.octets)
        let set = try HBAGenerator(
            subnetPrefixes: [1, 2, 3].map { 0x2001_0db8_000a_0000 | $0 }, publicKey: key.subjectPublicKeyInfo, sec: 0
        ).addresses()
        let members = set.map(\.address)
        let outside = [try address("2001:db8:ffff::1"), try address("2001:db8:fffe::1")]
        let identity = try CGAIdentity(address: members[0], parameters: set[0].parameters, privateKey: key)
        let signature = try identity.sign(generation: 9, locators: outside)
        func verify(
            _ ulid: IPv6Address, _ members: [IPv6Address], _ locators: [IPv6Address], parameters: Int = 0,
            signature: [UInt8] = signature
        ) throws {
            var verifier = LocatorListVerifier()
            try verifier.verify(
                ulid: ulid, parameters: set[parameters].parameters.octets, generation: 9, members: members,
                locators: locators, signature: signature)
        }
        try verify(members[0], members, outside)
        try verify(members[0], Array(members.dropFirst()), outside)
        try verify(members[0], members, [], signature: [])
        for index in members.indices {
            var wrong = members
            wrong[index].low ^= 1
            #expect(throws: CGAError.hash1) { try verify(members[0], wrong, outside) }
        }
        #expect(throws: CGAError.signature) { try verify(members[0], members, outside.reversed()) }
        #expect(throws: CGAError.signatureLength) { try verify(members[0], members, outside, signature: []) }
        // Hashes tie no locator to a ULID that is outside of the set, and a signature only its own parameters.
        #expect(throws: CGAError.subnetPrefix) { try verify(outside[0], members, []) }
        #expect(throws: CGAError.subnetPrefix) { try verify(members[0], members, outside, parameters: 1) }
    }

    @Test(
        "A set with a key proves its members by hash and other locators by signature",
        .requirement("5535-4-03", "5535-8.1-02"))
    func bothMethods() throws {
        let vector = try #require(CGAVectors.all.hba.first { $0.name == "hba-2p-cga-rsa1024-sec0" })
        let member = try #require(vector.members.first)
        let ulid = try address(member.address)
        let parameters = try CGAParameters(member.pds_hex.octets)
        for other in vector.members { try parameters.verify(address(other.address), by: .hba) }
        let identity = try CGAIdentity(
            address: ulid, parameters: parameters,
            privateKey: PrivateKey(der: CGAVectors.key("rsa1024").private_key_der_hex.octets))
        let outside = [try address("2001:db8:ffff::1")]
        #expect(throws: CGAError.subnetPrefix) { try parameters.verify(outside[0], by: .hba) }
        var verifier = LocatorListVerifier()
        try verifier.verify(
            ulid: ulid, parameters: parameters.octets, generation: 3, locators: outside,
            signature: identity.sign(generation: 3, locators: outside))
    }
}
