import Shim6Wire

/// What the traffic of one context has left behind, at one moment.
///
/// Every packet of the context, whichever way it goes, is stamped by the data path:
/// * in: `lastIn = now`, `sendStart = nil`, `keepStart = now` if it was nil
/// * out: `lastOut = now`, `keepStart = nil`, `sendStart = now` if it was nil
///
/// so that the Send Timer and the Keepalive Timer of RFC 5534 run without a message a packet: a timer is armed at its
/// earliest possible expiry, looks at the stamps, and is armed again.
public struct Activity: Sendable, Equatable {
    /// When the last payload packet came in; nil if none did.
    public var lastIn: Instant?
    /// The locators that this packet carried; nil if they are not known.
    public var incoming: LocatorPair?
    /// When the last payload packet went out; nil if none did.
    public var lastOut: Instant?
    /// The smoothed time between packets in, waits above a second counted as one; nil while nothing came in.
    public var spacingIn: Duration?
    /// When the Send Timer was started; nil while it is stopped.
    public var sendStart: Instant?
    /// When the Keepalive Timer was started; nil while it is stopped.
    public var keepStart: Instant?

    public init(
        lastIn: Instant? = nil, incoming: LocatorPair? = nil, lastOut: Instant? = nil, spacingIn: Duration? = nil,
        sendStart: Instant? = nil, keepStart: Instant? = nil
    ) {
        self.lastIn = lastIn
        self.incoming = incoming
        self.lastOut = lastOut
        self.spacingIn = spacingIn
        self.sendStart = sendStart
        self.keepStart = keepStart
    }
}

extension Activity {
    /// Whether any packet has passed, either way.
    public var hasPayload: Bool { lastIn != nil || lastOut != nil }
}

/// What the tables of RFC 5534 say to the Send Timer and the Keepalive Timer (section 6.1).
public enum TimerCommand: Sendable {
    /// START: runs from now, unless it is running.
    case start
    /// RESTART: runs from now.
    case restart
    /// STOP.
    case stop

    /// The start of a timer that had `start` when it got this command.
    public func applied(to start: Instant?, at now: Instant) -> Instant? {
        switch self {
        case .start: start ?? now
        case .restart: now
        case .stop: nil
        }
    }
}

/// What a machine wants of the stamps of its context.
public struct StampCommands: Sendable, Equatable {
    /// To the Send Timer.
    public internal(set) var send: TimerCommand?
    /// To the Keepalive Timer.
    public internal(set) var keepalive: TimerCommand?
    /// Which of the next packet in and the next packet out are to be reported.
    public internal(set) var reportsIncoming = false
    public internal(set) var reportsOutgoing = false

    /// Whether `.reportsRequested` has to follow.
    public var requestsReports: Bool { reportsIncoming || reportsOutgoing }
}

/// The stamps of one context where the data path has them.
public protocol ActivityStamps {
    /// What they show now.
    var snapshot: Activity { get }
    /// Tells the Send Timer and the Keepalive Timer what to do, each in one atomic step; nil for nothing.
    func tell(send: TimerCommand?, keepalive: TimerCommand?, at now: Instant)
    /// Asks for one event at the next packet in, out, or both. The data path clears a flag when it reports.
    func requestNotification(incoming: Bool, outgoing: Bool)
}

extension REAPMachine {
    /// Hands an event to the machine with the stamps as they are, does what it wants of them, and answers with the rest of
    /// what is to be done, in order.
    public mutating func handle(
        _ event: REAPEvent, stamps: any ActivityStamps, paths: SharedPaths, random: RandomSource, at now: Instant
    ) -> [REAPEffect] {
        var answer = handle(event, activity: stamps.snapshot, paths: paths, random: random, at: now)
        stamps.tell(send: answer.stamps.send, keepalive: answer.stamps.keepalive, at: now)
        guard answer.stamps.requestsReports else { return answer.effects }
        stamps.requestNotification(incoming: answer.stamps.reportsIncoming, outgoing: answer.stamps.reportsOutgoing)
        // Packets may have passed before the request: the stamps show them.
        let rest = handle(.reportsRequested, activity: stamps.snapshot, paths: paths, random: random, at: now)
        stamps.tell(send: rest.stamps.send, keepalive: rest.stamps.keepalive, at: now)
        answer.effects += rest.effects
        return answer.effects
    }
}
