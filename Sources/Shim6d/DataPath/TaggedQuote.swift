import Datapath
import Shim6Core
import Shim6Wire

/// A packet with a payload header as an ICMPv6 error quotes it (RFC 5533, section 8). The kernel finds no socket by the
/// locators and the header in it.
struct TaggedQuote {
    /// By what the context is found.
    struct Key: Hashable {
        var source: IPv6Address
        var destination: IPv6Address
        /// CT(peer), since the packet was on its way to the peer.
        var tag: ContextTag
    }

    let key: Key
    private let octets: [UInt8]
    private let header: PayloadHeader
    /// Offset of the payload header, and of the octet that names it.
    private let place: (header: Int, name: Int)

    private static let ipv6 = 40
    private static let payloadHeader: UInt8 = 140
    /// Hop-by-Hop Options, Routing, Destination Options: these stand in front (RFC 5533, section 4.6).
    private static let inFront: Set<UInt8> = [0, 43, 60]
    private static let mostInFront = 8
    private static let tooBig: UInt8 = 2
    private static let parameterProblem: UInt8 = 4
    /// Errors that can have extensions behind the quoted packet (RFC 4884): Destination Unreachable and Time Exceeded.
    private static let extensible: Set<UInt8> = [1, 3]

    /// Nil if this is not the beginning of a packet with a payload header.
    init?(_ quote: [UInt8]) {
        guard quote.count > Self.ipv6, quote[0] >> 4 == 6,
            let source = IPv6Address(octets: quote[8..<24]), let destination = IPv6Address(octets: quote[24..<40])
        else { return nil }
        var (at, name) = (Self.ipv6, 6)
        for _ in 0..<Self.mostInFront where Self.inFront.contains(quote[name]) {
            guard quote.count >= at + 8 else { return nil }
            (at, name) = (at + (Int(quote[at + 1]) + 1) * 8, at)
        }
        guard quote[name] == Self.payloadHeader, at < quote.count, let header = try? PayloadHeader(quote[at...])
        else { return nil }
        octets = quote
        place = (at, name)
        self.header = header
        key = Key(source: source, destination: destination, tag: header.tag)
    }

    /// The error as it would be without the shim, for this host itself.
    ///
    /// - Returns: nil if it is about the payload header, which no upper layer has heard of, or says of a path that it carries
    ///   less than every link does.
    func message(for ulids: ULIDPair, _ error: PathError) -> LocalMessage? {
        guard let word = translated(error) else { return nil }
        var quote = restored(for: ulids)
        // The octets that go missing are made up for where extensions follow the quote at the place that the length tells.
        let length = Int(word >> 24) * 8
        if Self.extensible.contains(error.type), length >= place.header + PayloadHeader.length, length <= octets.count {
            let padding = [UInt8](repeating: 0, count: PayloadHeader.length)
            quote.insert(contentsOf: padding, at: length - PayloadHeader.length)
        }
        let field = (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
        return LocalMessage(octets: [error.type, error.code, 0, 0] + field + quote, ulid: ulids.local)
    }

    private func translated(_ error: PathError) -> UInt32? {
        switch error.type {
        case Self.tooBig:
            guard error.word >= PathMTUs.least else { return nil }
            return max(error.word - UInt32(PayloadHeader.length), PathMTUs.least)
        case Self.parameterProblem:
            let end = UInt32(place.header + PayloadHeader.length)
            if error.word >= end { return error.word - UInt32(PayloadHeader.length) }
            return error.word < place.header && error.word != place.name ? error.word : nil
        default: return error.word
        }
    }

    private func restored(for ulids: ULIDPair) -> [UInt8] {
        var packet = octets
        let length = max(0, (Int(octets[4]) << 8 | Int(octets[5])) - PayloadHeader.length)
        packet[4] = UInt8(truncatingIfNeeded: length >> 8)
        packet[5] = UInt8(truncatingIfNeeded: length)
        packet.replaceSubrange(8..<40, with: ulids.local.octets + ulids.peer.octets)
        packet[place.name] = header.nextHeader
        packet.removeSubrange(place.header..<place.header + PayloadHeader.length)
        return packet
    }
}

extension TaggedQuote.Key {
    /// Nil if the packets of this context are not rehomed.
    init?(_ entry: DataPathEntry) {
        guard entry.carriesHeader, let tag = entry.peerTag else { return nil }
        self.init(source: entry.outgoing.source, destination: entry.outgoing.destination, tag: tag)
    }
}
