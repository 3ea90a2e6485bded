import Shim6Wire

/// What can happen to the machine of an established context. Addresses of packets are in the direction of the packet.
public enum REAPEvent: Sendable, Equatable {
    /// The context is established, or recovered: from here on its traffic is watched.
    case established
    /// The data path has been asked to report the next packets, as the answer before this wanted. The activity that comes
    /// with it is from after that, so that no packet falls between.
    case reportsRequested
    /// There is a reason to doubt the current pair.
    case suspected(REAPReason)
    /// The data path reports an incoming packet that it was asked to notify; it has stamped it already.
    case payloadReceived
    /// The data path reports an outgoing packet that it was asked to notify; it has stamped it already.
    case payloadSent
    /// A Shim6 message of the context other than Keepalive and Probe came in and was valid.
    case otherMessageReceived
    /// The same, and it answers one that went out on this pair: both directions of it work.
    case otherMessageAnswered(LocatorPair)
    /// A Shim6 message of the context other than Keepalive and Probe went out.
    case otherMessageSent
    case keepaliveReceived
    /// A well-formed Probe with this context's tag came in.
    case probeReceived(Probe, LocatorPair)
    /// Something outside Shim6 says that the pair in use may have failed. It is no proof: anybody can forge it.
    case hint(REAPHint)
    /// An operator wants payload to use this pair. It does once a Probe on it is reported; else there is `switchRefused`.
    case switchTo(LocatorPair)
    /// A timer that an effect armed has run out.
    case timer(REAPTimer)
    /// The locators that may be used are now these, best first: the own available ones and the peer's verified ones.
    case locatorsChanged(local: [IPv6Address], peer: [IPv6Address])
    /// The timer values changed, or the peer announced its Send Timeout.
    case configured(REAPConfiguration)
}

/// What a machine wants at one event: first the stamps, then the effects.
public struct REAPAnswer: Sendable, Equatable {
    public var stamps: StampCommands
    public var effects: [REAPEffect]
}

/// What the owner of the machine does for it, in order.
public enum REAPEffect: Sendable, Equatable {
    case sendKeepalive(LocatorPair)
    case sendProbe(Probe, LocatorPair)
    /// Arm a timer, or move it if it is armed.
    case arm(REAPTimer, at: Instant)
    case cancel(REAPTimer)
    /// Outgoing payload moves to this pair, which the peer has confirmed.
    case use(LocatorPair, instead: LocatorPair, UseReason)
    /// The pair that payload had returned to has failed again: the next return takes longer.
    case damped
    /// The pair that was asked for is not used, and why.
    case switchRefused(LocatorPair, SwitchRefusal)
    case changed(from: REAPState, to: REAPState, REAPReason)
    /// A Probe was taken in; `reports` counts its reports that match Probes of ours.
    case tookProbe(LocatorPair, nonce: UInt32, REAPState, reports: Int)
}

/// What says from outside that a pair may have failed.
public enum REAPHint: String, Sendable, CaseIterable, Codable {
    /// ICMPv6 Destination Unreachable for a packet of the context.
    case unreachable = "unreachable"
    /// A transport repeats what it sent before.
    case retransmission = "retransmission"
}

/// Why payload moves.
public enum UseReason: String, Sendable, CaseIterable, Codable {
    /// The pair before failed.
    case exploration = "exploration"
    /// A better pair works again.
    case failback = "failback"
    /// An operator wants it, and it works.
    case asked = "asked"
}

/// Why a pair that was asked for is not used.
public enum SwitchRefusal: String, Sendable, CaseIterable, Codable {
    case noLocator = "its addresses are no usable locators of the two hosts"
    case inUse = "it is in use"
    case exploring = "an exploration is under way"
    case noAnswer = "no probe on it was answered"
}
