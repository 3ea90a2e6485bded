/// An ICMPv6 error message (RFC 4443, section 3). Octet 0 type, 1 code, 2-3 checksum, 4-7 a word whose meaning depends on
/// the type, 8- the beginning of the packet in question.
public struct ICMPv6Error: Hashable, Sendable {
    /// What the error says. Others than these have no name here.
    public struct Kind: Hashable, Sendable, RawRepresentable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let destinationUnreachable = Kind(rawValue: 1)
        public static let packetTooBig = Kind(rawValue: 2)
        public static let timeExceeded = Kind(rawValue: 3)
        public static let parameterProblem = Kind(rawValue: 4)
    }

    public var type: Kind
    public var code: UInt8
    /// The MTU of Packet Too Big; the pointer of Parameter Problem; length of the quotation of others (RFC 4884).
    public var word: UInt32
    /// The beginning of the packet in question, from its IPv6 header on.
    public var quote: [UInt8]

    /// Octets in front of the quotation.
    static let headerLength = 8
    private static let noRoute: UInt8 = 0
    private static let beyondScope: UInt8 = 2
    private static let portUnreachable: UInt8 = 4
    private static let unknownNextHeader: UInt8 = 1

    public init(_ type: Kind, code: UInt8 = 0, word: UInt32 = 0, quote: [UInt8]) {
        self.type = type
        self.code = code
        self.word = word
        self.quote = quote
    }

    /// Nil if `octets` are too few for one.
    public init?(_ octets: [UInt8]) {
        guard octets.count >= Self.headerLength else { return nil }
        self.init(
            Kind(rawValue: octets[0]), code: octets[1], word: octets.bigEndian(UInt32.self, at: 4),
            quote: Array(octets[Self.headerLength...]))
    }

    /// The MTU of a link on the way is `mtu` octets.
    public static func packetTooBig(mtu: UInt32, quoting packet: [UInt8]) -> ICMPv6Error {
        ICMPv6Error(.packetTooBig, word: mtu, quote: packet)
    }

    /// There is no route.
    public static func unreachable(quoting packet: [UInt8]) -> ICMPv6Error {
        ICMPv6Error(.destinationUnreachable, code: noRoute, quote: packet)
    }

    /// The octets with a checksum of zero, which the kernel fills in.
    public var encoded: [UInt8] { [type.rawValue, code, 0, 0] + word.octets + quote }

    /// Whether it says that a path has ended: Destination Unreachable, but not by the destination itself (a port) and not
    /// because a scope is too small.
    public var isPathGone: Bool {
        type == .destinationUnreachable && code != Self.portUnreachable && code != Self.beyondScope
    }

    /// Whether it says that the destination knows no such next header.
    public var isUnknownNextHeader: Bool { type == .parameterProblem && code == Self.unknownNextHeader }

    /// Whether extensions can follow the quotation, whose length is then in the first octet of the word (RFC 4884).
    public var isExtensible: Bool { type == .destinationUnreachable || type == .timeExceeded }

    /// The ends of the packet in question; nil if too little of it came.
    public var quotedPair: LocatorPair? { IPv6Header(quote[...])?.addresses }
}
