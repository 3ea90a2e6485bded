import REAP
import Shim6Wire

/// The activity stamps of one context in ordinary memory, as the data path and the host share them.
public final class Stamps: ActivityStamps {
    public private(set) var lastIn: Instant?
    public var incoming: LocatorPair?
    public private(set) var lastOut: Instant?
    public private(set) var spacingIn: Duration?
    public var sendStart: Instant?
    public var keepStart: Instant?
    public private(set) var notifyIn = false
    public private(set) var notifyOut = false
    /// What passes while a notification is being asked for.
    public var passing: ((Stamps) -> Void)?

    public init() {}

    public var snapshot: Activity {
        Activity(
            lastIn: lastIn, incoming: incoming, lastOut: lastOut, spacingIn: spacingIn, sendStart: sendStart,
            keepStart: keepStart)
    }

    public func tell(send: TimerCommand?, keepalive: TimerCommand?, at now: Instant) {
        if let send { sendStart = send.applied(to: sendStart, at: now) }
        if let keepalive { keepStart = keepalive.applied(to: keepStart, at: now) }
    }

    public func requestNotification(incoming: Bool, outgoing: Bool) {
        passing?(self)
        passing = nil
        notifyIn = notifyIn || incoming
        notifyOut = notifyOut || outgoing
    }

    /// A payload packet comes in; true if it is to be reported.
    ///
    /// - Parameter pair: the locators that it carries, if they are known.
    public func stampIn(_ pair: LocatorPair? = nil, at now: Instant) -> Bool {
        if let pair { incoming = pair }
        let gap = lastIn.map { min(now - $0, .seconds(1)) } ?? .seconds(1)
        spacingIn = spacingIn.map { $0 + (gap - $0) / 8 } ?? gap
        lastIn = now
        sendStart = nil
        keepStart = keepStart ?? now
        defer { notifyIn = false }
        return notifyIn
    }

    /// A payload packet goes out; true if it is to be reported.
    public func stampOut(at now: Instant) -> Bool {
        lastOut = now
        keepStart = nil
        sendStart = sendStart ?? now
        defer { notifyOut = false }
        return notifyOut
    }
}
