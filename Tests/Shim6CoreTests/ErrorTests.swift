import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Error messages")
struct ErrorTests {
    /// What B answers to octets of A.
    private func answer(_ octets: [UInt8], _ pair: Pair = Pair(), from source: IPv6Address = .a1) -> ErrorMessage? {
        pair.clearLog()
        pair.deliver(Node.Packet(octets: octets, source: source, destination: .b1), to: .b)
        guard let packet = pair.last(.error, by: .b), case .error(let error) = packet.message,
            packet.pair == LocatorPair(source: .b1, destination: source)
        else { return nil }
        return error
    }

    private func withOption(_ type: UInt16, critical: Bool, _ message: ControlMessage) throws -> [UInt8] {
        let word = type << 1 | (critical ? 1 : 0)
        var octets = try message.encoded() + [UInt8(word >> 8), UInt8(word & 0xff), 0, 4, 0xde, 0xad, 0xbe, 0xef]
        octets[1] += 1
        octets.repairChecksum()
        return octets
    }

    private let i1 = ControlMessage.i1(I1(initiatorTag: .ofA, initiatorNonce: 1))

    @Test(
        "A type that nobody knows is answered with code 0, the Pointer at the type; also one above 63",
        .requirement("5533-12.3-05", "5533-5.14-03", "5533-5.14-04", "5533-5.14-07"),
        arguments: [7, 40, 63, 69, 100, 127] as [UInt8])
    func unknownType(type: UInt8) throws {
        var octets = try i1.encoded()
        octets[2] = type
        octets.repairChecksum()
        let error = try #require(answer(octets))
        #expect(error.code == .unknownMessageType)
        #expect(error.pointer == 42)
        #expect(Array(error.packet.dropFirst(40)) == octets)
        #expect(Array(error.packet[8..<40]) == IPv6Address.a1.octets + IPv6Address.b1.octets)
        #expect(error.packet[6] == 140)
    }

    @Test(
        "An unknown critical option is answered with code 1, the Pointer at its Type; the message has no effect",
        .requirement("5533-5.15-14", "5533-5.14-03", "5533-5.14-04"))
    func criticalOption() throws {
        let error = try #require(answer(withOption(0x2001, critical: true, i1)))
        #expect(error.code == .unrecognisedCriticalOption)
        #expect(error.pointer == 56)
        let pair = Pair()
        #expect(answer(try withOption(0x2001, critical: true, i1), pair) != nil)
        #expect(pair.log.map(\.type) == [.error])
        #expect(answer(try withOption(0x2001, critical: false, i1), pair) == nil)
        #expect(pair.log.map(\.type) == [.r1])
    }

    @Test(
        "A known option in a message that it is not for is like an unknown one", .requirement("5533-5.15-12"))
    func wrongMessage() throws {
        let pair = Pair()
        // A Responder Validator in I1.
        #expect(answer(try withOption(1, critical: true, i1), pair)?.code == .unrecognisedCriticalOption)
        #expect(answer(try withOption(1, critical: false, i1), pair) == nil)
        #expect(pair.log.map(\.type) == [.r1])
    }

    @Test("No Error answers an Error, nor what is silently dropped", .requirement("5533-5.15-11", "5533-12.3-06"))
    func silence() throws {
        let quoted = try i1.encoded()
        let error = ErrorMessage(
            code: .unknownMessageType, offset: 2, message: quoted, source: .a1, destination: .b1)
        #expect(answer(try ControlMessage.error(error).encoded()) == nil)
        var bad = quoted
        bad[2] = 100
        #expect(answer(bad) == nil)
        #expect(answer(try withOption(0x2001, critical: false, i1)) == nil)
    }

    @Test("Errors to one network are limited")
    func limit() throws {
        let pair = Pair()
        var octets = try i1.encoded()
        octets[2] = 100
        octets.repairChecksum()
        for _ in 0..<100 { pair.deliver(Node.Packet(octets: octets, source: .stranger, destination: .b1), to: .b) }
        #expect(pair.sent(.error).count == pair.b.host.configuration.maximumAnswersPerSecond)
        #expect(pair.b.drops(.answerRate) == UInt64(100 - pair.sent(.error).count))
    }

    @Test(
        "A list with an unknown method is answered with code 2, the Pointer at the method; nothing is taken over",
        .requirement("5533-7.2-06", "5533-5.14-03"))
    func unknownMethod() throws {
        let pair = Pair()
        pair.establish()
        let before = try #require(pair.b.context)
        var options = LocatorOptions.ofA([.a1, .a3])
        options.locatorList?.locators[1].method = 77
        let update = UpdateRequest(receiverTag: before.localTag, requestNonce: 1, options: options)
        let error = try #require(answer(ControlMessage.updateRequest(update).encoded(), pair))
        #expect(error.code == .verificationMethodFailed)
        #expect(error.pointer == UInt16(40 + 16 + 9 + 1))
        #expect(pair.b.context?.peerLocators == before.peerLocators)
        #expect(pair.sent(.updateAcknowledgement).isEmpty)
    }

    @Test(
        "A list that its signature does not prove is an error in an Update Request; foreign parameters are dropped",
        .requirement("5533-10.4-05"))
    func unprovenUpdate() throws {
        let pair = Pair()
        pair.establish()
        let tag = try #require(pair.b.context?.localTag)
        var options = LocatorOptions.ofA([.a1, .a3])
        options.cgaSignature = [1]
        var update = UpdateRequest(receiverTag: tag, requestNonce: 1, options: options)
        #expect(
            answer(try ControlMessage.updateRequest(update).encoded(), pair)?.code == .verificationMethodFailed)
        update.options = .ofA([.a1, .a3])
        update.options.cgaParameters = ToyProof.parameters(of: .stranger)
        #expect(answer(try ControlMessage.updateRequest(update).encoded(), pair) == nil)
        #expect(pair.log.isEmpty)
    }

    @Test(
        "A quoted packet is cut where the Error would exceed 1,280 octets",
        .requirement("5533-5.14-02", "5533-5.14-06"))
    func longPacket() throws {
        var octets = [UInt8](repeating: 0, count: 2048)
        octets.replaceSubrange(0..<4, with: [59, 255, 100, 0])
        octets.repairChecksum()
        let pair = Pair()
        let error = try #require(answer(octets, pair))
        #expect(pair.log[0].packet.octets.count == 1240)
        #expect(error.packet.count == 1232)
    }

    @Test(
        "An Error about an Update Request makes everything be told at once, but only once",
        .requirement("5533-12.4-08"))
    func errorAboutUpdate() throws {
        let pair = Pair()
        pair.establish()
        pair.fate = { _ in .drop }
        pair.announce([.a1, .a3], by: .a)
        let first = try #require(pair.last(.updateRequest, by: .a))
        func refuse(_ packet: Node.Packet, _ code: ErrorMessage.Code, source: IPv6Address? = nil) throws {
            let error = ErrorMessage(
                code: code, offset: 20, message: packet.octets, source: source ?? packet.source,
                destination: packet.destination)
            try pair.forge(.error(error), from: .b1, to: .a1, side: .a)
        }
        try refuse(first, .generationOutOfSync, source: .stranger)
        #expect(pair.a.drops(.unmatchedError) == 1)
        #expect(pair.sent(.updateRequest).count == 1)
        try refuse(first, .generationOutOfSync)
        #expect(pair.a.host.counters.errorsIn == [3: 1])
        guard case .updateRequest(let second) = pair.last(.updateRequest)?.message,
            case .updateRequest(let before) = first.message
        else { throw Pair.Missing.message }
        #expect(second.requestNonce != before.requestNonce)
        #expect(second.options.cgaParameters != nil && before.options.cgaParameters == nil)
        try refuse(try #require(pair.last(.updateRequest)), .verificationMethodFailed)
        #expect(pair.sent(.updateRequest).count == 2)
        #expect(pair.a.context?.updatePending == true)
        try refuse(try #require(pair.last(.updateRequest)), .unknownMessageType)
        #expect(pair.a.context?.updatePending == false)
        #expect(pair.a.state == .established)
    }

    @Test("An Error that quotes nothing of ours is counted and forgotten", .requirement("5533-12.4-08"))
    func madeUp() throws {
        let pair = Pair()
        pair.establish()
        let tag = try #require(pair.a.context?.peerTag)
        let before = pair.a.context
        pair.clearLog()
        let invented: [ControlMessage] = [
            i1, .keepalive(Keepalive(receiverTag: .ofA)), .r2(R2(responderTag: .ofA, initiatorNonce: 1)),
            .updateRequest(UpdateRequest(receiverTag: ContextTag(truncating: tag.rawValue ^ 1), requestNonce: 1)),
        ]
        for message in invented {
            let error = ErrorMessage(
                code: .unknownMessageType, offset: 2, message: try message.encoded(), source: .a1, destination: .b1)
            try pair.forge(.error(error), from: .b1, to: .a1, side: .a)
        }
        for packet in [[], [UInt8](repeating: 0, count: 64), [UInt8](repeating: 0x60, count: 50)] {
            let error = ErrorMessage(code: .unknownMessageType, pointer: 0, packet: packet)
            try pair.forge(.error(error), from: .b1, to: .a1, side: .a)
        }
        #expect(pair.a.drops(.unmatchedError) == 7)
        #expect(pair.a.context?.state == before?.state)
        #expect(pair.log.isEmpty)
    }
}
