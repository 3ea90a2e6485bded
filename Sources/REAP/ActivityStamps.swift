import Shim6Wire

/// The data path's record of one context's traffic, shared with it in memory.
///
/// Every packet of the context, whichever way it goes, is stamped by the data path:
/// * in: `lastIn = now`, `sendStart = nil`, `keepStart = now` if it was nil
/// * out: `lastOut = now`, `keepStart = nil`, `sendStart = now` if it was nil
///
/// so that the Send Timer and the Keepalive Timer of RFC 5534 run without a message a packet: a timer is armed at its
/// earliest possible expiry, looks at the stamps, and is armed again.
public protocol ActivityStamps {
    /// When the last payload packet came in; nil if none did.
    var lastIn: Instant? { get }
    /// The locators that this packet carried, for people to look at.
    var incoming: LocatorPair? { get }
    /// When the last payload packet went out; nil if none did.
    var lastOut: Instant? { get }
    /// The smoothed time between packets in, waits above a second counted as one; nil while nothing came in.
    var spacingIn: Duration? { get }
    /// When the Send Timer was started; nil while it is stopped. Setting it is one atomic exchange.
    var sendStart: Instant? { get nonmutating set }
    /// When the Keepalive Timer was started; nil while it is stopped. Setting it is one atomic exchange.
    var keepStart: Instant? { get nonmutating set }
    /// START of RFC 5534: sets `sendStart` only if it is nil, atomically.
    func startSendIfStopped(at now: Instant)
    /// START of RFC 5534: sets `keepStart` only if it is nil, atomically.
    func startKeepIfStopped(at now: Instant)
    /// Asks for one event at the next packet in, out, or both. The data path clears a flag when it reports.
    func requestNotification(incoming: Bool, outgoing: Bool)
}
