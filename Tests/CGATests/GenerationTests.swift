import CGA
import Requirements
import Shim6Wire
import Testing
import Vectors

@Suite("CGA generation")
struct GenerationTests {
    @Test(
        "Generation from a given Modifier yields exactly the expected parameters and address",
        .requirement("3972-4-03", "3972-4-04", "3972-4-05", "3972-4-07", "3972-4-08", "3972-4-12"),
        arguments: CGAVectors.all.cga)
    func generates(vector: CGAVectors.CGA) throws {
        var generator = try CGAGenerator(
            publicKey: vector.public_key_spki_hex.octets, sec: vector.sec, modifier: vector.initial_modifier_hex.number,
            extensions: vector.extensions_hex.octets)
        try generator.search()
        #expect(generator.modifier == vector.final_modifier_hex.number)
        #expect(generator.attempts == (vector.sec == 0 ? 0 : vector.hash2_iterations))

        let prefix = try address(vector.subnet_prefix).high
        let (made, parameters) = try generator.address(in: prefix, collisionCount: vector.collision_count)
        #expect(made == (try address(vector.address)))
        #expect(made.low == UInt64(truncatingIfNeeded: vector.interface_id_hex.number))
        #expect(parameters.octets == vector.pds_hex.octets)
        #expect(try parameters.hash1 == UInt64(truncatingIfNeeded: vector.hash1_hex.number))
        #expect(try parameters.hash2 == vector.hash2_hex.octets)
    }

    @Test(
        "An address is the prefix and then Hash1, with Sec written over it and u and g clear",
        .requirement("3972-2-03", "3972-4-01", "3972-4-02", "3972-4-09", "3972-4-19"), arguments: CGAVectors.all.cga)
    func format(vector: CGAVectors.CGA) throws {
        let generator = try CGAGenerator(
            reusing: CGAParameters(vector.pds_hex.octets), sec: vector.sec)
        let prefix: UInt64 = 0x2001_0db8_0077_0001
        let (made, parameters) = try generator.address(in: prefix, collisionCount: 1)
        #expect(made.high == prefix)
        #expect(made.low >> 61 == UInt64(vector.sec))
        #expect(made.low & 0x0300_0000_0000_0000 == 0)
        #expect(try (made.low ^ parameters.hash1) & 0x1cff_ffff_ffff_ffff == 0)
        #expect(try parameters.hash2.count == 14)
        let octets = parameters.octets
        #expect(Array(octets[0..<16]) == vector.final_modifier_hex.octets)
        #expect(Array(octets[16..<25]) == [0x20, 0x01, 0x0d, 0xb8, 0x00, 0x77, 0x00, 0x01, 1])
        #expect(Array(octets[25...]) == vector.public_key_spki_hex.octets + vector.extensions_hex.octets)
    }

    @Test(
        "Each collision gives the next address without a new Modifier search",
        .requirement("3972-4-06", "3972-4-10", "3972-4-11"),
        arguments: CGAVectors.all.cga.filter { !$0.addresses_rejected_by_dad.isEmpty })
    func countsCollisions(vector: CGAVectors.CGA) throws {
        var generator = try CGAGenerator(
            publicKey: vector.public_key_spki_hex.octets, sec: vector.sec, modifier: vector.final_modifier_hex.number)
        try generator.search()
        let attempts = generator.attempts
        let prefix = try address(vector.subnet_prefix).high
        for (count, expected) in (vector.addresses_rejected_by_dad + [vector.address]).enumerated() {
            let made = try generator.address(in: prefix, collisionCount: count)
            #expect(made.address == (try address(expected)))
            #expect(made.parameters.collisionCount == UInt8(count))
        }
        #expect(generator.attempts == attempts)
        #expect(throws: CGAGenerationError.tooManyCollisions) { try generator.address(in: prefix, collisionCount: 3) }
        #expect(throws: CGAGenerationError.tooManyCollisions) { try generator.address(in: prefix, collisionCount: -1) }
    }

    @Test("The worked example of RFC 3972 comes out", .requirement("3972-A-01"))
    func workedExample() throws {
        let vector = try CGAVectors.cga("rfc3972-appendix-a")
        var generator = try CGAGenerator(
            publicKey: vector.public_key_spki_hex.octets, sec: 1, modifier: 0x89a8_a8b2_e858_d8b8_f263_3f44_d2d4_ce9a)
        let found = [generator.search(attempts: 1), generator.search(attempts: 1)]
        #expect(found == [false, true])
        #expect(generator.modifier == 0x89a8_a8b2_e858_d8b8_f263_3f44_d2d4_ce9b)
        let made = try generator.address(in: 0xfe80_0000_0000_0000)
        #expect(try made.parameters.hash2 == [UInt8](hex: "000001ca680b83888d0912dffcce"))
        #expect(try made.parameters.hash1 == 0xfd4a_5bf6_ffb4_ca6c)
        #expect(made.address == (try address("fe80::3c4a:5bf6:ffb4:ca6c")))
    }

    @Test("A search in pieces ends where a search in one go ends", .requirement("3972-4-17"))
    func resumes() throws {
        let vector = try CGAVectors.cga("cga-sec1-rsa2048-cc2")
        var generator = try CGAGenerator(
            publicKey: vector.public_key_spki_hex.octets, sec: 1, modifier: vector.initial_modifier_hex.number)
        #expect(throws: CGAGenerationError.searchNotFinished) { try generator.address(in: 0) }
        var pieces: UInt64 = 0
        while !generator.search(attempts: 100) { pieces += 1 }
        #expect(pieces == (vector.hash2_iterations - 1) / 100)
        #expect(generator.modifier == vector.final_modifier_hex.number)
        let stillFound = generator.search(attempts: 100)
        #expect(stillFound)
        #expect(generator.attempts == vector.hash2_iterations)
    }

    @Test("A cancelled search can be taken up again", .requirement("3972-4-17"))
    func cancels() throws {
        let vector = try CGAVectors.cga("cga-sec1-rsa1024")
        var generator = try CGAGenerator(
            publicKey: vector.public_key_spki_hex.octets, sec: 1, modifier: vector.initial_modifier_hex.number)
        #expect(throws: CGAGenerationError.cancelled) {
            try generator.search(threads: 1, portion: 100) { $0 < 300 }
        }
        #expect(!generator.isFinished)
        #expect(generator.attempts == 300)
        try generator.search()
        #expect(generator.modifier == vector.final_modifier_hex.number)
        #expect(generator.attempts == vector.hash2_iterations)
    }

    @Test(
        "Several threads find what one finds, also across the end of each word of the Modifier",
        .requirement("3972-4-05", "3972-4-18"),
        arguments: [0, 0xffff_ff00, 0xffff_ffff_ffff_ff00, UInt128.max - 255] as [UInt128], [1, 2, 4])
    func searchesInParallel(modifier: UInt128, threads: Int) throws {
        let key = try CGAVectors.key("rsa1024").spki_hex.octets
        var generator = try CGAGenerator(publicKey: key, sec: 1, modifier: modifier)
        try generator.search(threads: threads, portion: 1000)
        let found = generator.modifier
        #expect(generator.attempts == UInt64(found &- modifier) + 1)
        let parameters = try CGAParameters(modifier: found, subnetPrefix: 0, publicKey: key)
        #expect(try parameters.hash2.prefix(2) == [0, 0])
        // The one before it that libcrypto finds would have been the right one.
        for step in 1...min(500, found &- modifier) {
            let earlier = try CGAParameters(modifier: found &- step, subnetPrefix: 0, publicKey: key)
            #expect(try earlier.hash2.prefix(2) != [0, 0])
        }
        var again = try CGAGenerator(publicKey: key, sec: 1, modifier: modifier)
        while !again.search(attempts: 777) {}
        #expect(again.modifier == found)
    }

    @Test(
        "Messages of every length are hashed as libcrypto does",
        arguments: [0, 1, 19, 20, 28, 29, 30, 92, 93, 300, 2000])
    func hashesEveryLength(length: Int) throws {
        let key: [UInt8] = [0x30, 0x00]
        let extensions = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var generator = try CGAGenerator(publicKey: key, sec: 1, modifier: 5, extensions: extensions)
        try generator.search()
        let parameters = try CGAParameters(
            modifier: generator.modifier, subnetPrefix: 0, publicKey: key, extensions: extensions)
        #expect(try parameters.hash2.prefix(2) == [0, 0])
    }

    @Test(
        "Sec 3 to 7 and beyond are refused", .requirement("4982-6-02", "4982-5-01"), arguments: [-1, 3, 4, 5, 6, 7, 8])
    func refusesUnassignedSec(sec: Int) throws {
        let key = try CGAVectors.key("rsa1024").spki_hex.octets
        #expect(throws: CGAGenerationError.unassignedSec(sec)) {
            try CGAGenerator(publicKey: key, sec: sec, modifier: 0)
        }
    }

    @Test("Sec 0 needs no search", .requirement("3972-4-16", "3972-4-15"))
    func secZero() throws {
        let generator = try CGAGenerator(publicKey: try CGAVectors.key("rsa1024").spki_hex.octets, sec: 0, modifier: 7)
        #expect(generator.isFinished)
        let made = try generator.address(in: 0x2001_0db8_0000_0000)
        try made.parameters.verify(made.address)
    }

    @Test(
        "A Modifier found for one prefix serves another",
        .requirement("3972-4-21", "3972-4-22", "3972-7.2-01", "3972-4-20"))
    func reusesModifier() throws {
        let old = try CGAParameters(try CGAVectors.cga("cga-sec1-rsa2048-cc2").pds_hex.octets)
        let generator = try CGAGenerator(reusing: old, sec: 1)
        let prefix: UInt64 = 0x2001_0db8_0042_0001
        let made = try generator.address(in: prefix)
        #expect(made.address.high == prefix)
        #expect(made.parameters.modifier == old.modifier)
        #expect(made.parameters.collisionCount == 0)
        #expect(try made.parameters.hash2 == old.hash2)
        try made.parameters.verify(made.address)
    }

    @Test(
        "Modifiers are not told in advance, and addresses of one key have nothing in common",
        .requirement("3972-4-03", "3972-4-13", "3972-7.3-01"))
    func unlinkable() throws {
        let key = try CGAVectors.key("rsa1024").spki_hex.octets
        let prefix: UInt64 = 0x2001_0db8_0042_0001
        let made = try (0..<200).map { _ in try CGAGenerator(publicKey: key, sec: 0).address(in: prefix) }
        #expect(Set(made.map(\.parameters.modifier)).count == made.count)
        #expect(Set(made.map(\.address)).count == made.count)
        // Each of the 128 bits has been 0 and 1, and each differs between neighbours about half the time.
        #expect(made.reduce(0) { $0 | $1.parameters.modifier } == .max)
        #expect(made.reduce(.max) { $0 & $1.parameters.modifier } == 0)
        let flips = zip(made, made.dropFirst()).map {
            ($0.parameters.modifier ^ $1.parameters.modifier).nonzeroBitCount
        }
        #expect(flips.min() ?? 0 > 20)
    }

    @Test("A Modifier that is not good enough is not reused")
    func refusesWeakModifier() throws {
        let old = try CGAParameters(try CGAVectors.cga("cga-sec0-rsa1024").pds_hex.octets)
        #expect(throws: CGAGenerationError.modifierNotGoodEnough) { try CGAGenerator(reusing: old, sec: 1) }
    }

    @Test("A public key that is not one DER element is refused", arguments: ["", "30", "3003", "300100ff", "0400"])
    func refusesBrokenKey(key: String) throws {
        let octets = try Hex(key).octets
        #expect(throws: CGAGenerationError.malformedPublicKey) {
            try CGAGenerator(publicKey: octets, sec: 0, modifier: 0)
        }
    }

    @Test("Sec 2 counts 32 zero bits", .requirement("4982-6-01", "3972-2-05", "3972-5-08"))
    func secTwo() throws {
        // An empty SEQUENCE in place of a key makes the hash cheap; a search of its own from 0 found this Modifier.
        var generator = try CGAGenerator(publicKey: [0x30, 0x00], sec: 2, modifier: 0xcc5_e080)
        let found = [generator.search(attempts: 4), generator.search(attempts: 1)]
        #expect(found == [false, true])
        #expect(generator.modifier == 0xcc5_e084)
        let made = try generator.address(in: 0x2001_0db8_0000_0000)
        #expect(try made.parameters.hash2.prefix(4) == [0, 0, 0, 0])
        #expect(made.address.low >> 61 == 2)
        try made.parameters.verify(made.address)

        // With this Modifier it has 16 zero bits and no more.
        let other = try CGAParameters(
            modifier: 0xea4b, subnetPrefix: 0x2001_0db8_0000_0000, publicKey: [0x30, 0x00])
        let claimed = IPv6Address(high: other.subnetPrefix, low: try other.hash1 & 0x1cff_ffff_ffff_ffff | 2 << 61)
        #expect(throws: CGAError.hash2) { try other.verify(claimed) }
    }
}
