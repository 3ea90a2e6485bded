import CGA
import Shim6Wire

/// Packets of one length, one behind the other, as a receive buffer has them.
struct PacketBuffer {
    private let octets: [UInt8]
    private let count: Int
    private var length: Int { octets.count / count }

    /// I1s with different tags and nonces.
    static func i1s(count: Int) throws -> PacketBuffer {
        var random = CryptographicRandom()
        var octets: [UInt8] = []
        for _ in 0..<count {
            let tag = ContextTag(truncating: random.next())
            let i1 = I1(initiatorTag: tag, initiatorNonce: UInt32(truncatingIfNeeded: random.next()))
            octets += try ControlMessage.i1(i1).encoded()
        }
        return PacketBuffer(octets: octets, count: count)
    }

    /// Packet `index`, counted round the buffer; each index has a source address of its own.
    func withPacket(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>, IPv6Address) throws -> Void) rethrows {
        let source = IPv6Address(high: 0x2001_0db8_ffff_0000, low: UInt64(index) + 1)
        let start = index % count * length
        try octets.withUnsafeBufferPointer {
            try body(UnsafeBufferPointer(rebasing: $0[start..<(start + length)]), source)
        }
    }
}
