import FoundationEssentials

/// The control protocol: one JSON object a line, in UTF-8, over a Unix stream socket.
///
/// A client sends `Request` lines; each is answered by one `Reply` line with the same `id`, in order. After `events` with
/// `follow`, `EventLine` lines come as well. `docs/control-protocol.md` has the schema.
public enum ControlProtocol {
    /// The version that this code speaks. It grows when an old client would misread a new daemon.
    public static let version = 1
    /// The longest request, in octets with its newline.
    public static let maximumRequestLength = 65_536
}

/// A client's question.
public struct Request: Hashable, Sendable {
    /// Comes back in the reply.
    public var id: UInt64
    public var command: Command

    public init(id: UInt64, command: Command) {
        self.id = id
        self.command = command
    }
}

extension Request: Encodable {
    private enum CodingKeys: String, CodingKey { case version, id }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(ControlProtocol.version, forKey: .version)
        try container.encode(id, forKey: .id)
        try command.encode(to: encoder)
    }
}

/// A request that could not be understood; `id` is what could be read of it.
public struct RequestError: Error, Equatable {
    public var id: UInt64?
    public var error: CommandError
}

extension Request {
    private struct Envelope: Decodable {
        var version: Int?
        var id: UInt64?
    }

    /// Reads one line, without its newline.
    public init(line: some Sequence<UInt8>) throws(RequestError) {
        let data = Data(line)
        let decoder = ControlLine.decoder()
        guard let envelope = try? decoder.decode(Envelope.self, from: data) else {
            throw RequestError(id: nil, error: CommandError(.badRequest, "not a request in JSON"))
        }
        guard envelope.version == ControlProtocol.version else {
            let message = "this daemon speaks version \(ControlProtocol.version) of the control protocol"
            throw RequestError(id: envelope.id, error: CommandError(.unsupportedVersion, message))
        }
        guard let id = envelope.id else {
            throw RequestError(id: nil, error: CommandError(.badRequest, "\"id\" is missing"))
        }
        do {
            self.init(id: id, command: try decoder.decode(Command.self, from: data))
        } catch let error as CommandError {
            throw RequestError(id: id, error: error)
        } catch {
            throw RequestError(id: id, error: CommandError(.badRequest, Request.complaint(about: error)))
        }
    }

    private static func complaint(about error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "\"\(key.stringValue)\" is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            if let key = context.codingPath.last {
                "\"\(key.stringValue)\": \(context.debugDescription)"
            } else {
                "a number is not one that this member can have"
            }
        case _: "cannot be understood"
        }
    }
}

/// The daemon's answer.
public struct Reply: Equatable, Sendable {
    /// That of the request; nil if none could be read.
    public var id: UInt64?
    public var outcome: Result<Response, CommandError>

    public init(id: UInt64?, outcome: Result<Response, CommandError>) {
        self.id = id
        self.outcome = outcome
    }
}

extension Reply: Codable {
    private enum CodingKeys: String, CodingKey { case version, id, ok, error }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decodeIfPresent(UInt64.self, forKey: .id)
        outcome =
            try container.decode(Bool.self, forKey: .ok)
            ? .success(try Response(from: decoder))
            : .failure(try container.decode(CommandError.self, forKey: .error))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(ControlProtocol.version, forKey: .version)
        try container.encodeIfPresent(id, forKey: .id)
        switch outcome {
        case .success(let response):
            try container.encode(true, forKey: .ok)
            try response.encode(to: encoder)
        case .failure(let error):
            try container.encode(false, forKey: .ok)
            try container.encode(error, forKey: .error)
        }
    }
}

/// One streamed event.
public struct EventLine: Codable, Hashable, Sendable {
    public var version = ControlProtocol.version
    public var event: EventRecord

    public init(event: EventRecord) {
        self.event = event
    }
}

/// How values become lines and lines values.
public enum ControlLine {
    /// One line of JSON, keys sorted, names in snake_case, without the newline.
    public static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return Array(try encoder.encode(value))
    }

    /// The same for people, over several lines.
    public static func encodePretty(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    public static func decode<Value: Decodable>(_ type: Value.Type, from line: some Sequence<UInt8>) throws -> Value {
        try decoder().decode(type, from: Data(line))
    }

    static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }
}
