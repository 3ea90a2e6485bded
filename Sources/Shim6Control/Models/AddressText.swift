import Shim6Wire

// How the words of Shim6Wire are written in the control protocol.

extension ContextTag {
    /// Twelve lower-case hexadecimal digits.
    public var hex: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 12 - digits.count) + digits
    }

    /// Reads 1 to 12 hexadecimal digits, with or without `0x`. Nil for anything else and for numbers above 47 bits.
    public init?(hex text: some StringProtocol) {
        let digits = text.hasPrefix("0x") || text.hasPrefix("0X") ? text.dropFirst(2) : text[...]
        guard (1...12).contains(digits.utf8.count), digits.utf8.allSatisfy(\.isHexadecimalDigit),
            let number = UInt64(digits, radix: 16)
        else { return nil }
        self.init(rawValue: number)
    }
}

extension UInt8 {
    fileprivate var isHexadecimalDigit: Bool {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        case _: false
        }
    }
}

/// JSON: a string of twelve hexadecimal digits.
extension ContextTag: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let tag = ContextTag(hex: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a context tag")
        }
        self = tag
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}

/// JSON: a string in the form of RFC 5952.
extension IPv6Address: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let address = IPv6Address(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an IPv6 address")
        }
        self = address
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// JSON: `{"local": ADDRESS, "peer": ADDRESS}`.
extension ULIDPair: Codable {
    private enum CodingKeys: String, CodingKey { case local, peer }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            local: try container.decode(IPv6Address.self, forKey: .local),
            peer: try container.decode(IPv6Address.self, forKey: .peer))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(local, forKey: .local)
        try container.encode(peer, forKey: .peer)
    }
}

/// JSON: `{"destination": ADDRESS, "source": ADDRESS}`, in the direction of the packet.
extension LocatorPair: Codable {
    private enum CodingKeys: String, CodingKey { case source, destination }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            source: try container.decode(IPv6Address.self, forKey: .source),
            destination: try container.decode(IPv6Address.self, forKey: .destination))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(source, forKey: .source)
        try container.encode(destination, forKey: .destination)
    }
}
