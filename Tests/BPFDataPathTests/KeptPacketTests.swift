import BPFDataPath
import REAP
import Shim6Wire
import Testing

@Suite(.needsRoot) struct KeptPacketTests {
    /// A TCP segment with 5 octets of data of host A to host B; its checksum is right.
    private static let segment: [UInt8] = {
        let head: [UInt8] = [
            0x12, 0x34, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0,
        ]
        var payload = head + [0x73, 0x68, 0x69, 0x6d, 0x36]
        var sum = UInt32(6 + payload.count)
        let covered = Bench.a1.octets + Bench.b1.octets + payload + [0]
        for index in stride(from: 0, to: covered.count, by: 2) {
            sum += UInt32(covered[index]) << 8 | UInt32(covered[index + 1])
        }
        while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
        (payload[16], payload[17]) = (UInt8(~sum >> 8 & 0xff), UInt8(~sum & 0xff))
        return payload
    }()

    private func keep(_ bench: Bench, unansweredFor milliseconds: Int) throws -> [KeptPacket] {
        try bench.program.install(Bench.entry())
        bench.stamps.sendStart = Bench.now + .milliseconds(-milliseconds)
        _ = try bench.run(.uplinkOut, Bench.a1, Bench.b1, next: 6, Self.segment)
        return bench.program.takeKept(Bench.localTag)
    }

    @Test func `The last TCP packet of a flow that is unanswered is kept as it was sent, and given once`() throws {
        try Bench.run { bench in
            let kept = try keep(bench, unansweredFor: 100)
            let frame = Frame.ipv6(Bench.a1, Bench.b1, next: 6, Self.segment)
            #expect(kept.map(\.octets) == [[UInt8](frame.dropFirst(14))])
            #expect(kept.first?.isOf(Bench.ulids) == true)
            #expect(bench.program.takeKept(Bench.localTag).isEmpty)
        }
    }

    @Test func `While answers come nothing is kept`() throws {
        try Bench.run { bench in
            let kept = try keep(bench, unansweredFor: 0)
            #expect(kept.isEmpty)
        }
    }

    @Test func `With room for no packet none is kept`() throws {
        var sizes = KernelProgram.Sizes.small
        sizes.keptPackets = 0
        try Bench.run(sizes: sizes) { bench in
            let kept = try keep(bench, unansweredFor: 100)
            #expect(kept.isEmpty)
        }
    }
}
