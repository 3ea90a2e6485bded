import Requirements
import Shim6Wire
import Testing
import Vectors

@Suite struct LimitTests {
    private func r2(locators: Int) -> ControlMessage {
        let entry = LocatorList.Entry(locator: WorkedPacket.a1, method: .cga)
        let list = LocatorList(generation: 1, locators: Array(repeating: entry, count: locators))
        return .r2(
            R2(responderTag: WorkedPacket.tagOfA, initiatorNonce: 1, options: LocatorOptions(locatorList: list)))
    }

    @Test(.requirement("5533-5.1-05", "5533-5.3-03"))
    func `A message above 1240 octets is measured but not encoded`() throws {
        for count in 0...400 {
            let message = r2(locators: count)
            // 9 octets before the methods; the locators begin at a multiple of 8.
            let length = 16 + (9 + count + 7) / 8 * 8 + 16 * count
            #expect(try message.encodedLength() == length)
            if length <= 1240 {
                #expect(try message.encoded().count == length)
            } else {
                #expect(throws: EncodeError.tooLarge(octets: length)) { try message.encoded() }
            }
        }
    }

    @Test(.requirement("5533-5.1-05"))
    func `1240 octets are encoded and eight more are not`() throws {
        func r1(validator count: Int) -> ControlMessage {
            .r1(R1(initiatorNonce: 1, responderNonce: 2, responderValidator: Array(repeating: 1, count: count)))
        }
        #expect(try r1(validator: 1220).encoded().count == 1240)
        #expect(throws: EncodeError.tooLarge(octets: 1248)) { try r1(validator: 1221).encoded() }
    }

    @Test func `Contents that no Length field holds are refused and not cut`() throws {
        let message = ControlMessage.r1(
            R1(initiatorNonce: 1, responderNonce: 2, responderValidator: Array(repeating: 1, count: 65_540)))
        #expect(throws: EncodeError.tooLarge(octets: 65_560)) { try message.encoded() }
    }

    @Test(.requirement("5533-5.14-06", "5533-5.3-03"))
    func `An Error pads a quotation and gives it back without padding`() throws {
        var packet = Array(try WorkedPacket.file().packet("Payload header + UDP").prefix(57))
        packet[5] = 17
        let message = ControlMessage.error(ErrorMessage(code: .generationOutOfSync, pointer: 9, packet: packet))
        let octets = try message.encoded()
        #expect(octets.count == 72)
        #expect(octets.suffix(7).allSatisfy { $0 == 0 })
        #expect(try decode(octets) == message)
    }

    @Test(.requirement("5533-5.14-04"))
    func `An Error quotes from the IPv6 header on as much as a packet of 1280 octets holds`() throws {
        let packet: [UInt8] = [0x60, 0, 0, 0, 0x05, 0xa0, 140, 64] + (0..<1472).map { UInt8(truncatingIfNeeded: $0) }
        let message = ErrorMessage(code: .unknownMessageType, pointer: 42, packet: packet)
        #expect(message.packet == Array(packet.prefix(1232)))
        let octets = try ControlMessage.error(message).encoded()
        #expect(octets.count == 1240)
        #expect(try decode(octets) == .error(message))
    }

    @Test(.requirement("5533-5.14-02"))
    func `An Error about an empty packet still has the least length`() throws {
        let octets = try ControlMessage.error(
            ErrorMessage(code: .unknownMessageType, pointer: 0, packet: [])
        ).encoded()
        #expect(octets.count == 16)
        #expect(octets[1] == 1)
    }

    @Test(.requirement("5533-5.14-07"))
    func `Error codes have the numbers of the table and seven bits`() {
        #expect(ErrorMessage.Code.unknownMessageType.rawValue == 0)
        #expect(ErrorMessage.Code.unrecognisedCriticalOption.rawValue == 1)
        #expect(ErrorMessage.Code.verificationMethodFailed.rawValue == 2)
        #expect(ErrorMessage.Code.generationOutOfSync.rawValue == 3)
        #expect(ErrorMessage.Code.wrongNumberOfLocators.rawValue == 4)
        #expect(ErrorMessage.Code(rawValue: 127) != nil)
        #expect(ErrorMessage.Code(rawValue: 128) == nil)
    }
}
