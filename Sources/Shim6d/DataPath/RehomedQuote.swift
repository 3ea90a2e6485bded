import Netlink
import Shim6Core
import Shim6Wire

/// An ICMPv6 error that came in.
struct PathError {
    var type: UInt8
    var code: UInt8
    /// The MTU of Packet Too Big; the pointer of Parameter Problem.
    var word: UInt32
    /// The beginning of the packet in question, from its IPv6 header on.
    var quote: [UInt8]

    var isPacketTooBig: Bool { type == 2 }

    /// Whether it says that a path has ended: Destination Unreachable, but not by the destination itself (RFC 4443, section
    /// 3.1: code 4 is about a port), nor since its scope is too small (2).
    var isPathGone: Bool { type == 1 && code != 4 && code != 2 }

    /// The ends of the packet in question; nil if too little of it came.
    var quotedPair: LocatorPair? {
        guard quote.count >= 40, quote[0] >> 4 == 6, let source = IPv6Address(octets: quote[8..<24]),
            let destination = IPv6Address(octets: quote[24..<40])
        else { return nil }
        return LocatorPair(source: source, destination: destination)
    }

    /// Nil if it is too short to be one.
    init?(_ octets: [UInt8]) {
        guard octets.count >= 8 else { return nil }
        type = octets[0]
        code = octets[1]
        word = octets[4..<8].reduce(0) { $0 << 8 | UInt32($1) }
        quote = Array(octets[8...])
    }
}

/// A message for this host itself, from `ulid` to `ulid`.
struct LocalMessage {
    var octets: [UInt8]
    var ulid: IPv6Address
}

/// A packet rehomed as the `xfrm` data path does it, as an ICMPv6 error quotes it: IPv6 header, type 2 routing header,
/// Destination Options header with nothing but a Home Address option, and the rest. The kernel finds no socket by the locators in it.
struct RehomedQuote {
    /// The source locator.
    let source: IPv6Address
    /// The destination, and the address in the routing header: locator and ULID, or the reverse if the error came from the
    /// peer itself.
    private let destination: IPv6Address
    private let inRoutingHeader: IPv6Address
    private let ulid: IPv6Address
    private let hopLimit: UInt8
    /// The next header behind ours, and what is behind it.
    private let nextHeader: UInt8
    private let rest: [UInt8]
    private let payloadLength: Int

    private static let ipv6 = 40
    static let added = 48
    /// For experiments (RFC 4727): no protocol of anybody's.
    static let experimental: UInt8 = 253

    init?(_ octets: [UInt8]) {
        guard octets.count >= Self.ipv6 + Self.added, octets[0] >> 4 == 6, octets[6] == 43,
            octets[40] == 60, octets[41] == 2, octets[42] == 2, octets[65] == 2,
            // Padding of 4 octets, then the option: type 201, 16 octets.
            octets[66] == 1, octets[67] == 2, octets[70] == 201, octets[71] == 16,
            let source = IPv6Address(octets: octets[8..<24]), let destination = IPv6Address(octets: octets[24..<40]),
            let inRoutingHeader = IPv6Address(octets: octets[48..<64]),
            let ulid = IPv6Address(octets: octets[72..<88])
        else { return nil }
        self.source = source
        self.destination = destination
        self.inRoutingHeader = inRoutingHeader
        self.ulid = ulid
        hopLimit = octets[7]
        nextHeader = octets[64]
        payloadLength = Int(octets[4]) << 8 | Int(octets[5])
        rest = Array(octets[88...])
    }

    var possibleULIDs: [ULIDPair] {
        [inRoutingHeader, destination].map { ULIDPair(local: ulid, peer: $0) }
    }

    /// The error as it would be without the shim: about the packet as the socket sent it, with an MTU that leaves room
    /// for the headers.
    ///
    /// - Returns: nil if it says of a path that it carries less than every link does.
    func message(for ulids: ULIDPair, _ error: PathError) -> LocalMessage? {
        var error = error
        if error.isPacketTooBig {
            guard error.word >= PathMTUs.least else { return nil }
            error.word = max(error.word - UInt32(Self.added), PathMTUs.least)
        }
        let quote = header(ulids.local, ulids.peer, nextHeader, max(0, payloadLength - Self.added)) + rest
        return LocalMessage(octets: Self.message(error, quote), ulid: ulids.local)
    }

    /// The same for the `xfrm` data path. Packet Too Big: about a packet between the locators, so that the kernel lowers
    /// the MTU of their route, which that of rehomed packets follows.
    func message(for entry: DataPathEntry, _ error: PathError) -> LocalMessage? {
        guard error.isPacketTooBig else { return message(for: entry.ulids, error) }
        guard error.word >= PathMTUs.least else { return nil }
        let quote =
            header(entry.outgoing.source, entry.outgoing.destination, Self.experimental, 8)
            + [UInt8](repeating: 0, count: 8)
        return LocalMessage(octets: Self.message(error, quote), ulid: entry.ulids.local)
    }

    private static func message(_ error: PathError, _ quote: [UInt8]) -> [UInt8] {
        let word = (0..<4).map { UInt8(truncatingIfNeeded: error.word >> (24 - 8 * $0)) }
        return [error.type, error.code, 0, 0] + word + quote
    }

    private func header(
        _ source: IPv6Address, _ destination: IPv6Address, _ nextHeader: UInt8, _ length: Int
    ) -> [UInt8] {
        [
            0x60, 0, 0, 0, UInt8(truncatingIfNeeded: length >> 8), UInt8(truncatingIfNeeded: length), nextHeader,
            hopLimit,
        ]
            + source.octets + destination.octets
    }
}
