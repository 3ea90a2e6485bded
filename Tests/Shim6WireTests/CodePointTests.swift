import Foundation
import Requirements
import Testing

@testable import Shim6Wire

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

    @Test func `A message's set of options has a bit for each type`() {
        let places = OptionType.allCases.map(\.place)
        #expect(Set(places).count == places.count)
        #expect(places.allSatisfy { $0 < UInt16.bitWidth })
    }

    @Test func `Every number of our own is registered once, and is from a range for experiments`() {
        let numbers = ExperimentalNumber.all
        #expect(numbers.allSatisfy { number in number.kind.ranges.contains { $0.contains(number.number) } })
        for kind in ExperimentalNumber.Kind.allCases {
            let values = numbers.filter { $0.kind == kind }.map(\.number)
            #expect(Set(values).count == values.count)
        }
        let used = numbers.filter { $0.kind == .option && $0.use != .retired }
        #expect(Set(used.map(\.number)) == Set(OptionType.allCases.map(\.rawValue).filter { $0 >= 16384 }))
        let retired = numbers.filter { $0.kind == .option && $0.use == .retired }
        #expect(retired.map(\.number) == [0x5364, 0x5365])
        #expect(retired.allSatisfy { OptionType(rawValue: $0.number) == nil })
        let forms = numbers.filter { $0.kind == .payloadForm }.map { PayloadForms(rawValue: 1 << $0.number) }
        #expect(PayloadForms(forms) == .known)
        #expect(!numbers.contains { $0.kind == .message })
    }

    @Test func `The list of our numbers in the documentation is the registered one`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/wire.md")
        let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").filter { $0.hasPrefix("|") }
        let expected = ExperimentalNumber.all.map { number in
            let value = number.kind == .option ? "0x" + String(number.number, radix: 16) : String(number.number)
            let mark = number.isDiscriminated ? "yes" : "no"
            return "| \(number.kind.rawValue) | \(value) | \(number.kind.source) | \(number.use.rawValue) | \(mark) | "
                + "\(number.meaning) |"
        }
        #expect(rows.dropFirst(2).map(String.init) == expected)
    }

    private enum Missing: Error { case error }
}
