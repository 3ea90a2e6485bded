import CGA
import Shim6Wire

/// All that parameters say.
struct ParametersReport: ToolReport {
    struct Extension: Encodable {
        var type: Int
        var data: String
    }

    struct Candidate: Encodable {
        var address: String
        var sec: Int
    }

    var modifier: String
    var subnetPrefix: String
    var collisionCount: Int
    var publicKey: String
    /// The length of the modulus if the Public Key field holds an RSA key.
    var keyBits: Int?
    /// Why it holds none.
    private var keyProblem: String?
    /// Nil if they cannot be read.
    var extensions: [Extension]?
    /// P of the Multi-Prefix extension.
    var hasPublicKey: Bool?
    /// The prefixes of the Multi-Prefix extension.
    var prefixes: [String]?
    var hash1: String
    var hash2: String
    /// Each address that verifies, with every Sec for which Hash2 has the zero bits.
    var addresses: [Candidate]

    init(_ parameters: CGAParameters) throws(CGAError) {
        func prefix(_ high: UInt64) -> String { "\(IPv6Address(high: high, low: 0))/64" }
        modifier = Hexadecimal(parameters.octets.prefix(16)).text
        subnetPrefix = prefix(parameters.subnetPrefix)
        collisionCount = Int(parameters.collisionCount)
        publicKey = Hexadecimal(parameters.publicKey).text
        do throws(CGAError) {
            keyBits = try PublicKey(subjectPublicKeyInfo: parameters.publicKey, bits: 0...65_536).bits
        } catch {
            keyProblem = error.explanation
        }
        extensions = (try? parameters.parsedExtensions())?.map {
            Extension(type: Int($0.type), data: Hexadecimal($0.data).text)
        }
        let set = try? parameters.multiPrefix()
        hasPublicKey = set?.hasPublicKey
        prefixes = set?.subnetPrefixes.map(prefix)
        let hash2 = try parameters.hash2
        let hash1 = try parameters.hash1
        self.hash1 = Hexadecimal((0..<8).map { UInt8(truncatingIfNeeded: hash1 >> (56 - 8 * $0)) }).text
        self.hash2 = Hexadecimal(hash2).text
        addresses = []
        let sec = min(hash2.prefix { $0 == 0 }.count / 2, CGAParameters.maximumSec)
        for high in set?.subnetPrefixes ?? [parameters.subnetPrefix] {
            for sec in (0...sec).reversed() {
                guard let generator = try? CGAGenerator(reusing: parameters, sec: sec),
                    let made = try? generator.address(in: high, collisionCount: collisionCount)
                else { continue }
                addresses.append(Candidate(address: "\(made.address)", sec: sec))
            }
        }
    }

    var text: String {
        let none = hasPublicKey == false
        var rows = [
            ("Modifier", modifier), ("Subnet Prefix", subnetPrefix), ("Collision Count", "\(collisionCount)"),
            (
                "Public Key",
                none
                    ? "none; random bits in its place"
                    : keyBits.map { "RSA, \($0) bits" } ?? keyProblem ?? ""
            ),
        ]
        for field in extensions ?? [] {
            let isSet = field.type == Int(CGAExtension.multiPrefix)
            let content = isSet ? prefixes?.joined(separator: " ") ?? "malformed" : field.data
            rows.append(("Extension", (isSet ? "Multi-Prefix: " : "type \(field.type): ") + content))
        }
        if extensions == nil { rows.append(("Extension", "malformed")) }
        rows += [("Hash1", hash1), ("Hash2", hash2)]
        rows += addresses.map { ("Address", "\($0.address) with Sec \($0.sec)") }
        return rows.map { name, value in
            name + String(repeating: " ", count: 17 - name.count) + value + "\n"
        }.joined()
    }
}
