import Shim6Wire
import Testing

@testable import CGA

/// A hundred thousand inputs; `Scripts/fuzz.sh` has more.
@Suite("Mutated keys and parameters")
struct MutatedParametersTests {
    /// SplitMix64.
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var word = state
            word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
            word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
            return word ^ (word >> 31)
        }
    }

    private static let inputs = 100_000

    private func mutate(_ octets: inout [UInt8], _ random: inout Seeded) {
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            guard !octets.isEmpty else { return }
            let index = Int.random(in: 0..<min(octets.count, 60), using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: octets[index] = UInt8.random(in: 0...255, using: &random)
            case 1: octets[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: octets.removeLast(Int.random(in: 0...octets.count, using: &random))
            case 3: octets.insert(contentsOf: [0x84, 0xff, 0xff, 0xff], at: index)
            case 4: octets.remove(at: index)
            default: octets += [0x00, 0x12, 0x00, UInt8.random(in: 0...40, using: &random)] + octets.prefix(20)
            }
        }
    }

    @Test("Parameters that are read have their parts in their octets, and none traps")
    func parameters() throws {
        var random = Seeded(state: 1)
        let originals =
            CGAVectors.all.cga.map(\.pds_hex.octets) + CGAVectors.all.hba.flatMap { $0.members.map(\.pds_hex.octets) }
        var read = 0
        for number in 0..<Self.inputs {
            var octets = originals[number % originals.count]
            mutate(&octets, &random)
            guard let parameters = try? CGAParameters(octets) else { continue }
            read += 1
            #expect(parameters.octets == octets)
            if octets.dropFirst(25) != parameters.publicKey[...] + parameters.extensions {
                Issue.record("parts of \(octets)")
            }
            if let extensions = try? parameters.parsedExtensions(),
                extensions.flatMap({ $0.octets ?? [] }) != Array(parameters.extensions)
            {
                Issue.record("extensions of \(octets)")
            }
            _ = try? parameters.multiPrefix()
            if number % 16 == 0 { _ = try? parameters.verify(IPv6Address(high: 1, low: 2), by: .hba) }
        }
        #expect((Self.inputs / 10...Self.inputs * 9 / 10).contains(read))
    }

    @Test("Keys that are read are within the limits, and none traps")
    func keys() throws {
        var random = Seeded(state: 2)
        let originals = try ["rsa1024", "rsa2048"].map { try CGAVectors.key($0).spki_hex.octets }
        var read = 0
        for number in 0..<Self.inputs {
            var octets = originals[number % originals.count]
            mutate(&octets, &random)
            guard let fields = try? RSAPublicKeyFields(subjectPublicKeyInfo: octets, bits: 1024...4096) else {
                continue
            }
            read += 1
            if !(1024...4096).contains(fields.bits) || fields.exponent & 1 == 0 || fields.modulus.first == 0 {
                Issue.record("key \(octets)")
            }
        }
        #expect(read > 1000)
    }
}
