import CDatapath
import REAP
import Shim6Wire

/// The last packet that a TCP flow sent before its path failed, with the ULIDs as addresses.
///
/// Sent again on a pair that works it makes the receiver say what it misses, and TCP goes on within one round trip
/// instead of after its backed-off timer. One packet a flow is no burst into an unknown path (RFC 5533, section 15.1).
/// docs/measurements.md compares this with ICMPv6 errors that undo the timer's back-off (RFC 6069).
public struct KeptPacket: Hashable, Sendable {
    /// From the IPv6 header on, whole and with its checksum.
    public var octets: [UInt8]
    /// When it was sent first.
    public var time: Instant

    private static let fin: UInt8 = 1

    /// Whether these are its addresses.
    public func isOf(_ ulids: ULIDPair) -> Bool {
        octets[8..<24].elementsEqual(ulids.local.octets) && octets[24..<40].elementsEqual(ulids.peer.octets)
    }

    init?(_ kept: shim6_kept) {
        var octets = withUnsafeBytes(of: kept.octets) { Array($0.prefix(Int(kept.length))) }
        let transport = Int(kept.transport)
        guard transport >= 40, octets.count >= transport + 20, octets.count <= 65_575 else { return nil }
        // The first segment of a super-packet is not the end of the stream.
        let length = Int(octets[4]) << 8 | Int(octets[5])
        if length != octets.count - 40 { octets[transport + 13] &= ~Self.fin }
        octets[4] = UInt8((octets.count - 40) >> 8)
        octets[5] = UInt8((octets.count - 40) & 0xff)
        octets[transport + 16] = 0
        octets[transport + 17] = 0
        let checksum = Self.checksum(octets, transport: transport)
        octets[transport + 16] = UInt8(checksum >> 8)
        octets[transport + 17] = UInt8(checksum & 0xff)
        self.octets = octets
        time = Instant(nanoseconds: kept.time)
    }

    /// The checksum of TCP over the pseudo-header of RFC 8200, section 8.1.
    private static func checksum(_ octets: [UInt8], transport: Int) -> UInt16 {
        var sum = UInt64(6 + octets.count - transport)
        func add(_ range: Range<Int>) {
            for index in stride(from: range.lowerBound, to: range.upperBound, by: 2) {
                sum += UInt64(octets[index]) << 8
                if index + 1 < range.upperBound { sum += UInt64(octets[index + 1]) }
            }
        }
        add(8..<40)
        add(transport..<octets.count)
        while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
        return ~UInt16(sum)
    }
}

extension Datapath {
    /// Takes the kept packets of a context.
    public func takeKept(_ tag: ContextTag) -> [KeptPacket] {
        (0..<UInt32(SHIM6_KEPT_FLOWS)).compactMap { flow in
            var kept = shim6_kept()
            return shim6_kept_take(handle, tag.rawValue, flow, &kept) == 1 ? KeptPacket(kept) : nil
        }
    }
}
