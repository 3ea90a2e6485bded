import CGA
import Shim6Wire
import Testing
import Vectors

/// Octets written as hexadecimal in the vectors.
struct Hex: Decodable, Sendable {
    let octets: [UInt8]

    init(_ text: String) throws {
        guard let octets = [UInt8](hex: text) else { throw VectorError.notHexadecimal }
        self.octets = octets
    }

    init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    var number: UInt128 { octets.reduce(0) { $0 << 8 | UInt128($1) } }
}

enum VectorError: Error { case notHexadecimal, notAnAddress, missing }

func address(_ text: String) throws -> IPv6Address {
    guard let address = IPv6Address(text) else { throw VectorError.notAnAddress }
    return address
}

/// Results of an independent implementation of RFC 3972, RFC 5535 and the Shim6 CGA signature.
struct CGAVectors: Decodable, Sendable {
    struct Key: Decodable, Sendable {
        let name: String
        let bits: Int
        let spki_hex: Hex
        let private_key_der_hex: Hex
    }

    struct CGA: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let sec: Int
        let subnet_prefix: String
        let initial_modifier_hex: Hex
        let final_modifier_hex: Hex
        let hash2_iterations: UInt64
        let collision_count: Int
        let addresses_rejected_by_dad: [String]
        let public_key_spki_hex: Hex
        let extensions_hex: Hex
        let hash2_input_hex: Hex
        let hash2_hex: Hex
        let pds_hex: Hex
        let hash1_hex: Hex
        let interface_id_hex: Hex
        let address: String

        var testDescription: String { name }
    }

    struct HBA: Decodable, Sendable, CustomTestStringConvertible {
        struct Member: Decodable, Sendable {
            let subnet_prefix: String
            let pds_hex: Hex
            let hash1_hex: Hex
            let interface_id_hex: Hex
            let address: String
        }

        let name: String
        let p_flag: Int
        let sec: Int
        let prefixes: [String]
        let extended_modifier_hex: Hex?
        let initial_modifier_hex: Hex
        let final_modifier_hex: Hex
        let hash2_iterations: UInt64
        let hash2_hex: Hex
        let collision_count: Int
        let sets_rejected_by_dad: [[String]]
        let public_key_spki_hex: Hex?
        let multi_prefix_extension_hex: Hex
        let members: [Member]

        var testDescription: String { name }
    }

    struct Signature: Decodable, Sendable, CustomTestStringConvertible {
        struct Locator: Decodable, Sendable {
            let address: String
            let method: UInt8
        }

        let name: String
        let key: String
        let ulid: String
        let ulid_pds_hex: Hex
        let generation: UInt32
        let locators: [Locator]
        let signed_message_hex: Hex
        let signature_hex: Hex

        var testDescription: String { name }

        /// The locators that a signature covers.
        var signedLocators: [IPv6Address] {
            get throws {
                try locators.filter { $0.method == VerificationMethod.cga.rawValue }
                    .map { try CGATests.address($0.address) }
            }
        }
    }

    struct Negative: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let verify: String
        let address: String
        let pds_hex: Hex
        let expect: Bool

        var testDescription: String { name }
    }

    let keys: [Key]
    let cga: [CGA]
    let hba: [HBA]
    let signature: [Signature]
    let negative: [Negative]

    static let all: CGAVectors = {
        do {
            return try Vectors.json("vectors.json")
        } catch {
            fatalError("vectors.json: \(error)")
        }
    }()

    static func key(_ name: String) throws -> Key {
        guard let key = all.keys.first(where: { $0.name == name }) else { throw VectorError.missing }
        return key
    }

    static func cga(_ name: String) throws -> CGA {
        guard let vector = all.cga.first(where: { $0.name == name }) else { throw VectorError.missing }
        return vector
    }
}
