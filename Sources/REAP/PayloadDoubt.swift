import Shim6Wire

/// What a context has seen of payload while nothing of it comes in and Probes pass nevertheless: alarm after alarm ends on
/// the pair in use. Then it is payload that decides, for a path can pass one and drop the other.
struct PayloadDoubt: Sendable {
    /// Alarms that Probes have ended, until others are tried. Three packets in a row get lost now and then where nothing has
    /// failed; hardly ever three times in a row.
    private static let enough = 3
    /// Or so much time: without quick detection the first alarm of all would be over by then.
    private static let longest = REAPConfiguration.defaultSendTimeout
    /// Probes on the pair in use, where others have just been tried without success for payload.
    static let confirmations = 3
    private static let mostDoublings = 6

    /// When the first packet went out on this pair that nothing came back for.
    private(set) var since: Instant
    /// Alarms that Probes have ended on this pair.
    private var alarms = 0
    /// When payload last moved, and how often it has: each time it stays twice as long, for ten seconds first and ten minutes
    /// at last. Where payload fails on every pair it has to be somewhere.
    private var movedAt: Instant?
    private var moves = 0
    /// When the latest exploration ended.
    private var endedAt: Instant

    init(since: Instant) {
        self.since = since
        endedAt = since
    }

    /// Whether it is still so that nothing has come in.
    func stands(_ activity: Activity) -> Bool { activity.lastIn.map { $0 <= since } ?? true }

    mutating func alarmEnded(at now: Instant) {
        alarms += 1
        endedAt = now
    }

    mutating func moved(at now: Instant) {
        since = now
        alarms = 0
        movedAt = now
        moves += 1
        endedAt = now
    }

    func canMove(at now: Instant) -> Bool {
        guard let movedAt else { return true }
        return now - movedAt >= PayloadBars.shortest * (1 << min(moves - 1, Self.mostDoublings))
    }

    /// Whether the pair in use has failed for payload.
    func isCertain(at now: Instant) -> Bool {
        alarms >= Self.enough || alarms > 0 && now >= since + Self.longest
    }

    /// When it is certain by time alone; nil while there is nothing to be certain of.
    var due: Instant? { alarms > 0 ? since + Self.longest : nil }

    /// Whether a Keepalive says that the peer gets payload: after an exploration it sends some in any case, for its Keepalive
    /// Timeout, which began a little later.
    func isRefuted(byKeepaliveAt now: Instant, timeout: Duration, roundTrip: Duration?) -> Bool {
        now - endedAt > timeout * 2 + (roundTrip ?? .seconds(1))
    }
}

/// What the peer's reports say of this host's payload: its own direction can fail alone, while payload comes in.
struct PayloadLoss: Sendable {
    /// Reports in a row of further packets that were lost.
    private static let enough = 3
    /// Stamps of both hosts may be early by a tick.
    private static let precision = Duration.milliseconds(20)

    private var reports = 0
    /// When the last packet had gone out as of the report before.
    private var lastOut: Instant

    init(lastOut: Instant) { self.lastOut = lastOut }

    /// Another report has come; false if it shows that the packet has arrived.
    mutating func report(arrival: Instant, lastOut: Instant, usual: Duration, at now: Instant) -> Bool {
        guard arrival + Self.precision < self.lastOut else { return false }
        if now - self.lastOut > usual, lastOut > self.lastOut {
            self.lastOut = lastOut
            reports += 1
        }
        return true
    }

    var isCertain: Bool { reports >= Self.enough }
}

extension REAPMachine {
    /// A packet that has not arrived can be on its way for as long.
    private static let leastLoss = Duration.seconds(1)

    /// A Probe says what the peer got of payload.
    mutating func weighReport(_ payload: PayloadReport?, _ moment: Moment) {
        guard let arrival = latestArrival(payload, at: moment.now), let lastOut = moment.activity.lastOut
        else { return }
        let usual = max(configuration.announcedSendTimeout, Self.leastLoss) + (roundTripTime ?? .zero)
        if var loss {
            let isLost = loss.report(arrival: arrival, lastOut: lastOut, usual: usual, at: moment.now)
            self.loss = isLost ? loss : nil
        } else if lastOut - arrival > usual {
            loss = PayloadLoss(lastOut: lastOut)
        }
    }

    /// The pair in use drops what goes out, as the peer has reported again and again.
    func isLosing(_ moment: Moment) -> Bool {
        state == .operational && loss?.isCertain == true && doubt?.canMove(at: moment.now) ?? true
            && hasAlternative(moment)
    }

    mutating func leaveLosingPair(_ moment: inout Moment) {
        loss = nil
        moment.paths.payloadFails(on: current, at: moment.now)
        var beginning = beginExploration(&moment)
        beginning.isOwnSuspicion = true
        beginning.leavesPair = true
        perform(.suspicion, .payloadLost, beginning: beginning, &moment)
    }

    /// The Send Timer or a transport says that nothing comes back since `start`. `beginning` asks on the pair in use first, or
    /// not, by what is known of payload.
    mutating func weighPayload(since start: Instant, _ beginning: inout Exploration, _ moment: inout Moment) {
        if doubt?.stands(moment.activity) != true { doubt = PayloadDoubt(since: start) }
        guard let doubt else { return }
        beginning.missesPayload = moment.activity.lastOut.map { $0 >= start } ?? false
        if !doubt.canMove(at: moment.now) || doubt.isCertain(at: moment.now) && !hasAlternative(moment) {
            beginning.keepsPair = true
            beginning.confirmations = max(beginning.confirmations, PayloadDoubt.confirmations)
        } else if doubt.isCertain(at: moment.now) {
            moment.paths.payloadFails(on: current, at: moment.now)
        }
    }

    /// An exploration has ended that this host began for want of an answer.
    mutating func alarmEnded(_ exploration: Exploration, _ moment: Moment) {
        guard current == exploration.failed else {
            return patience.trueAlarm()
        }
        patience.falseAlarm(at: moment.now)
        if exploration.missesPayload, memory.hasReport(of: current) { doubt?.alarmEnded(at: moment.now) }
    }

    mutating func keepaliveReceived(_ moment: inout Moment) {
        if let doubt,
            doubt.isRefuted(
                byKeepaliveAt: moment.now, timeout: configuration.announcedSendTimeout, roundTrip: roundTripTime)
        {
            self.doubt = nil
        }
        phase.operational?.better?.lastKeepaliveIn = moment.now
        perform(.keepaliveReceived, .keepaliveReceived, &moment)
    }

    /// Whether payload fails on the pair in use, as far as the contexts know, and `others` has one on which it does not.
    func outweighs(_ others: [LocatorPair], _ moment: Moment) -> Bool {
        guard let exploration = phase.exploration, !exploration.keepsPair else { return false }
        return (exploration.leavesPair || moment.paths.failsForPayload(current, moment))
            && others.contains { $0 != current && !moment.paths.isBarred($0, at: moment.now) }
    }

    private func hasAlternative(_ moment: Moment) -> Bool {
        local.contains { source in
            peer.contains { destination in
                let pair = LocatorPair(source: source, destination: destination)
                return pair != current && source != destination && !moment.paths.isBarred(pair, at: moment.now)
            }
        }
    }
}
