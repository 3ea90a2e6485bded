import Shim6Core
import Shim6Wire

/// Proof without cryptography: parameters name the ULID, a signature is a hash that anybody can make. It can be right or wrong
/// like the real one, costs nothing, and counts how often it is looked at.
enum ToyProof {
    static func parameters(of ulid: IPv6Address) -> [UInt8] {
        Array("parameters of ".utf8) + ulid.octets
    }

    static func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address])
        -> [UInt8]
    {
        // FNV-1a: short, and different for different input.
        let signed = Array("\(ulid) \(generation) \(locators)".utf8)
        let hash = signed.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        return (0..<8).map { UInt8(truncatingIfNeeded: hash >> ($0 * 8)) }
    }
}

struct ToyIdentity: LocalIdentity {
    /// The addresses that have parameters.
    var ulids: Set<IPv6Address>

    func parameters(of ulid: IPv6Address) -> [UInt8]? {
        ulids.contains(ulid) ? ToyProof.parameters(of: ulid) : nil
    }

    func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? {
        ulids.contains(ulid)
            ? ToyProof.signature(by: ulid, generation: generation, locators: locators) : nil
    }
}

final class ToyVerifier: LocatorVerifier {
    private(set) var looks = 0

    func verify(parameters: [UInt8], of ulid: IPv6Address) throws(DropReason) {
        looks += 1
        guard parameters == ToyProof.parameters(of: ulid) else { throw .proof(.hash1) }
    }

    func verify(
        _ list: LocatorList, parameters: [UInt8], signature: [UInt8]?, of ulid: IPv6Address
    ) throws(DropReason) {
        try verify(parameters: parameters, of: ulid)
        guard let signature else { throw .signatureMissing }
        let signed = list.locators.filter { $0.method == VerificationMethod.cga.rawValue }.map(
            \.locator)
        guard signed.count == list.locators.count else { throw .unsupportedMethod }
        guard signature == ToyProof.signature(by: ulid, generation: list.generation, locators: signed)
        else {
            throw .proof(.signature)
        }
    }
}
