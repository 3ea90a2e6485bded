import Shim6Wire
import Testing
import Vectors

/// Octets near valid messages: nothing traps, and what is accepted means the same after encoding.
@Suite struct MutationTests {
    /// Damages octets in one of the ways that lead deep into the parser.
    private func mutate(_ octets: inout [UInt8], using generator: inout SeededGenerator) {
        guard let index = octets.indices.randomElement(using: &generator) else { return }
        switch Int.random(in: 0..<7, using: &generator) {
        case 0: octets[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: octets[index] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &generator) ?? 0
        case 2: octets.removeSubrange(index...)
        case 3: octets += generator.octets(1...64)
        case 4: octets.insert(contentsOf: generator.octets(8...8), at: index / 8 * 8)
        case 5: octets.removeSubrange((index / 8 * 8)..<min(index / 8 * 8 + 8, octets.count))
        default: octets.swapAt(index, octets.count - 1)
        }
    }

    /// Hdr Ext Len and checksum for what is there, so that the damage is not found by them.
    private func reseal(_ octets: [UInt8]) -> [UInt8] {
        var octets = Array(octets.prefix(2048))
        octets += Array(repeating: 0, count: max(8, (octets.count + 7) / 8 * 8) - octets.count)
        octets[1] = UInt8(octets.count / 8 - 1)
        octets[2] &= 0x7f
        octets[3] &= 0xfe
        return RawMessage.summed(octets)
    }

    @Test(arguments: MessageType.allCases)
    func `A damaged message is refused or means the same after encoding`(type: MessageType) throws {
        var generator = SeededGenerator(seed: 0x5317_0a00 + UInt64(type.rawValue))
        var accepted = 0
        for round in 0..<1500 {
            var octets = try generator.message(type).encoded()
            for _ in 0..<Int.random(in: 1...3, using: &generator) { mutate(&octets, using: &generator) }
            _ = try? decode(octets)
            _ = try? PayloadHeader(octets)
            guard let message = try? decode(reseal(octets)) else { continue }
            accepted += 1
            guard try message.encodedLength() <= ControlMessage.maximumLength else { continue }
            #expect(try decode(message.encoded()) == message, "round \(round)")
        }
        // The damage is small enough that both outcomes are tried.
        #expect((100..<1500).contains(accepted))
    }

    @Test func `Random octets do not trap`() {
        var generator = SeededGenerator(seed: 0x5317_0b00)
        for _ in 0..<5_000 {
            var octets = reseal(generator.octets(0...200))
            octets[2] = MessageType.allCases.randomElement(using: &generator)?.rawValue ?? 0
            octets = RawMessage.summed(octets)
            _ = try? decode(octets)
        }
    }
}
