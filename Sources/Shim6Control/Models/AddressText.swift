import Shim6Wire

// How the words of Shim6Wire are written in the control protocol.

/// JSON: a string of twelve hexadecimal digits.
extension ContextTag: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let tag = ContextTag(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a context tag")
        }
        self = tag
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
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
