import Shim6Wire

/// The answer to `status`: the daemon as a whole.
public struct StatusReport: Codable, Hashable, Sendable {
    public var version: String
    public var processId: Int32
    public var started: Moment
    public var now: Moment
    public var dataPath: DataPathStatus
    public var uplinks: [UplinkStatus]
    /// How many contexts are in each state of RFC 5533, section 6.2, by the state's name; states without one may be missing.
    public var contexts: [String: Int]
    /// Everything that is counted but drops, by name: messages in and out by type, triggers, switches and so on.
    public var counters: [String: UInt64]
    /// What was discarded, by reason.
    public var drops: [String: UInt64]
    public var tables: [TableUsage]
    /// What an operator should know: a setting below its recommended value, a capability that is missing.
    public var warnings: [String]

    public init(
        version: String, processId: Int32, started: Moment, now: Moment, dataPath: DataPathStatus,
        uplinks: [UplinkStatus], contexts: [String: Int], counters: [String: UInt64], drops: [String: UInt64],
        tables: [TableUsage], warnings: [String]
    ) {
        self.version = version
        self.processId = processId
        self.started = started
        self.now = now
        self.dataPath = dataPath
        self.uplinks = uplinks
        self.contexts = contexts
        self.counters = counters
        self.drops = drops
        self.tables = tables
        self.warnings = warnings
    }
}

/// Which driver moves payload and how it is.
public struct DataPathStatus: Codable, Hashable, Sendable {
    public enum State: String, Codable, Hashable, Sendable, CaseIterable {
        case running = "running"
        /// Payload is not rehomed, or not on every uplink.
        case degraded = "degraded"
    }

    /// The configuration's name of it: `bpf`.
    public var driver: String
    public var state: State
    /// Why it is not running, or what is missing.
    public var detail: String?

    public init(driver: String, state: State, detail: String? = nil) {
        self.driver = driver
        self.state = state
        self.detail = detail
    }
}

/// One configured uplink as it is now.
public struct UplinkStatus: Codable, Hashable, Sendable {
    public var interface: String
    /// The kernel's number of the interface; nil while there is none of that name.
    public var index: Int?
    /// Set up by the administrator.
    public var up: Bool
    /// The link has a carrier.
    public var carrier: Bool
    public var mtu: Int?
    public var gateway: IPv6Address?
    /// The kernel's word on the gateway's reachability: `REACHABLE`, `STALE`, `FAILED` and so on.
    public var gatewayState: String?
    public var locators: [IPv6Address]
    /// Nil if no route leads over the interface.
    public var newSessions: NewSessions?

    public init(
        interface: String, index: Int?, up: Bool, carrier: Bool, mtu: Int? = nil, gateway: IPv6Address? = nil,
        gatewayState: String? = nil, locators: [IPv6Address], newSessions: NewSessions? = nil
    ) {
        self.interface = interface
        self.index = index
        self.up = up
        self.carrier = carrier
        self.mtu = mtu
        self.gateway = gateway
        self.gatewayState = gatewayState
        self.locators = locators
        self.newSessions = newSessions
    }
}

/// What the kernel does with new sessions over an uplink that leave the choice to it.
public struct NewSessions: Codable, Hashable, Sendable {
    /// The address that they take.
    public var source: IPv6Address
    /// Whether they can survive the uplink: peers that speak Shim6 can verify the address.
    public var protected: Bool
    /// Why, for people.
    public var reason: String

    public init(source: IPv6Address, protected: Bool, reason: String) {
        self.source = source
        self.protected = protected
        self.reason = reason
    }

    /// For people, to follow the name of the interface.
    public var text: String { "new sessions take \(source), \(protected ? "protected" : "not protected"): \(reason)" }
}

/// How full a bounded table is.
public struct TableUsage: Codable, Hashable, Sendable {
    public var name: String
    /// Nil if nobody counts.
    public var used: Int?
    public var limit: Int
    /// How many entries had to go, or were refused, because the table was full; nil if nobody counts.
    public var overflows: UInt64?
    /// What becomes of an entry too many, for people.
    public var whenFull: String

    public init(name: String, used: Int?, limit: Int, overflows: UInt64? = 0, whenFull: String) {
        self.name = name
        self.used = used
        self.limit = limit
        self.overflows = overflows
        self.whenFull = whenFull
    }
}
