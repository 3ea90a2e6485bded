import Requirements
import Shim6Wire
import Testing
import Vectors

@Suite struct MessageViewTests {
    private let i1 = ControlMessage.i1(I1(initiatorTag: WorkedPacket.tagOfA, initiatorNonce: 0x1122_3344))

    @Test func `Fewer octets than the common header are refused`() throws {
        let octets = try i1.encoded()
        for count in 0..<8 {
            #expect(throws: ParseError(.truncated, at: count)) { try MessageView(Array(octets.prefix(count))) }
        }
    }

    @Test(.requirement("5533-12.3-02"))
    func `A header that runs past the end of the packet is refused`() throws {
        let octets = try i1.encoded()
        for count in 8..<16 {
            #expect(throws: ParseError(.pastEnd, at: 1)) { try MessageView(Array(octets.prefix(count))) }
        }
    }

    @Test(.requirement("5533-12.3-01", "5533-5.3-08"), arguments: try WorkedPacket.all())
    func `Every damaged bit that leaves a Shim6 header is found by the checksum`(worked: WorkedPacket) throws {
        let octets = try worked.octets()
        let length = octets.count
        for bit in 0..<(length * 8) {
            // Hdr Ext Len, P and S are looked at before.
            if (8...16).contains(bit) || bit == 31 { continue }
            var damaged = octets
            damaged[bit / 8] ^= 0x80 >> UInt8(bit % 8)
            #expect(throws: ParseError(.checksum, at: 4), "bit \(bit)") { try MessageView(damaged) }
        }
    }

    @Test(.requirement("5533-5.3-08"))
    func `A checksum field of zero is accepted where the sum makes it so`() throws {
        for nonce in UInt32(0)...0xffff {
            let octets = try ControlMessage.i1(I1(initiatorTag: WorkedPacket.tagOfA, initiatorNonce: nonce)).encoded()
            guard octets[4] == 0, octets[5] == 0 else { continue }
            #expect(try MessageView(octets).initiatorNonce == nonce)
            return
        }
        Issue.record("no nonce of 16 bits gives a checksum of zero")
    }

    @Test(.requirement("5533-5.1-03", "5533-5.3-06", "5533-12-01"))
    func `A payload header and a HIP packet are no control messages`() throws {
        var payload = try i1.encoded()
        payload[2] |= 0x80
        #expect(throws: ParseError(.wrongKind, at: 2)) { try MessageView(RawMessage.summed(payload)) }
        var hip = try i1.encoded()
        hip[3] |= 1
        #expect(throws: ParseError(.notShim6, at: 3)) { try MessageView(RawMessage.summed(hip)) }
    }

    @Test(.requirement("5533-5.3-11", "5533-12.3-05"))
    func `All other types are unknown, whatever half of the range they are in`() throws {
        let known: Set<UInt8> = [1, 2, 3, 4, 5, 6, 64, 65, 66, 67, 68]
        for type in (0..<128 as Range<UInt8>) where !known.contains(type) {
            var octets = try i1.encoded()
            octets[2] = type
            #expect(throws: ParseError(.unknownMessageType, at: 2)) { try MessageView(RawMessage.summed(octets)) }
        }
    }

    @Test(.requirement("5533-5.3-12"))
    func `Only Update, Keepalive and Probe elicit R1bis`() {
        let eliciting: Set<MessageType> = [.updateRequest, .updateAcknowledgement, .keepalive, .probe]
        #expect(Set(MessageType.allCases.filter(\.elicitsR1bis)) == eliciting)
    }

    @Test(
        .requirement("5533-7.9-01", "5533-7.11-01", "5533-7.13-01", "5533-7.16-01", "5533-7.18-01", "5533-7.20-01"),
        arguments: [(.i1, 1), (.r1, 1), (.i2, 2), (.r2, 1), (.r1bis, 1), (.i2bis, 3)] as [(MessageType, UInt8)])
    func `An establishment message below its least Hdr Ext Len is refused`(type: MessageType, least: UInt8) throws {
        try expectLeast(least, of: type)
    }

    @Test(
        .requirement("5533-10.4-01", "5533-10.5-01", "5533-5.14-02"),
        arguments: [(.updateRequest, 1), (.updateAcknowledgement, 1), (.keepalive, 1), (.probe, 6), (.error, 1)]
            as [(MessageType, UInt8)])
    func `A later message below its least Hdr Ext Len is refused`(type: MessageType, least: UInt8) throws {
        try expectLeast(least, of: type)
    }

    private func expectLeast(_ least: UInt8, of type: MessageType) throws {
        var octets = [UInt8](repeating: 0, count: 64)
        octets[2] = type.rawValue
        // One sent report, which only a Probe has there.
        octets[12] = 1
        for length in 0..<least {
            octets[1] = length
            #expect(throws: ParseError(.tooShort, at: 1)) { try MessageView(RawMessage.summed(octets)) }
        }
        octets[1] = least
        #expect(try MessageView(RawMessage.summed(octets)).type == type)
    }

    @Test(.requirement("5533-5.3-02", "5533-5.3-10", "5533-5.1-02"))
    func `What follows the message is not looked at`() throws {
        var octets = try i1.encoded()
        octets[0] = 17
        octets = RawMessage.summed(octets) + [0xde, 0xad, 0xbe, 0xef, 0xff]
        let view = try MessageView(octets)
        #expect(view.length == 16)
        #expect(try ControlMessage(view) == i1)
    }

    @Test(.requirement("5533-12.3-03"))
    func `Multicast and unspecified addresses are refused on both ends`() throws {
        let good = WorkedPacket.a1
        let multicast = try #require(IPv6Address("ff02::1"))
        let unspecified = IPv6Address(high: 0, low: 0)
        #expect(throws: Never.self) { try MessageView.checkAddresses(source: good, destination: WorkedPacket.b1) }
        #expect(throws: ParseError(.multicastAddress, at: 0)) {
            try MessageView.checkAddresses(source: multicast, destination: good)
        }
        #expect(throws: ParseError(.multicastAddress, at: 0)) {
            try MessageView.checkAddresses(source: good, destination: multicast)
        }
        #expect(throws: ParseError(.unspecifiedAddress, at: 0)) {
            try MessageView.checkAddresses(source: unspecified, destination: good)
        }
        #expect(throws: ParseError(.unspecifiedAddress, at: 0)) {
            try MessageView.checkAddresses(source: good, destination: unspecified)
        }
    }

    @Test(arguments: try WorkedPacket.all())
    func `The view's fixed fields are those of the message`(worked: WorkedPacket) throws {
        let view = try MessageView(worked.octets())
        let fields = Fields(
            contextTag: view.contextTag, packetTag: view.packetTag, initiatorNonce: view.initiatorNonce,
            responderNonce: view.responderNonce, requestNonce: view.requestNonce,
            responderValidator: view.responderValidator.map { Array($0) })
        #expect(fields == Fields(worked.message))
    }
}

/// What the view tells without a value being made.
private struct Fields: Equatable {
    var contextTag: ContextTag?
    var packetTag: ContextTag?
    var initiatorNonce: UInt32?
    var responderNonce: UInt32?
    var requestNonce: UInt32?
    var responderValidator: [UInt8]?
}

extension Fields {
    init(_ message: ControlMessage) {
        switch message {
        case .i1(let i1):
            self.init(contextTag: i1.initiatorTag, initiatorNonce: i1.initiatorNonce)
        case .r1(let r1):
            self.init(
                initiatorNonce: r1.initiatorNonce, responderNonce: r1.responderNonce,
                responderValidator: r1.responderValidator)
        case .i2(let i2):
            self.init(
                contextTag: i2.initiatorTag, initiatorNonce: i2.initiatorNonce, responderNonce: i2.responderNonce,
                responderValidator: i2.responderValidator)
        case .r2(let r2):
            self.init(contextTag: r2.responderTag, initiatorNonce: r2.initiatorNonce)
        case .r1bis(let r1bis):
            self.init(
                contextTag: r1bis.packetTag, packetTag: r1bis.packetTag, responderNonce: r1bis.responderNonce,
                responderValidator: r1bis.responderValidator)
        case .i2bis(let i2bis):
            self.init(
                contextTag: i2bis.initiatorTag, packetTag: i2bis.packetTag, initiatorNonce: i2bis.initiatorNonce,
                responderNonce: i2bis.responderNonce, responderValidator: i2bis.responderValidator)
        case .updateRequest(let request):
            self.init(contextTag: request.receiverTag, requestNonce: request.requestNonce)
        case .updateAcknowledgement(let acknowledgement):
            self.init(contextTag: acknowledgement.receiverTag, requestNonce: acknowledgement.requestNonce)
        case .keepalive(let keepalive):
            self.init(contextTag: keepalive.receiverTag)
        case .probe(let probe):
            self.init(contextTag: probe.receiverTag)
        case .error:
            self.init()
        }
    }
}
