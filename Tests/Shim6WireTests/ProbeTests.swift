import Requirements
import Shim6Wire
import Testing

@Suite struct ProbeTests {
    private func reports(_ count: Int) -> [ProbeReport] {
        (0..<count).map { index in
            ProbeReport(
                source: WorkedPacket.a1, destination: WorkedPacket.b1, nonce: UInt32(index), data: ~UInt32(index))
        }
    }

    private func probe(sent: Int, received: Int) -> ControlMessage {
        .probe(
            Probe(
                receiverTag: WorkedPacket.tagOfB, state: .inboundOk, sent: reports(sent), received: reports(received)))
    }

    @Test(
        .requirement("5534-5.2-04", "5534-5.2-17", "5534-5.2-20", "5534-5.2-29"), arguments: 1...15, 0...15)
    func `Every number of reports fits and comes back unchanged`(sent: Int, received: Int) throws {
        let octets = try probe(sent: sent, received: received).encoded()
        #expect(octets.count == 16 + 40 * (sent + received))
        #expect(Int(octets[1]) == 1 + 5 * (sent + received))
        #expect(try decode(octets) == probe(sent: sent, received: received))
    }

    @Test(.requirement("5534-5.2-15"))
    func `A Probe without a sent report is refused`() throws {
        var raw = try RawMessage(probe(sent: 1, received: 1))
        raw.octets[12] = 0x20
        #expect(throws: ParseError(.probeWithoutReport, at: 12)) { try MessageView(raw.sealed()) }
    }

    @Test(.requirement("5534-5.2-16"))
    func `A Probe with more reports than octets is refused`() throws {
        var raw = try RawMessage(probe(sent: 2, received: 1))
        for counts: UInt8 in [0x22, 0x13, 0x04, 0xff] {
            raw.octets[12] = counts
            #expect(throws: ParseError(.probeReportsPastEnd, at: 12)) { try MessageView(raw.sealed()) }
        }
    }

    @Test(.requirement("5534-5.2-24"))
    func `A Probe with the state that no rule defines is refused`() throws {
        var raw = try RawMessage(probe(sent: 1, received: 0))
        raw.octets[13] = 0xc0
        #expect(throws: ParseError(.probeState, at: 13)) { try MessageView(raw.sealed()) }
    }

    @Test func `Numbers of reports that four bits do not hold, and no own report, are not encoded`() {
        for (sent, received) in [(0, 0), (0, 1), (16, 0), (1, 16)] {
            #expect(throws: EncodeError.reportCount(sent: sent, received: received)) {
                try probe(sent: sent, received: received).encoded()
            }
        }
    }
}
