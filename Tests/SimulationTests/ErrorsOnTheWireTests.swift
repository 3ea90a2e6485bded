import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// RFC 5533, sections 5.14, 5.15 and 12.3: what a whole host says to a message that it cannot use.
@Suite struct ErrorsOnTheWireTests {
    /// Host 1 gets something made of the last I2; what it sends then, and the packet that it got.
    private static func answers(
        _ change: @escaping (_ forged: inout ForgedMessage, _ tag: ContextTag) -> Void
    ) throws -> (run: ScriptedRun, errors: [ErrorMessage], sent: [ScriptedRun.Message], got: ForgedMessage) {
        var got: ForgedMessage?
        func forge(_ sent: [SentPacket]) -> ForgedMessage? {
            guard let i2 = sent.messages.sent(.i2).last, let tag = sent.messages.sent(.r2).last?.r2?.responderTag else {
                return nil
            }
            var forged = ForgedMessage(octets: i2.octets, source: i2.source, destination: i2.destination)
            change(&forged, tag)
            return forged
        }
        let run = ScriptedRun(quiet: .exact, until: 4, [(3, .forge(forge))])
        got = forge(run.world.record)
        let sent = run.messages.filter { $0.seconds >= 3 }
        let errors = sent.compactMap { message in
            if case .error(let error) = message.content { error } else { nil }
        }
        return (run, errors, sent, try #require(got))
    }

    /// Where the Shim6 header of a quoted packet begins.
    private static let ipv6Header: UInt16 = 40

    @Test(
        "An unknown message type is answered with Error 0 that points at it, back to its sender",
        .requirement("5533-12.3-04", "5533-5.14-11", "5533-5.14-05"))
    func unknownType() throws {
        let (_, errors, sent, got) = try Self.answers { forged, _ in
            forged.octets[2] = 90
            forged.repairChecksum()
        }
        #expect(sent.count == 1)
        #expect(errors.first?.code == .unknownMessageType)
        #expect(errors.first?.pointer == Self.ipv6Header + 2)
        #expect(sent.first?.addresses == [got.destination, got.source])
        #expect(errors.first?.packet.dropFirst(40).elementsEqual(got.octets) == true)
        #expect((sent.first?.octets.count ?? .max) <= 1240)
    }

    @Test(
        "An unknown option with C = 1 is answered with Error 1 that points at it",
        .requirement("5533-12.3-07", "5533-5.15-13"))
    func criticalOption() throws {
        let (run, errors, sent, _) = try Self.answers { forged, tag in
            let request = UpdateRequest(receiverTag: tag, requestNonce: 1)
            forged.octets = (try? ControlMessage.updateRequest(request).encoded()) ?? []
            forged.octets += [0x80, 0x03, 0, 4, 0, 0, 0, 0]
            forged.octets[1] += 1
            forged.repairChecksum()
        }
        #expect(sent.count == 1)
        #expect(errors.first?.code == .unrecognisedCriticalOption)
        #expect(errors.first?.pointer == Self.ipv6Header + 16)
        #expect(run.sent(.updateAcknowledgement).isEmpty)
    }

    @Test(
        "An Error is neither acknowledged nor answered with another", .requirement("5533-5.14-10", "5533-5.14-12"),
        arguments: [0, 1, 2, 90])
    func errorForError(code: UInt8) throws {
        let (_, _, sent, _) = try Self.answers { forged, _ in
            let code = ErrorMessage.Code(rawValue: code) ?? .unknownMessageType
            let quoted = [0x60, 0, 0, 0, 0, 16, 140, 64] + forged.destination.octets + forged.source.octets
            let error = ErrorMessage(code: code, pointer: 42, packet: quoted + forged.octets.prefix(16))
            forged.octets = (try? ControlMessage.error(error).encoded()) ?? []
        }
        #expect(sent.isEmpty)
    }

    @Test(
        "A list with a method that nobody knows is answered with Error 2 that points at it",
        .requirement("5533-7.2-08", "5533-10.4-10"))
    func unknownMethod() throws {
        let (run, errors, _, got) = try Self.answers { forged, tag in
            let list = LocatorList(
                generation: 5,
                locators: [.init(locator: forged.source, method: .cga), .init(locator: forged.source, method: 7)])
            let request = UpdateRequest(
                receiverTag: tag, requestNonce: 1, options: LocatorOptions(locatorList: list, cgaSignature: [1]))
            forged.octets = (try? ControlMessage.updateRequest(request).encoded()) ?? []
        }
        #expect(errors.map(\.code) == [.verificationMethodFailed])
        // Fixed part, option header, generation, Num Locators, first method.
        #expect(errors.first?.pointer == Self.ipv6Header + 16 + 4 + 4 + 1 + 1)
        #expect(got.octets.dropFirst(16 + 4 + 4 + 1 + 1).first == 7)
        #expect(run.sent(.updateAcknowledgement).isEmpty)
        #expect(run.context(1)?.peerLocators.count == 2)
    }

    @Test(
        "Preferences of another list, or of another number of locators, are answered with Errors 3 and 4",
        .requirement("5533-10.4-12", "5533-10.4-13"), arguments: [true, false])
    func preferences(isOtherGeneration: Bool) throws {
        let (run, errors, _, _) = try Self.answers { forged, tag in
            guard let view = try? MessageView(forged.octets), case .i2(let i2)? = try? ControlMessage(view),
                let generation = i2.options.locatorList?.generation
            else { return }
            let elements = [LocatorPreferences.Element](repeating: .init(), count: isOtherGeneration ? 2 : 3)
            let preferences = LocatorPreferences(
                generation: isOtherGeneration ? generation &+ 1 : generation, elements: elements)
            let request = UpdateRequest(
                receiverTag: tag, requestNonce: 1, options: LocatorOptions(locatorPreferences: preferences))
            forged.octets = (try? ControlMessage.updateRequest(request).encoded()) ?? []
        }
        #expect(errors.map(\.code) == [isOtherGeneration ? .generationOutOfSync : .wrongNumberOfLocators])
        // The generation field, or the length field, of the first option.
        #expect(errors.first?.pointer == Self.ipv6Header + 16 + (isOtherGeneration ? 4 : 2))
        #expect(run.sent(.updateAcknowledgement).isEmpty)
    }
}

extension ForgedMessage {
    /// Makes the checksum right for what the octets are now.
    fileprivate mutating func repairChecksum() {
        octets[4] = 0
        octets[5] = 0
        var sum: UInt32 = 0
        for index in 0..<(Int(octets[1]) + 1) * 8 { sum += UInt32(octets[index]) << (index % 2 == 0 ? 8 : 0) }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        octets[4] = UInt8(~sum >> 8 & 0xff)
        octets[5] = UInt8(~sum & 0xff)
    }
}
