import CGA
import Requirements
import Shim6Wire
import Testing

@Suite("CGA parameters")
struct ParametersTests {
    @Test(
        "The fields are where the RFC puts them",
        .requirement("3972-3-01", "3972-3-02", "3972-3-03", "3972-3-10", "3972-5-10"),
        arguments: CGAVectors.all.cga)
    func readsFields(vector: CGAVectors.CGA) throws {
        let parameters = try CGAParameters(vector.pds_hex.octets)
        #expect(parameters.modifier == vector.final_modifier_hex.number)
        #expect(parameters.subnetPrefix == (try address(vector.subnet_prefix).high))
        #expect(Int(parameters.collisionCount) == vector.collision_count)
        #expect(parameters.publicKey == vector.public_key_spki_hex.octets)
        #expect(Array(parameters.extensions) == vector.extensions_hex.octets)

        let built = try CGAParameters(
            modifier: parameters.modifier, subnetPrefix: parameters.subnetPrefix,
            collisionCount: parameters.collisionCount, publicKey: parameters.publicKey,
            extensions: Array(parameters.extensions))
        #expect(built == parameters)
        #expect(built.octets == vector.pds_hex.octets)
    }

    @Test("Collision Count 3 is never written", .requirement("3972-3-04", "3972-4-11"))
    func refusesCollisionCount() throws {
        let key = try CGAVectors.key("rsa1024").spki_hex.octets
        #expect(throws: CGAError.collisionCount) {
            try CGAParameters(modifier: 0, subnetPrefix: 0, collisionCount: 3, publicKey: key)
        }
    }

    @Test("A structure cut anywhere before the end of its key is refused", .requirement("3972-5-20"))
    func refusesCuts() throws {
        for vector in CGAVectors.all.cga {
            let octets = vector.pds_hex.octets
            let keyEnd = octets.count - vector.extensions_hex.octets.count
            for count in 0..<keyEnd {
                #expect(throws: count <= 25 ? CGAError.truncatedParameters : CGAError.malformedPublicKey) {
                    try CGAParameters(Array(octets.prefix(count)))
                }
            }
        }
    }

    @Test("Lengths of the key that lie are refused", .requirement("3972-3-10", "3972-5-20"))
    func refusesLyingLengths() throws {
        let start = try CGAVectors.cga("cga-sec0-rsa1024").pds_hex.octets.prefix(25)
        for key in [
            "3080", "3084ffffffff", "3084ffffffffff", "3088ffffffffffffffff", "30ff", "3082ffff", "308300ffff",
        ] {
            let octets = try Hex(key).octets
            #expect(throws: CGAError.malformedPublicKey) { try CGAParameters(start + octets) }
            #expect(throws: CGAError.malformedPublicKey) { try CGAParameters(start + octets + [0, 0, 0, 0]) }
        }
    }

    @Test("Lengths that are right but not in their shortest form are refused", .requirement("3972-3-05"))
    func refusesLongForms() throws {
        let start = try Array(CGAVectors.cga("cga-sec0-rsa1024").pds_hex.octets.prefix(25))
        #expect(throws: Never.self) { try CGAParameters(start + [0x30, 0x01, 0xff]) }
        #expect(throws: Never.self) {
            try CGAParameters(start + [0x30, 0x81, 0x80] + [UInt8](repeating: 0, count: 128))
        }
        for length: [UInt8] in [[0x81, 1], [0x82, 0, 1], [0x83, 0, 0, 1], [0x84, 0, 0, 0, 1]] {
            #expect(throws: CGAError.malformedPublicKey) { try CGAParameters(start + [0x30] + length + [0xff]) }
        }
        for length: [UInt8] in [[0x82, 0, 0x80], [0x83, 0, 0, 0x80]] {
            let contents = [UInt8](repeating: 0, count: 128)
            #expect(throws: CGAError.malformedPublicKey) { try CGAParameters(start + [0x30] + length + contents) }
        }
    }

    @Test("No cut and no changed octet of parameters passes for the original", .requirement("3972-3-12", "3972-5-20"))
    func refusesMutations() throws {
        let sources =
            try CGAVectors.all.cga.map { (try address($0.address), $0.pds_hex.octets) }
            + CGAVectors.all.hba.flatMap { try $0.members.map { (try address($0.address), $0.pds_hex.octets) } }
        for (ulid, octets) in sources {
            for index in octets.indices {
                for flip: UInt8 in [0x01, 0x80, 0xff] {
                    var changed = octets
                    changed[index] ^= flip
                    #expect(throws: CGAError.self) { try CGAParameters(changed).verify(ulid) }
                    // HBA puts the prefix of the address in place, so the one in the structure is free.
                    if !(16..<24).contains(index) {
                        #expect(throws: CGAError.self) { try CGAParameters(changed).verify(ulid, by: .hba) }
                    }
                }
                let cut = Array(octets.prefix(index))
                #expect(throws: CGAError.self) { try CGAParameters(cut).verify(ulid) }
                #expect(throws: CGAError.self) { try CGAParameters(cut).verify(ulid, by: .hba) }
            }
        }
    }

    @Test(
        "Extension fields follow each other without padding",
        .requirement("4581-2-01", "4581-2-02", "4581-2-03", "4581-2-04"))
    func readsExtensions() throws {
        let key = try CGAVectors.key("rsa1024").spki_hex.octets
        let fields = [
            CGAExtension(type: 0xfffd, data: []), CGAExtension(type: 0xfffe, data: [1, 2, 3]),
            CGAExtension(type: 0x0012, data: [UInt8](repeating: 9, count: 300)),
        ]
        let octets = try fields.flatMap { try #require($0.octets) }
        #expect(octets.prefix(11) == [0xff, 0xfd, 0, 0, 0xff, 0xfe, 0, 3, 1, 2, 3])
        let parameters = try CGAParameters(modifier: 0, subnetPrefix: 0, publicKey: key, extensions: octets)
        #expect(try parameters.parsedExtensions() == fields)
        #expect(CGAExtension(type: 1, data: [UInt8](repeating: 0, count: 65536)).octets == nil)
    }

    @Test("An extension field that runs beyond the structure is refused", .requirement("4581-2-05"))
    func refusesBrokenExtensions() throws {
        let key = try CGAVectors.key("rsa1024").spki_hex.octets
        for text in ["00", "0012", "001200", "00120001", "0012ffff00", "001200000012000100001200"] {
            let parameters = try CGAParameters(
                modifier: 0, subnetPrefix: 0, publicKey: key, extensions: try Hex(text).octets)
            #expect(throws: CGAError.malformedExtension) { try parameters.parsedExtensions() }
        }
    }
}
