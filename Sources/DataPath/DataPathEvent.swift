import Shim6Core
import Shim6Wire

/// Something that a data path reports.
public enum DataPathEvent: Hashable, Sendable {
    /// A session without a context had enough traffic for one.
    case trigger(ULIDPair)
    /// The packet that `ActivityStamps.requestNotification` asked for, or payload for a context in mode `deliverAndNotify`
    /// (RFC 5533, section 12.2).
    case activity(ContextTag, Direction)
    /// A TCP socket sends something again while a context's packets are unanswered.
    case retransmission(ContextTag)
    /// Payload with a tag that no context has was dropped.
    case unknownTag(ContextTag, LocatorPair)
    /// This host is to be told of a packet that it has sent.
    case tell(LocalMessage)
    /// Something to be sent as control messages are, between these locators: what stands behind the IPv6 header.
    case send([UInt8], LocatorPair)
}

/// What an ICMPv6 error says of the packets of a data path.
public struct HeardError: Hashable, Sendable {
    /// What this host is to be told.
    public var messages: [LocalMessage]
    /// The rehomed context whose path is gone, by what the error says.
    public var hinted: ContextTag?

    public init(messages: [LocalMessage] = [], hinted: ContextTag? = nil) {
        self.messages = messages
        self.hinted = hinted
    }
}

/// What a data path has done, and how full its tables are.
public struct DataPathReport: Sendable {
    /// A table of limited size.
    public struct Table: Hashable, Sendable {
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

    /// What keeps it from carrying payload everywhere, for people; nil if nothing does.
    public var shortcoming: String?
    public var tables: [Table]
    /// What it has done, by the names of the control protocol.
    public var done: [String: UInt64]
    /// What it has dropped, by reason.
    public var dropped: [String: UInt64]

    public init(
        shortcoming: String? = nil, tables: [Table] = [], done: [String: UInt64] = [:], dropped: [String: UInt64] = [:]
    ) {
        self.shortcoming = shortcoming
        self.tables = tables
        self.done = done
        self.dropped = dropped
    }
}
