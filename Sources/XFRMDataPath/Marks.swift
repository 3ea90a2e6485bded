/// By these our XFRM states and policies are found again. Policies are of the sub type; the lowest priority that matches
/// a packet is the one that is used.
public struct Marks: Hashable, Sendable {
    /// Request id of states and templates.
    public var request: UInt32
    /// Packets that are never rehomed.
    public var exempt: UInt32
    /// Packets of contexts, both ways.
    public var context: UInt32
    /// Packets of sessions that may deserve a context.
    public var candidate: UInt32
    /// ICMPv6 of none of these: it makes no session worthwhile.
    public var messages: UInt32
    /// All other outgoing packets: tells of new sessions.
    public var watch: UInt32

    /// `context` is the priority of the idle policies too, which are the inbound policies of contexts.
    public init(context: UInt32) {
        request = context
        exempt = context - 2
        self.context = context
        candidate = context + 1
        messages = context + 2
        watch = context + 3
    }

    public var priorities: ClosedRange<UInt32> { exempt...watch }
}
