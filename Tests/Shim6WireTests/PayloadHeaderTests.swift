import Requirements
import Shim6Wire
import Testing

@Suite struct PayloadHeaderTests {
    private let octets: [UInt8] = [6, 0, 0xff, 2, 3, 4, 5, 6]

    @Test(.requirement("5533-5.2-01", "5533-5.2-02", "5533-4.1-01"))
    func `All 47 bits of the tag are kept, and P is not one of them`() throws {
        let header = try PayloadHeader(octets)
        #expect(header == PayloadHeader(nextHeader: 6, tag: ContextTag(truncating: 0x7f02_0304_0506)))
        #expect(header.encoded == octets)
        let zero = PayloadHeader(nextHeader: 59, tag: ContextTag(truncating: 0))
        #expect(zero.encoded == [59, 0, 0x80, 0, 0, 0, 0, 0])
        #expect(try PayloadHeader(zero.encoded) == zero)
    }

    @Test(.requirement("5533-5.2-05"))
    func `A header with another length than 8 octets is refused`() {
        for length in UInt8(1)...255 {
            var octets = octets
            octets[1] = length
            #expect(throws: ParseError(.payloadHeaderLength, at: 1)) { try PayloadHeader(octets) }
        }
    }

    @Test(.requirement("5533-5.1-03"))
    func `A control message and a header cut short are refused`() {
        var control = octets
        control[2] = 0x7f
        #expect(throws: ParseError(.wrongKind, at: 2)) { try PayloadHeader(control) }
        for count in 0..<8 {
            #expect(throws: ParseError(.truncated, at: count)) { try PayloadHeader(octets.prefix(count)) }
        }
    }

    @Test func `What follows the header is not looked at`() throws {
        #expect(try PayloadHeader(octets + [1, 2, 3]) == PayloadHeader(octets))
    }

    @Test func `Tags have 47 bits and are written as twelve digits`() {
        #expect(ContextTag(rawValue: 1 << 47) == nil)
        #expect(ContextTag(rawValue: 1 << 47 - 1)?.description == "7fffffffffff")
        #expect(ContextTag(truncating: .max) == ContextTag(rawValue: 1 << 47 - 1))
        #expect(ContextTag(truncating: 0x2a).description == "00000000002a")
        #expect(ContextTag("00000000002a") == ContextTag(truncating: 0x2a))
        #expect(ContextTag("7FFFFFFFFFFF") == ContextTag(rawValue: 1 << 47 - 1))
        for text in ["", "800000000000", "0000000000000", "+1", "-1", "0x1", "12 ", "g"] {
            #expect(ContextTag(text) == nil, "\(text)")
        }
    }
}
