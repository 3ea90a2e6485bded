import Shim6Wire

/// What a command that was carried out answers.
///
/// JSON: the members `kind` and `result` of a reply.
public enum Response: Hashable, Sendable {
    case status(StatusReport)
    case contexts(ContextList)
    case context(ContextDetail)
    case established(Establishment)
    case removed(Removal)
    case locators(LocatorReport)
    case identity(IdentityReport)
    case events(EventList)
    case timeline(TimelineReport)
    case explanation(Explanation)
    case switched(SwitchReport)
    case settings(SettingsReport)

    private enum Kind: String, Codable {
        case status = "status"
        case contexts = "contexts"
        case context = "context"
        case established = "established"
        case removed = "removed"
        case locators = "locators"
        case identity = "identity"
        case events = "events"
        case timeline = "timeline"
        case explanation = "explanation"
        case switched = "switched"
        case settings = "settings"
    }

    private var kind: Kind {
        switch self {
        case .status: .status
        case .contexts: .contexts
        case .context: .context
        case .established: .established
        case .removed: .removed
        case .locators: .locators
        case .identity: .identity
        case .events: .events
        case .timeline: .timeline
        case .explanation: .explanation
        case .switched: .switched
        case .settings: .settings
        }
    }

    /// The report itself, without its kind.
    public var result: any Codable & Sendable {
        switch self {
        case .status(let report): report
        case .contexts(let report): report
        case .context(let report): report
        case .established(let report): report
        case .removed(let report): report
        case .locators(let report): report
        case .identity(let report): report
        case .events(let report): report
        case .timeline(let report): report
        case .explanation(let report): report
        case .switched(let report): report
        case .settings(let report): report
        }
    }
}

extension Response: Codable {
    private enum CodingKeys: String, CodingKey { case kind, result }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func result<Report: Decodable>() throws -> Report {
            try container.decode(Report.self, forKey: .result)
        }
        switch try container.decode(Kind.self, forKey: .kind) {
        case .status: self = .status(try result())
        case .contexts: self = .contexts(try result())
        case .context: self = .context(try result())
        case .established: self = .established(try result())
        case .removed: self = .removed(try result())
        case .locators: self = .locators(try result())
        case .identity: self = .identity(try result())
        case .events: self = .events(try result())
        case .timeline: self = .timeline(try result())
        case .explanation: self = .explanation(try result())
        case .switched: self = .switched(try result())
        case .settings: self = .settings(try result())
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try result.encode(to: container.superEncoder(forKey: .result))
    }
}

/// The answer to `contexts`, in the order of the tags.
public struct ContextList: Codable, Hashable, Sendable {
    public var contexts: [ContextSummary]

    public init(contexts: [ContextSummary]) {
        self.contexts = contexts
    }
}

/// The answer to `establish` and `fork`: the context as it is now, usually in I1-SENT. One that existed before is answered too.
public struct Establishment: Codable, Hashable, Sendable {
    public var context: ContextSummary
    /// Whether the command made the context.
    public var created: Bool

    public init(context: ContextSummary, created: Bool) {
        self.context = context
        self.created = created
    }
}

/// The answer to `remove`.
public struct Removal: Codable, Hashable, Sendable {
    public var tags: [ContextTag]

    public init(tags: [ContextTag]) {
        self.tags = tags
    }
}

/// The answer to `events`, oldest first.
public struct EventList: Codable, Hashable, Sendable {
    public var events: [EventRecord]

    public init(events: [EventRecord]) {
        self.events = events
    }
}
