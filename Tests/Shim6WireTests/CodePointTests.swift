import Requirements
import Shim6Wire
import Testing

/// The numbers of RFC 5533, section 17, and RFC 5534, section 10, and no others but those of our experiments.
@Suite struct CodePointTests {
    @Test("Message types", .requirement("5533-17-01"))
    func messageTypes() {
        #expect((0...127).filter { MessageType(rawValue: $0) != nil } == [1, 2, 3, 4, 5, 6, 64, 65, 66, 67, 68])
    }

    @Test("Option types: those of table 3, and ours from the range for experiments", .requirement("5533-17-02"))
    func optionTypes() {
        let ours: [OptionType] = [.earlierPayloadForms, .payloadForms, .reachabilityTiming, .payloadReport]
        #expect(ours.map(\.rawValue) == [16384, 21350, 21351, 21352])
        #expect(ours.allSatisfy { (16384...32767).contains($0.rawValue) })
        #expect(
            (0...32767).filter { OptionType(rawValue: $0) != nil } == [1, 2, 3, 4, 5, 6, 7, 10] + ours.map(\.rawValue))
    }

    @Test(
        "Error codes: seven bits, of which the last eight values are read like any other",
        .requirement("5533-17-03", "5533-5.14-08"))
    func errorCodes() throws {
        let named: [ErrorMessage.Code] = [
            .unknownMessageType, .unrecognisedCriticalOption, .verificationMethodFailed, .generationOutOfSync,
            .wrongNumberOfLocators,
        ]
        #expect(named.map(\.rawValue) == [0, 1, 2, 3, 4])
        for value in 0...127 as ClosedRange<UInt8> {
            let code = try #require(ErrorMessage.Code(rawValue: value))
            let octets = try ControlMessage.error(ErrorMessage(code: code, pointer: 1, packet: [])).encoded()
            guard case .error(let read) = try ControlMessage(MessageView(octets)) else { throw Missing.error }
            #expect(read.code.rawValue == value)
        }
        #expect(ErrorMessage.Code(rawValue: 128) == nil)
    }

    @Test("Verification methods are those of table 4", .requirement("5533-17-04"))
    func methods() {
        #expect(VerificationMethod.hba.rawValue == 1)
        #expect(VerificationMethod.cga.rawValue == 2)
        #expect((0...255).filter { VerificationMethod(rawValue: $0) != nil } == [1, 2])
    }

    private enum Missing: Error { case error }
}
