import CGA
import Requirements
import Shim6Wire
import Testing

@Suite("HBA")
struct HBATests {
    private func generator(for vector: CGAVectors.HBA) throws -> HBAGenerator {
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
        var generator = try generator(for: vector)
        try generator.search.search { true }
        #expect(generator.search.modifier == vector.final_modifier_hex.number)
        #expect(generator.search.attempts == (vector.sec == 0 ? 0 : vector.hash2_iterations))
        let made = try generator.addresses(collisionCount: vector.collision_count)
        #expect(made.count == vector.members.count)
        for (made, member) in zip(made, vector.members) {
            #expect(made.address == (try address(member.address)))
            #expect(made.parameters.octets == member.pds_hex.octets)
            #expect(made.parameters.hash2 == vector.hash2_hex.octets)
            #expect(Array(made.parameters.extensions) == vector.multi_prefix_extension_hex.octets)
        }
    }

    @Test(
        "A collision of one member moves the whole set",
        .requirement("5535-6-12", "5535-6-16", "5535-6-17"),
        arguments: CGAVectors.all.hba.filter { !$0.sets_rejected_by_dad.isEmpty })
    func countsCollisions(vector: CGAVectors.HBA) throws {
        var generator = try generator(for: vector)
        #expect(throws: CGAGenerationError.searchNotFinished) { try generator.addresses() }
        try generator.search.search { true }
        for (count, rejected) in vector.sets_rejected_by_dad.enumerated() {
            let expected = try rejected.map { try address($0) }
            #expect(try generator.addresses(collisionCount: count).map(\.address) == expected)
        }
        #expect(throws: CGAGenerationError.tooManyCollisions) { try generator.addresses(collisionCount: 3) }
    }

    @Test(
        "Any member verifies with the parameters of any other",
        .requirement("5535-3.2-01", "5535-7.1-01", "5535-7.2-01", "5535-7.2-03", "5535-7.2-07", "5535-7.2-12"),
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

    @Test("A set needs prefixes, all different, and 384 bits in place of a key", .requirement("5535-6-02", "5535-6-07"))
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
}
