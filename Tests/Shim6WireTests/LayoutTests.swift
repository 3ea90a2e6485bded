import Requirements
import Shim6Wire
import Testing
import Vectors

/// The fixed part of each message, typed from the diagrams of the RFCs. Reserved bits are sent as zero and ignored.
@Suite struct LayoutTests {
    private let tag = ContextTag(truncating: 0x7fff_0203_0405)
    private let nonce: UInt32 = 0xa1a2_a3a4
    private let otherNonce: UInt32 = 0xb1b2_b3b4

    /// Compares both ways; `body` begins at octet 6. Then sets the reserved bits, each octet's given by a mask, and
    /// octet 3's seven bits where they are reserved.
    private func expect(
        _ message: ControlMessage, type: UInt8, body: String, reserved: [Int: UInt8],
        location: SourceLocation = #_sourceLocation
    ) throws {
        var raw = try RawMessage(type: type, body: body)
        #expect(try message.encoded().hex == raw.sealed().hex, sourceLocation: location)
        #expect(try decode(raw.sealed()) == message, sourceLocation: location)
        for (offset, mask) in reserved {
            #expect(raw.octets[offset] & mask == 0, sourceLocation: location)
            raw.octets[offset] |= mask
        }
        #expect(try decode(raw.sealed()) == message, sourceLocation: location)
    }

    @Test(
        .requirement(
            "5533-5.4-01", "5533-5.4-02", "5533-5.4-03", "5533-5.4-04", "5533-5.4-05", "5533-5.4-06"))
    func `Layout of I1`() throws {
        try expect(
            .i1(I1(initiatorTag: tag, initiatorNonce: nonce)), type: 1, body: "7fff02030405 a1a2a3a4",
            reserved: [3: 0xfe, 6: 0x80])
    }

    @Test(.requirement("5533-5.5-01", "5533-5.5-02", "5533-5.5-03", "5533-5.5-04"))
    func `Layout of R1`() throws {
        try expect(
            .r1(R1(initiatorNonce: nonce, responderNonce: otherNonce, responderValidator: [1, 2, 3, 4])), type: 2,
            body: "0000 a1a2a3a4 b1b2b3b4 00020004 01020304", reserved: [3: 0xfe, 6: 0xff, 7: 0xff])
    }

    @Test(.requirement("5533-5.6-01", "5533-5.6-02", "5533-5.6-03", "5533-5.6-04", "5533-5.6-05"))
    func `Layout of I2`() throws {
        let i2 = I2(
            initiatorTag: tag, initiatorNonce: nonce, responderNonce: otherNonce, responderValidator: [1, 2, 3, 4])
        try expect(
            .i2(i2), type: 3, body: "7fff02030405 a1a2a3a4 b1b2b3b4 00000000 00020004 01020304",
            reserved: [3: 0xfe, 6: 0x80, 20: 0xff, 21: 0xff, 22: 0xff, 23: 0xff])
    }

    @Test(.requirement("5533-5.7-01", "5533-5.7-02", "5533-5.7-03", "5533-5.7-04"))
    func `Layout of R2`() throws {
        try expect(
            .r2(R2(responderTag: tag, initiatorNonce: nonce)), type: 4, body: "7fff02030405 a1a2a3a4",
            reserved: [3: 0xfe, 6: 0x80])
    }

    @Test(.requirement("5533-5.8-01", "5533-5.8-02", "5533-5.8-03", "5533-5.8-04"))
    func `Layout of R1bis`() throws {
        try expect(
            .r1bis(R1bis(packetTag: tag, responderNonce: otherNonce, responderValidator: nil)), type: 5,
            body: "7fff02030405 b1b2b3b4", reserved: [3: 0xfe, 6: 0x80])
    }

    @Test(.requirement("5533-5.9-01", "5533-5.9-02", "5533-5.9-03", "5533-5.9-04", "5533-5.9-05"))
    func `Layout of I2bis`() throws {
        let i2bis = I2bis(
            initiatorTag: tag, initiatorNonce: nonce, responderNonce: otherNonce,
            packetTag: ContextTag(truncating: 0x7011_1213_1415), responderValidator: nil)
        try expect(
            .i2bis(i2bis), type: 6, body: "7fff02030405 a1a2a3a4 b1b2b3b4 000000000000 701112131415",
            reserved: [
                3: 0xfe, 6: 0x80, 20: 0xff, 21: 0xff, 22: 0xff, 23: 0xff, 24: 0xff, 25: 0xff, 26: 0x80,
            ])
    }

    @Test(.requirement("5533-5.10-01", "5533-5.10-02", "5533-5.10-03", "5533-5.10-04"))
    func `Layout of Update Request`() throws {
        try expect(
            .updateRequest(UpdateRequest(receiverTag: tag, requestNonce: nonce)), type: 64,
            body: "7fff02030405 a1a2a3a4", reserved: [3: 0xfe, 6: 0x80])
    }

    @Test(.requirement("5533-5.11-01", "5533-5.11-02", "5533-5.11-03", "5533-5.11-04"))
    func `Layout of Update Acknowledgement`() throws {
        try expect(
            .updateAcknowledgement(UpdateAcknowledgement(receiverTag: tag, requestNonce: nonce)), type: 65,
            body: "7fff02030405 a1a2a3a4", reserved: [3: 0xfe, 6: 0x80])
    }

    @Test(
        .requirement("5533-5.12-01", "5534-5.1-01", "5534-5.1-02", "5534-5.1-04", "5534-5.1-06", "5534-5.1-09"))
    func `Keepalive as sent`() throws {
        try expect(.keepalive(Keepalive(receiverTag: tag)), type: 66, body: "7fff02030405 00000000", reserved: [:])
    }

    @Test(.requirement("5534-5.1-05", "5534-5.1-07", "5534-5.1-10"))
    func `Keepalive with its reserved bits set`() throws {
        try expect(
            .keepalive(Keepalive(receiverTag: tag)), type: 66, body: "7fff02030405 00000000",
            reserved: [3: 0xfe, 6: 0x80, 12: 0xff, 13: 0xff, 14: 0xff, 15: 0xff])
    }

    private func probe(_ state: ProbeState) throws -> (ControlMessage, body: String) {
        let sent = ProbeReport(source: WorkedPacket.a1, destination: WorkedPacket.b1, nonce: nonce, data: 0x0102_0304)
        let received = ProbeReport(source: WorkedPacket.b2, destination: WorkedPacket.a2, nonce: otherNonce, data: 5)
        let octet = [ProbeState.operational: "00", .exploring: "40", .inboundOk: "80"]
        let body =
            "7fff02030405 12" + (octet[state] ?? "") + "0000"
            + "20010db800a10000146d163d2e2f1af3 20010db800b10000000000000000000b a1a2a3a4 01020304"
            + "20010db800a10000146d163d2e2f1af3 20010db800b10000000000000000000b a1a2a3a4 01020304"
            + "20010db800b20000000000000000000b 20010db800a20000000000000000000a b1b2b3b4 00000005"
        return (.probe(Probe(receiverTag: tag, state: state, sent: [sent, sent], received: [received])), body)
    }

    @Test(
        .requirement("5533-5.13-01", "5534-5.2-01", "5534-5.2-02", "5534-5.2-03", "5534-5.2-06", "5534-5.2-12"),
        arguments: ProbeState.allCases)
    func `Probe as sent`(state: ProbeState) throws {
        let (message, body) = try probe(state)
        try expect(message, type: 67, body: body, reserved: [:])
    }

    @Test(
        .requirement("5534-5.2-07", "5534-5.2-08", "5534-5.2-09", "5534-5.2-10", "5534-5.2-11", "5534-5.2-13"),
        arguments: ProbeState.allCases)
    func `Probe with its reserved bits set`(state: ProbeState) throws {
        let (message, body) = try probe(state)
        try expect(
            message, type: 67, body: body, reserved: [3: 0xfe, 6: 0x80, 13: 0x3f, 14: 0xff, 15: 0xff])
    }

    @Test(.requirement("5533-5.14-01", "5533-5.14-03"))
    func `Layout of Error`() throws {
        let code = try #require(ErrorMessage.Code(rawValue: 0x7f))
        var octets = try ControlMessage.error(
            ErrorMessage(code: code, pointer: 0x0102, packet: [1, 2, 3, 4, 5, 6, 7, 8])
        ).encoded()
        octets[4] = 0
        octets[5] = 0
        #expect(octets.hex == "3b0144fe000001020102030405060708")
    }
}
