import CDataPath
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
    public func isOf(_ ulids: ULIDPair) -> Bool { IPv6Header(octets[...])?.addresses == ulids.locators }

    init?(_ kept: shim6_kept) {
        let octets = withUnsafeBytes(of: kept.octets) { Array($0.prefix(Int(kept.length))) }
        let transport = Int(kept.transport)
        guard transport >= IPv6Header.length, octets.count >= transport + Self.tcpHeader, let old = IPv6Packet(octets),
            old.payload.count <= UInt16.max
        else { return nil }
        let offset = transport - IPv6Header.length
        var payload = old.payload
        // The first segment of a super-packet is not the end of the stream.
        if Int(old.header.payloadLength) != payload.count { payload[offset + Self.flags] &= ~Self.fin }
        var packet = IPv6Packet(header: old.header, payload: payload)
        packet.completeChecksum(of: NextHeader.tcp, at: offset)
        self.octets = packet.encoded
        time = Instant(nanoseconds: kept.time)
    }

    /// Octets of a TCP header without options, and where its flags are.
    private static let tcpHeader = 20
    private static let flags = 13
}

extension KernelProgram {
    /// Takes the kept packets of a context.
    public func takeKept(_ tag: ContextTag) -> [KeptPacket] {
        (0..<UInt32(SHIM6_KEPT_FLOWS)).compactMap { flow in
            var kept = shim6_kept()
            return shim6_kept_take(handle, tag.rawValue, flow, &kept) == 1 ? KeptPacket(kept) : nil
        }
    }
}
