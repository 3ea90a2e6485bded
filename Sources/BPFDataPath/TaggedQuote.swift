import DataPath
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
    private let packet: IPv6Packet
    private let header: PayloadHeader
    /// Of the payload header.
    private let place: IPv6Packet.Place

    /// Nil if this is not the beginning of a packet with a payload header.
    init?(_ quote: [UInt8]) {
        guard let packet = IPv6Packet(quote), let place = packet.placeBehindFrontHeaders,
            place.nextHeader == NextHeader.shim6, place.offset < quote.count,
            let header = try? PayloadHeader(quote[place.offset...])
        else { return nil }
        self.packet = packet
        self.place = place
        self.header = header
        key = Key(source: packet.header.source, destination: packet.header.destination, tag: header.tag)
    }

    /// The error as it would be without the shim, for this host itself.
    ///
    /// - Returns: nil if it is about the payload header, which no upper layer has heard of, or says of a path that it carries
    ///   less than every link does.
    func message(for ulids: ULIDPair, _ error: ICMPv6Error) -> LocalMessage? {  // 5533-8-01
        guard let word = translated(error) else { return nil }
        var quote = restored(for: ulids)
        // The octets that go missing are made up for where extensions follow the quote at the place that the length tells.
        let length = Int(word >> 24) * 8
        let end = IPv6Header.length + packet.payload.count
        if error.isExtensible, length >= place.offset + PayloadHeader.length, length <= end {
            let padding = [UInt8](repeating: 0, count: PayloadHeader.length)
            quote.insert(contentsOf: padding, at: length - PayloadHeader.length)
        }
        return LocalMessage(
            error: ICMPv6Error(error.type, code: error.code, word: word, quote: quote), ulid: ulids.local)
    }

    private func translated(_ error: ICMPv6Error) -> UInt32? {
        switch error.type {
        case .packetTooBig:
            guard error.word >= PathMTUs.least else { return nil }
            return max(error.word - UInt32(PayloadHeader.length), PathMTUs.least)
        case .parameterProblem:
            let end = UInt32(place.offset + PayloadHeader.length)
            if error.word >= end { return error.word - UInt32(PayloadHeader.length) }
            return error.word < place.offset && error.word != place.nameOffset ? error.word : nil
        default: return error.word
        }
    }

    private func restored(for ulids: ULIDPair) -> [UInt8] {
        var header = packet.header
        (header.source, header.destination) = (ulids.local, ulids.peer)
        header.payloadLength -= min(header.payloadLength, UInt16(PayloadHeader.length))
        var octets = header.encoded + packet.payload
        octets[place.nameOffset] = self.header.nextHeader
        octets.removeSubrange(place.offset..<place.offset + PayloadHeader.length)
        return octets
    }
}

extension TaggedQuote.Key {
    /// Nil if the packets of this context are not rehomed.
    init?(_ entry: DataPathEntry) {
        guard entry.carriesHeader, let tag = entry.peerTag else { return nil }
        self.init(source: entry.outgoing.source, destination: entry.outgoing.destination, tag: tag)
    }
}
