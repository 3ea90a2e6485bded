import Datapath
import Shim6Wire

/// An ICMPv6 error that the daemon makes for its own host about a packet that the data path could not carry (RFC 4443).
/// The kernel fills in the checksum.
enum LocalError {
    private static let destinationUnreachable: UInt8 = 1
    private static let noRoute: UInt8 = 0
    private static let packetTooBig: UInt8 = 2

    /// Type 2: the stack lowers its path MTU to `mtu` octets.
    static func packetTooBig(mtu: UInt32, quoting packet: [UInt8]) -> [UInt8] {
        message(type: packetTooBig, code: 0, word: mtu, quoting: packet)
    }

    /// Type 1, code 0.
    static func unreachable(quoting packet: [UInt8]) -> [UInt8] {
        message(type: destinationUnreachable, code: noRoute, word: 0, quoting: packet)
    }

    private static func message(type: UInt8, code: UInt8, word: UInt32, quoting packet: [UInt8]) -> [UInt8] {
        [type, code, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) } + packet
    }
}
