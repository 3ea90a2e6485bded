/// What the data path takes from the network, and which traffic makes a context worthwhile.
///
/// Rates are messages a second, and as many at once. A site is a /48.
public struct DataPathLimits: Sendable, Hashable {
    /// Octets of a session, both ways together, after which a context is worthwhile. Traffic in one direction only
    /// never is.
    public var triggerOctets = 2048
    /// Age of a session after which a context is worthwhile whatever the octets.
    public var triggerAge = Duration.seconds(60)

    /// I1 messages from all strangers together: hosts with which there is no session, whose sources may be forged. As
    /// many other control messages of theirs, and as many I1 that name the ULIDs of sessions and come from elsewhere.
    public var strangerMessagesPerSecond = 5000
    /// I1 messages, and all other messages, of strangers in one site.
    public var strangerMessagesPerSite = 500
    /// Control messages of all hosts with which there is a session or a context, unless they name it by its tag.
    public var peerMessagesPerSecond = 10_000
    /// Of those in one site.
    public var peerMessagesPerSite = 5000
    /// I1 messages, and all other messages, of one of these hosts to one address; and I1 messages from elsewhere that
    /// name the ULIDs of one session.
    public var messagesPerPair = 100
    /// Control messages with the tag of one context.
    public var messagesPerContext = 500
    /// Payload packets with a tag that no context has, of which the host is told.
    public var unknownTagsPerSecond = 1000
    /// Last packets of TCP flows that can be sent again, 1.6 KiB each; beyond it the one unused for longest goes. 0:
    /// none is kept.
    public var keptPackets = 4096

    public init() {}
}
