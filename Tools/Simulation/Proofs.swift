import CGA
import Shim6Core
import Shim6Wire
import Vectors

/// How the hosts of one run prove that their addresses are theirs.
enum Proofs: Sendable {
    /// A stand-in for CGA without cryptography: it binds addresses and lists to a host's number just the same.
    case arithmetic
    /// RSA keys and CGAs, as in the daemon; with `sets` a host's first addresses are one HBA set that is good for
    /// signatures as well.
    case cryptography([PrivateKey], sets: Bool)

    /// The test keys of the vectors.
    static func realKeys(sets: Bool) throws -> Proofs {
        let vectors = try Vectors.json("vectors.json", as: KeyVectors.self)
        let keys = try vectors.keys.prefix(2).map { vector in
            try PrivateKey(der: [UInt8](hex: vector.privateKeyDERHex) ?? [])
        }
        return .cryptography(keys, sets: sets)
    }

    var verifier: any LocatorVerifier {
        switch self {
        case .arithmetic: ArithmeticVerifier()
        case .cryptography: CGALocatorVerifier()
        }
    }

    /// The identity of a host before it has addresses. `prefixes` are those that it begins with.
    func identity(ofHost number: Int, prefixes: [UInt64] = []) -> any AddressMaker {
        switch self {
        case .arithmetic: ArithmeticIdentity(number: UInt64(number + 1))
        case .cryptography(let keys, let sets):
            CryptographicIdentity(key: keys[number % keys.count], number: number, set: sets ? prefixes : [])
        }
    }
}

private struct KeyVectors: Decodable {
    struct Key: Decodable {
        var privateKeyDERHex: String

        enum CodingKeys: String, CodingKey {
            case privateKeyDERHex = "private_key_der_hex"
        }
    }
    var keys: [Key]
}

/// Makes the addresses of a host, and proves them.
protocol AddressMaker: LocalIdentity {
    func makeAddress(prefix: UInt64) -> IPv6Address
}

final class CryptographicIdentity: AddressMaker {
    private let key: PrivateKey
    private let number: Int
    private var identities: [IPv6Address: CGAIdentity] = [:]

    /// `set` are the prefixes of the HBA set; there is none if they are empty.
    init(key: PrivateKey, number: Int, set prefixes: [UInt64]) {
        self.key = key
        self.number = number
        guard !prefixes.isEmpty else { return }
        do {
            let set = try HBAGenerator(
                subnetPrefixes: prefixes, publicKey: key.subjectPublicKeyInfo, sec: 0, modifier: UInt128(number))
            for member in try set.addresses() {
                identities[member.address] = try CGAIdentity(
                    address: member.address, parameters: member.parameters, privateKey: key)
            }
        } catch {
            fatalError("no HBA set from a test key: \(error)")
        }
    }

    func makeAddress(prefix: UInt64) -> IPv6Address {
        if let made = identities.keys.first(where: { $0.high == prefix }) { return made }
        do {
            let generator = try CGAGenerator(
                publicKey: key.subjectPublicKeyInfo, sec: 0, modifier: UInt128(prefix) << 8 | UInt128(number))
            let (address, parameters) = try generator.address(in: prefix)
            identities[address] = try CGAIdentity(address: address, parameters: parameters, privateKey: key)
            return address
        } catch {
            fatalError("no CGA from a test key: \(error)")
        }
    }

    func parameters(of ulid: IPv6Address) -> [UInt8]? { identities[ulid]?.parameters.octets }

    func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? {
        try? identities[ulid]?.sign(generation: generation, locators: locators)
    }

    func isInSet(_ locator: IPv6Address, of ulid: IPv6Address) -> Bool {
        (try? identities[ulid]?.parameters.verify(members: [ulid, locator])) != nil
    }
}

/// Addresses that nothing proves.
struct UnprovenAddresses: AddressMaker {
    var number: Int

    func makeAddress(prefix: UInt64) -> IPv6Address { IPv6Address(high: prefix, low: UInt64(number + 1)) }
    func parameters(of ulid: IPv6Address) -> [UInt8]? { nil }
    func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? { nil }
}

/// The parameters are the host's number; an address holds a hash of it and of the prefix, a signature one of the list.
struct ArithmeticIdentity: AddressMaker {
    var number: UInt64

    func makeAddress(prefix: UInt64) -> IPv6Address { Self.address(prefix: prefix, number: number) }

    static func address(prefix: UInt64, number: UInt64) -> IPv6Address {
        var hash = FNVHash()
        hash.absorb(prefix)
        hash.absorb(number)
        return IPv6Address(high: prefix, low: hash.value & ~(3 << 56))
    }

    static func signature(number: UInt64, generation: UInt32, locators: [IPv6Address]) -> [UInt8] {
        var hash = FNVHash()
        hash.absorb(number)
        hash.absorb(UInt64(generation))
        for locator in locators {
            hash.absorb(locator.high)
            hash.absorb(locator.low)
        }
        return hash.value.octets
    }

    func parameters(of ulid: IPv6Address) -> [UInt8]? {
        Self.address(prefix: ulid.high, number: number) == ulid ? number.octets : nil
    }

    func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? {
        Self.signature(number: number, generation: generation, locators: locators)
    }
}

struct ArithmeticVerifier: LocatorVerifier {
    private func number(_ parameters: [UInt8], _ ulid: IPv6Address) throws(DropReason) -> UInt64 {
        let number = parameters.reduce(0) { $0 << 8 | UInt64($1) }
        guard ArithmeticIdentity.address(prefix: ulid.high, number: number) == ulid else { throw .proof(.hash1) }
        return number
    }

    func verify(parameters: [UInt8], of ulid: IPv6Address) throws(DropReason) {
        _ = try number(parameters, ulid)
    }

    func verify(
        _ list: LocatorList, parameters: [UInt8], signature: [UInt8]?, of ulid: IPv6Address
    ) throws(DropReason) {
        guard list.locators.allSatisfy({ VerificationMethod(rawValue: $0.method) != nil }) else {
            throw .unsupportedMethod
        }
        let number = try number(parameters, ulid)
        let locators = list.locators.map(\.locator)
        let expected = ArithmeticIdentity.signature(number: number, generation: list.generation, locators: locators)
        guard let signature else { throw .signatureMissing }
        guard signature == expected else { throw .proof(.signature) }
    }
}

/// FNV-1a over 64-bit words.
struct FNVHash {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func absorb(_ word: UInt64) {
        for octet in word.octets { value = (value ^ UInt64(octet)) &* 0x100_0000_01b3 }
    }
}

extension UInt64 {
    var octets: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> (56 - 8 * $0)) } }
}

/// Keys for the runs that use real cryptography.
public struct Keys: Sendable {
    let proofs: Proofs

    /// `sets`: whether the first addresses of a host are one HBA set, else each is a CGA by itself.
    public init(sets: Bool = false) throws { proofs = try Proofs.realKeys(sets: sets) }
}
