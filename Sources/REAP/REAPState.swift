import Shim6Wire

/// The three states of a context's reachability (RFC 5534, section 6).
public enum REAPState: String, Sendable, CaseIterable, Codable {
    /// The pairs in use are taken to work.
    case operational = "operational"
    /// Nothing came from the peer for Send Timeout: every pair is in doubt.
    case exploring = "exploring"
    /// Packets arrive from the peer, but the peer may receive none of ours.
    case inboundOk = "inbound-ok"

    /// The state that the Sta field of a Probe names.
    public init(_ state: ProbeState) {
        switch state {
        case .operational: self = .operational
        case .exploring: self = .exploring
        case .inboundOk: self = .inboundOk
        }
    }

    /// The Sta field of a Probe sent in this state.
    public var probeState: ProbeState {
        switch self {
        case .operational: .operational
        case .exploring: .exploring
        case .inboundOk: .inboundOk
        }
    }
}

/// Why a state changed.
public enum REAPReason: String, Sendable, CaseIterable, Codable {
    case sendTimerExpired = "send-timer-expired"
    /// The context was established over another pair than the one that payload uses.
    case establishedElsewhere = "established-elsewhere"
    /// The peer has asked again for what was answered: the answer may not arrive.
    case answerLost = "answer-lost"
    /// Return traffic stopped while packets went out, though not for Send Timeout: dense traffic, with quick detection; or
    /// locators have come or gone meanwhile.
    case silence = "silence"
    /// The peer reports that it gets no payload on the pair in use.
    case payloadLost = "payload-lost"
    /// ICMPv6 or a transport hinted at a failure.
    case hint = "hint"
    /// The source locator of outgoing payload is no longer available here.
    case localLocatorGone = "local-locator-gone"
    /// The peer withdrew the destination locator of outgoing payload.
    case peerLocatorGone = "peer-locator-gone"
    case payloadReceived = "payload-received"
    /// A Shim6 message other than Keepalive and Probe, which counts as payload.
    case otherMessageReceived = "other-message-received"
    case keepaliveReceived = "keepalive-received"
    case probeExploringReceived = "probe-exploring-received"
    case probeInboundOkReceived = "probe-inbound-ok-received"
    case probeOperationalReceived = "probe-operational-received"
}

/// The timers of one machine. A timer that fires late or twice does no harm.
public enum REAPTimer: String, Sendable, CaseIterable, Codable {
    /// Send Timer: return traffic is due (RFC 5534, section 4.1).
    case send = "send"
    /// Keepalive Timer and the Keepalive Interval within it.
    case keepalive = "keepalive"
    /// Retransmission of Probes while exploring (RFC 5534, section 6.5).
    case probe = "probe"
    /// A better pair than the one in use is to be probed.
    case failback = "failback"
}
