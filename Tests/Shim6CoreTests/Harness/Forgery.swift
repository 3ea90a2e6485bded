import REAP
import Shim6Core
import Shim6Wire
import Testing

/// Messages of a peer that a test plays itself, towards host B.
extension Pair {
    /// Sends an I1 to B and returns its R1.
    func challenge(
        tag: ContextTag, nonce: UInt32 = 0x1122_3344, from source: IPv6Address = .a1,
        to destination: IPv6Address = .b1,
        ulids: ULIDPairOption? = nil
    ) throws -> R1 {
        let i1 = I1(initiatorTag: tag, initiatorNonce: nonce, ulidPair: ulids)
        try forge(.i1(i1), from: source, to: destination)
        guard case .r1(let r1) = last(.r1, by: .b)?.message else { throw Missing.message }
        return r1
    }

    /// A correct I2 of A that answers an R1.
    func i2(_ r1: R1, tag: ContextTag, options: LocatorOptions = .ofA()) -> I2 {
        I2(
            initiatorTag: tag, initiatorNonce: r1.initiatorNonce, responderNonce: r1.responderNonce,
            responderValidator: r1.responderValidator, options: options)
    }

    enum Missing: Error {
        case message
    }
}

extension LocatorOptions {
    /// A list of A with correct proof.
    static func ofA(
        _ locators: [IPv6Address] = [.a1, .a2], generation: UInt32 = 7, ulid: IPv6Address = .a1
    ) -> LocatorOptions {
        LocatorOptions(
            locatorList: LocatorList(
                generation: generation,
                locators: locators.map { LocatorList.Entry(locator: $0, method: .cga) }),
            cgaParameters: ToyProof.parameters(of: ulid),
            cgaSignature: ToyProof.signature(by: ulid, generation: generation, locators: locators))
    }
}

extension ContextTag {
    static let ofA = ContextTag(truncating: 0x1234_5678_9abc)
}

extension [UInt8] {
    /// Makes the checksum of a control message right again.
    mutating func repairChecksum() {
        guard count >= 8 else { return }
        self[4] = 0
        self[5] = 0
        var sum: UInt32 = 0
        for index in 0..<Swift.min(count, (Int(self[1]) + 1) * 8) {
            sum += UInt32(self[index]) << (index % 2 == 0 ? 8 : 0)
        }
        while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
        self[4] = UInt8(truncatingIfNeeded: ~sum >> 8)
        self[5] = UInt8(truncatingIfNeeded: ~sum)
    }
}
