/// Why a command was not carried out. Two errors are equal if their codes are.
public struct CommandError: Error, Codable, Sendable, Equatable, CustomStringConvertible {
    /// Stable in the protocol.
    public enum Code: String, Codable, Sendable, CaseIterable {
        /// Not a request: no JSON, a member is missing or has the wrong type, the line is too long.
        case badRequest = "bad-request"
        case unsupportedVersion = "unsupported-version"
        case unknownCommand = "unknown-command"
        /// An argument makes no sense here: an address that is not local, for example.
        case badArgument = "bad-argument"
        case unknownTag = "unknown-tag"
        case accessRefused = "access-refused"
        /// The command makes no sense in the present state.
        case conflict = "conflict"
        /// A table is full.
        case limit = "limit"
        /// The daemon ends or has not started yet.
        case unavailable = "unavailable"
        case `internal` = "internal"
    }

    public var code: Code
    /// One line for people.
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public static func == (left: CommandError, right: CommandError) -> Bool {
        left.code == right.code
    }

    public var description: String { message }
}
