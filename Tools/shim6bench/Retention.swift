import CAllocations
import Shim6Wire

/// Whether a responder keeps anything of an I1: a million of them, each from another source, while secrets change.
struct Retention {
    /// Whether nothing was kept.
    let holds: Bool

    init() throws {
        let responder = try Responder(KeyedAddresses(bits: 1024))
        let packets = try PacketBuffer.i1s(count: 1024)
        func answer(_ numbers: Range<Int>) -> Int {
            var answers = 0
            for number in numbers {
                packets.withPacket(number) { packet, source in
                    if responder.answer(packet, from: source) != nil { answers += 1 }
                }
                if number % 1000 == 0 { responder.pass(.seconds(5)) }
            }
            return answers
        }
        let warm = answer(0..<10_000)
        let before = Usage()
        let answers = answer(10_000..<1_010_000)
        // The packets are in both.
        let after = withExtendedLifetime((responder, packets)) { Usage() }
        try expect(warm == 10_000 && answers == 1_000_000, "R1s for all I1s")
        print("\nMemory that 1,000,000 I1s leave behind")
        print("  blocks in the heap  \(after.blocks - before.blocks)")
        print("  octets in the heap  \(after.octets - before.octets)")
        print("  octets in memory    \(after.resident - before.resident)")
        // The allocator counts freed blocks that it keeps at hand as used: a few, whatever comes in.
        holds = after.blocks <= before.blocks && after.octets < before.octets + 10_000
    }

    private struct Usage {
        var blocks: Int
        var octets: Int
        var resident: Int

        init() {
            let counts = callocations_of_thread()
            blocks = Int(counts.taken) - Int(counts.returned)
            octets = Int(callocations_octets_in_use())
            resident = Machine.resident
        }
    }
}
