import Shim6Wire

/// A packet that can be known again wherever it, its quotation or its answer is seen: by its nonce.
struct ProbePacket: Hashable, Sendable {
    enum Form: Hashable, Sendable {
        /// An ICMPv6 Echo Request, which any host answers.
        case ping
        /// An I1, which a host with Shim6 answers by R1.
        case control
        /// A payload extension header with a tag that nobody has given out, which a host with Shim6 answers by R1bis.
        case payload
        /// An R1 that nobody has asked for, which no host answers.
        case unasked
    }

    var form: Form
    var source: IPv6Address
    var destination: IPv6Address
    /// Not 0.
    var nonce: UInt32
    var hopLimit: UInt8 = 64
    /// Octets from the IPv6 header on; those of a ping or payload that is shorter by itself are filled up.
    var length = 0

    /// The least length of each form that `length` can change.
    static let leastLength = IPv6Header.length + 8

    var nextHeader: UInt8 { form == .ping ? NextHeader.icmpv6 : NextHeader.shim6 }
    var addresses: LocatorPair { LocatorPair(source: source, destination: destination) }

    /// From the IPv6 header on.
    var octets: [UInt8] {
        let label = Self.flowLabel(signature: UInt16(nonce >> 16), isUnasked: form == .unasked)
        let header = IPv6Header(
            classAndLabel: label, payloadLength: 0, nextHeader: nextHeader, hopLimit: hopLimit, source: source,
            destination: destination)
        return IPv6Packet(header: header, payload: payload(header)).encoded
    }

    private func payload(_ header: IPv6Header) -> [UInt8] {
        switch form {
        case .ping:
            // Identifier and sequence number are the nonce.
            var echo: [UInt8] = [128, 0, 0, 0] + withUnsafeBytes(of: nonce.bigEndian) { Array($0) }
            echo += [UInt8](repeating: 0, count: max(0, length - Self.leastLength))
            var checksum = InternetChecksum()
            checksum.addPseudoHeader(header, length: echo.count, protocol: NextHeader.icmpv6)
            checksum.add(echo[...])
            echo.replaceSubrange(2..<4, with: [UInt8(checksum.value >> 8), UInt8(checksum.value & 0xff)])
            return echo
        case .payload:
            let tag = PayloadHeader(nextHeader: NextHeader.none, tag: tag).encoded
            return tag + [UInt8](repeating: 0, count: max(0, length - Self.leastLength))
        case .control:
            return encoded(.i1(I1(initiatorTag: tag, initiatorNonce: nonce)))
        case .unasked:
            let validator = [UInt8](repeating: 0, count: 16)
            return encoded(.r1(R1(initiatorNonce: nonce, responderNonce: 0, responderValidator: validator)))
        }
    }

    private var tag: ContextTag { ContextTag(truncating: UInt64(nonce) << 32 | UInt64(nonce)) }

    private func encoded(_ message: ControlMessage) -> [UInt8] {
        // Neither has a part whose length could be wrong.
        (try? message.encoded()) ?? []
    }

    /// The flow labels of a run, 20 bits, by which filters know its packets. In quotations they must not look like
    /// nonces.
    static func flowLabel(signature: UInt16, isUnasked: Bool) -> UInt32 {
        (isUnasked ? 0x70000 : 0x60000) | UInt32(~signature)
    }
}
