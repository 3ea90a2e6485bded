import Shim6Wire

/// What a client can ask the daemon.
///
/// JSON: the members `command` and, where the command has any, `arguments` of a request.
public enum Command: Hashable, Sendable {
    case status
    case contexts
    case context(ContextTag)
    /// Make a context for this ULID pair now, without waiting for traffic.
    case establish(ULIDPair)
    /// Make a context of their own for some packets of this context's ULID pair.
    case fork(ContextTag, [FlowSelector])
    /// Take contexts away.
    case remove(Selection)
    case locators
    /// Show the key and the addresses that it proves, or make others.
    case identity(IdentityAction)
    /// The recent events; with `follow` also every later one, as event lines on the same connection.
    case events(follow: Bool)
    /// The failovers of one context, or of all.
    case timeline(ContextTag?)
    /// Why a context uses its pair, and what is known of each.
    case explain(ContextTag)
    /// The pairs that an exploration of a context would try now, in its order. Nothing is sent or moved.
    case explore(ContextTag)
    /// Let a context's payload use this pair, after a Probe has shown that it works.
    case switchTo(ContextTag, LocatorPair)
    /// The Send Timeout in seconds; peers are told.
    case setSendTimeout(Double)
    /// The pairs that explorations try before all others, best first.
    case rank([LocatorPair])

    /// Which contexts a command is for. JSON: a tag, or `"*"`.
    public enum Selection: Hashable, Sendable {
        case one(ContextTag)
        case all
    }

    /// What to do with the identity. JSON: its name.
    public enum IdentityAction: String, Codable, Hashable, Sendable, CaseIterable {
        case show = "show"
        /// Other addresses of the same key over the prefixes that are there now.
        case create = "create"
        /// Another key, and addresses of it.
        case rotate = "rotate"
    }

    /// Whether the command changes anything: then the peer's credentials decide.
    public var changesState: Bool {
        switch self {
        case .establish, .fork, .remove, .identity(.create), .identity(.rotate), .switchTo, .setSendTimeout, .rank: true
        case .status, .contexts, .context, .locators, .identity(.show), .events, .timeline, .explain, .explore: false
        }
    }

    /// Whether nobody can say how long it takes: the search for a Modifier takes milliseconds with Sec 1, hours with Sec 2.
    var isUnbounded: Bool { self == .identity(.create) || self == .identity(.rotate) }

    /// The command's name in a request.
    public var name: String {
        switch self {
        case .status: "status"
        case .contexts: "contexts"
        case .context: "context"
        case .establish: "establish"
        case .fork: "fork"
        case .remove: "remove"
        case .locators: "locators"
        case .identity: "identity"
        case .events: "events"
        case .timeline: "timeline"
        case .explain: "explain"
        case .explore: "explore"
        case .switchTo: "switch"
        case .setSendTimeout: "set"
        case .rank: "rank"
        }
    }
}

extension Command: Codable {
    private enum CodingKeys: String, CodingKey { case command, arguments }
    private enum ArgumentKeys: String, CodingKey {
        case tag, flows, local, peer, follow, action, pairs
        case sendTimeout = "send-timeout"
    }

    /// Throws `CommandError` with `unknown-command` for a name that is not one.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let name = try container.decode(String.self, forKey: .command)
        func arguments() throws -> KeyedDecodingContainer<ArgumentKeys> {
            try container.nestedContainer(keyedBy: ArgumentKeys.self, forKey: .arguments)
        }
        let hasArguments = container.contains(.arguments)
        switch name {
        case "status": self = .status
        case "contexts": self = .contexts
        case "context": self = .context(try arguments().decode(ContextTag.self, forKey: .tag))
        case "establish":
            self = .establish(try container.decode(ULIDPair.self, forKey: .arguments))
        case "fork":
            self = .fork(
                try arguments().decode(ContextTag.self, forKey: .tag),
                try arguments().decode([FlowSelector].self, forKey: .flows))
        case "remove": self = .remove(try arguments().decode(Selection.self, forKey: .tag))
        case "locators": self = .locators
        case "identity":
            let action =
                hasArguments ? try arguments().decodeIfPresent(IdentityAction.self, forKey: .action) : nil
            self = .identity(action ?? .show)
        case "events":
            let follow = hasArguments ? try arguments().decodeIfPresent(Bool.self, forKey: .follow) : nil
            self = .events(follow: follow ?? false)
        case "timeline":
            self = .timeline(hasArguments ? try arguments().decodeIfPresent(ContextTag.self, forKey: .tag) : nil)
        case "explain": self = .explain(try arguments().decode(ContextTag.self, forKey: .tag))
        case "explore": self = .explore(try arguments().decode(ContextTag.self, forKey: .tag))
        case "switch":
            let arguments = try arguments()
            self = .switchTo(
                try arguments.decode(ContextTag.self, forKey: .tag),
                LocatorPair(
                    source: try arguments.decode(IPv6Address.self, forKey: .local),
                    destination: try arguments.decode(IPv6Address.self, forKey: .peer)))
        case "set": self = .setSendTimeout(try arguments().decode(Double.self, forKey: .sendTimeout))
        case "rank": self = .rank(try arguments().decode([LocatorPair].self, forKey: .pairs))
        default: throw CommandError(.unknownCommand, "unknown command \"\(name.prefix(40))\"")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .command)
        switch self {
        case .status, .contexts, .locators, .timeline(nil): break
        case .context(let tag), .timeline(.some(let tag)), .explain(let tag), .explore(let tag):
            var arguments = container.nestedContainer(keyedBy: ArgumentKeys.self, forKey: .arguments)
            try arguments.encode(tag, forKey: .tag)
        case .establish(let ulids): try container.encode(ulids, forKey: .arguments)
        case .fork(let tag, let flows):
            var arguments = container.nestedContainer(keyedBy: ArgumentKeys.self, forKey: .arguments)
            try arguments.encode(tag, forKey: .tag)
            try arguments.encode(flows, forKey: .flows)
        case .remove(let selection):
            var arguments = container.nestedContainer(keyedBy: ArgumentKeys.self, forKey: .arguments)
            try arguments.encode(selection, forKey: .tag)
        case .identity(let action):
            var arguments = container.nestedContainer(keyedBy: ArgumentKeys.self, forKey: .arguments)
            try arguments.encode(action, forKey: .action)
        case .switchTo(let tag, let pair):
            var arguments = container.nestedContainer(keyedBy: ArgumentKeys.self, forKey: .arguments)
            try arguments.encode(tag, forKey: .tag)
            try arguments.encode(pair.source, forKey: .local)
            try arguments.encode(pair.destination, forKey: .peer)
        case .setSendTimeout(let seconds):
            var arguments = container.nestedContainer(keyedBy: ArgumentKeys.self, forKey: .arguments)
            try arguments.encode(seconds, forKey: .sendTimeout)
        case .rank(let pairs):
            var arguments = container.nestedContainer(keyedBy: ArgumentKeys.self, forKey: .arguments)
            try arguments.encode(pairs, forKey: .pairs)
        case .events(let follow):
            var arguments = container.nestedContainer(keyedBy: ArgumentKeys.self, forKey: .arguments)
            try arguments.encode(follow, forKey: .follow)
        }
    }
}

extension Command.Selection: Codable {
    /// Reads a tag or `*`.
    public init?(_ text: String) {
        if text == "*" {
            self = .all
        } else {
            guard let tag = ContextTag(text) else { return nil }
            self = .one(tag)
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let selection = Command.Selection(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "neither a context tag nor *")
        }
        self = selection
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .one(let tag): try container.encode(tag)
        case .all: try container.encode("*")
        }
    }
}
