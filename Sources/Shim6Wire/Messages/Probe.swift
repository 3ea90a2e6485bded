/// What a Probe says of its sender's view of reachability (RFC 5534, section 5.2).
public enum ProbeState: UInt8, Sendable, CaseIterable {
    case operational = 0
    case exploring = 1
    case inboundOk = 2
}

/// A Probe that was sent or received, as Probes report it (RFC 5534, section 5.2).
/// 40 octets: source, destination, nonce, data.
public struct ProbeReport: Hashable, Sendable {
    public var source: IPv6Address
    public var destination: IPv6Address
    public var nonce: UInt32
    /// Without meaning; a received report returns it unchanged.
    public var data: UInt32

    public init(source: IPv6Address, destination: IPv6Address, nonce: UInt32, data: UInt32 = 0) {
        self.source = source
        self.destination = destination
        self.nonce = nonce
        self.data = data
    }
}

/// Probe (RFC 5534, section 5.2). Octets 6-11 Receiver Context Tag, 12 the counts of received (high nibble) and sent
/// (low nibble) reports, 13 the state in its two top bits, 16- the sent reports, then the received ones.
public struct Probe: Hashable, Sendable {
    /// The sender's CT(peer).
    public var receiverTag: ContextTag
    public var state: ProbeState
    /// 1 to 15 reports; the first one describes this very Probe.
    public var sent: [ProbeReport]
    /// At most 15 reports, copied unchanged from the Probes that they report.
    public var received: [ProbeReport]

    public init(receiverTag: ContextTag, state: ProbeState, sent: [ProbeReport], received: [ProbeReport] = []) {
        self.receiverTag = receiverTag
        self.state = state
        self.sent = sent
        self.received = received
    }
}
