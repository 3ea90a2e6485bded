import CNetlink
import Shim6Wire

/// A rule that picks a routing table for IPv6 packets.
public struct Rule: Hashable, Sendable {
    /// The lowest is asked first.
    public var priority: UInt32
    /// Nil for any.
    public var source: IPv6Prefix?
    /// Nil for any.
    public var destination: IPv6Prefix?
    /// Nil for any; "lo" for packets of this host.
    public var incoming: String?
    /// Nil for any.
    public var outgoing: String?
    /// 0 for any.
    public var mark: UInt32
    public var markMask: UInt32
    /// Next header of the packets; 0 for any.
    public var nextHeader: UInt8
    public var table: UInt32
    /// Who made it. Only a rule with the same number is deleted.
    public var `protocol`: UInt8
    public var action: Action
    /// The rule that `goTo` goes on with, by its priority; 0 for other actions.
    public var target: UInt32
    /// It is for the packets that are not selected.
    public var isInverted: Bool
    /// Routes whose destinations have no more bits do not count; nil where all do.
    public var suppressedLength: UInt8?
    /// It selects by something that is not told here: users, ports and so on. Not looked at when it is added.
    public var hasOtherSelectors = false

    /// FR_ACT_...
    public struct Action: RawRepresentable, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let lookUp = Action(rawValue: 1)
        public static let goTo = Action(rawValue: 2)
        /// Nothing: a place to go to.
        public static let none = Action(rawValue: 3)
        /// Those that refuse the packets: blackhole, unreachable, prohibit.
        public static let refusals: Set<Action> = [Action(rawValue: 6), Action(rawValue: 7), Action(rawValue: 8)]
    }

    public init(
        priority: UInt32, from source: IPv6Prefix? = nil, to destination: IPv6Prefix? = nil, incoming: String? = nil,
        outgoing: String? = nil, mark: UInt32 = 0, markMask: UInt32 = 0, nextHeader: UInt8 = 0, table: UInt32 = 0,
        protocol: UInt8, action: Action = .lookUp, target: UInt32 = 0, isInverted: Bool = false,
        suppressedLength: UInt8? = nil
    ) {
        self.priority = priority
        self.source = source?.length == 0 ? nil : source
        self.destination = destination?.length == 0 ? nil : destination
        self.incoming = incoming
        self.outgoing = outgoing
        self.mark = mark
        self.markMask = markMask
        self.nextHeader = nextHeader
        self.table = table
        self.protocol = `protocol`
        self.action = action
        self.target = target
        self.isInverted = isInverted
        self.suppressedLength = suppressedLength
    }

    init(_ flat: cnl_rule) {
        let (incoming, outgoing) = (string(flat.incoming), string(flat.outgoing))
        self.init(
            priority: flat.priority, from: flat.source.prefix, to: flat.destination.prefix,
            incoming: incoming.isEmpty ? nil : incoming, outgoing: outgoing.isEmpty ? nil : outgoing,
            mark: flat.mark, markMask: flat.mark_mask, nextHeader: flat.ip_protocol, table: flat.table,
            protocol: flat.protocol, action: Action(rawValue: flat.action), target: flat.target,
            isInverted: flat.inverted, suppressedLength: flat.suppresses ? flat.suppressed_length : nil)
        hasOtherSelectors = flat.has_other_selectors
    }

    var flat: cnl_rule {
        cnl_rule(
            source: cnl_prefix(source), destination: cnl_prefix(destination), priority: priority, table: table,
            mark: mark, mark_mask: markMask, target: target, inverted: isInverted, protocol: `protocol`,
            action: action.rawValue,
            ip_protocol: nextHeader, suppresses: suppressedLength != nil, suppressed_length: suppressedLength ?? 0,
            has_other_selectors: false, incoming: flatName(incoming ?? ""), outgoing: flatName(outgoing ?? ""))
    }
}
