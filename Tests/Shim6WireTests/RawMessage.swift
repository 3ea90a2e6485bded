import Shim6Wire
import Testing
import Vectors

/// A control message built octet by octet, by other code than the one under test.
struct RawMessage {
    /// Without a right Hdr Ext Len and checksum.
    var octets: [UInt8]

    /// `body` is everything from octet 6 on, in hexadecimal digits; spaces are for the reader.
    init(type: UInt8, body: String) throws {
        let body = try #require([UInt8](hex: body.filter { $0 != " " }))
        octets = [59, 0, type, 0, 0, 0] + body
    }

    init(_ message: ControlMessage) throws {
        octets = try message.encoded()
    }

    /// With Hdr Ext Len and checksum for these octets, of which there is a multiple of 8.
    func sealed() -> [UInt8] {
        var octets = octets
        octets[1] = UInt8(octets.count / 8 - 1)
        return Self.summed(octets)
    }

    /// With the checksum for the octets that Hdr Ext Len tells of.
    static func summed(_ octets: [UInt8]) -> [UInt8] {
        var octets = octets
        octets[4] = 0
        octets[5] = 0
        let covered = octets.prefix((Int(octets[1]) + 1) * 8)
        // The one's complement sum is the sum modulo 65535, with 65535 for zero unless all is zero.
        let total = covered.enumerated().reduce(0) { $0 + Int($1.element) << ($1.offset % 2 == 0 ? 8 : 0) }
        let sum = total == 0 ? 0 : (total - 1) % 65535 + 1
        octets[4] = UInt8((65535 - sum) >> 8)
        octets[5] = UInt8((65535 - sum) & 0xff)
        return octets
    }
}

/// The message in these octets, or why there is none.
func decode(_ octets: [UInt8]) throws(ParseError) -> ControlMessage {
    try ControlMessage(MessageView(octets))
}
