import Shim6Wire

/// The armed timers of one machine and their jitter.
struct LazyTimers: Sendable {
    private var send: Instant?
    private var keepalive: Instant?
    private var probe: Instant?
    private var failback: Instant?
    /// Thousandths by which timers differ from their nominal values at the moment.
    private var jitter = 0
    /// The start of the Send Timer that was given more time because its expiry was noticed late, and until when.
    var grace: (start: Instant, end: Instant)?

    private(set) subscript(timer: REAPTimer) -> Instant? {
        get {
            switch timer {
            case .send: send
            case .keepalive: keepalive
            case .probe: probe
            case .failback: failback
            }
        }
        set {
            switch timer {
            case .send: send = newValue
            case .keepalive: keepalive = newValue
            case .probe: probe = newValue
            case .failback: failback = newValue
            }
        }
    }

    mutating func drawJitter(_ configuration: REAPConfiguration, random: inout RandomSource) {
        jitter = configuration.jitterPermille > 0 ? Int.random(in: 0...configuration.jitterPermille, using: &random) : 0
    }

    func lengthen(_ duration: Duration) -> Duration { duration.longer(permille: jitter) }
    func shorten(_ duration: Duration) -> Duration { duration.longer(permille: -jitter) }

    mutating func set(_ timer: REAPTimer, at time: Instant, _ effects: inout [REAPEffect]) {
        guard self[timer] != time else { return }
        self[timer] = time
        effects.append(.arm(timer, at: time))
    }

    /// Sees to it that a timer fires at `time` or before.
    mutating func require(_ timer: REAPTimer, by time: Instant, _ effects: inout [REAPEffect]) {
        if let armed = self[timer], armed <= time { return }
        set(timer, at: time, &effects)
    }

    mutating func cancel(_ timer: REAPTimer, _ effects: inout [REAPEffect]) {
        if clear(timer) { effects.append(.cancel(timer)) }
    }

    /// Takes a timer as no longer armed; false if it was not armed.
    mutating func clear(_ timer: REAPTimer) -> Bool {
        defer { self[timer] = nil }
        return self[timer] != nil
    }
}

/// The Send and the Keepalive Timer run in the stamps, which the data path starts and stops a packet at a time. Here
/// they are armed at the earliest instant at which they can expire; one that fires looks at the stamps and is armed
/// again. Only when both are stopped nothing is armed, and the data path is asked to report the next packet.
extension REAPMachine {
    /// By what part of a limit a timer may fire late before that says more of this host than of the path.
    private static let partOfGrace = 4

    mutating func timerFired(_ timer: REAPTimer, _ moment: inout Moment) {
        guard let armed = timers[timer], timers.clear(timer) else { return }
        switch timer {
        case .send:
            sendTimerFired(armed: armed, &moment)
            askRoundTrip(&moment)
        case .keepalive: keepaliveTimerFired(&moment)
        case .failback: failbackTimerFired(&moment)
        case .probe:
            guard moment.now >= armed else { return timers.set(.probe, at: armed, &moment.effects) }
            perform(.retransmission, nil, &moment)
        }
    }

    /// When a timer fires very late, return traffic may wait to be taken in: it gets a little more time, once.
    private mutating func sendTimerFired(armed: Instant, _ moment: inout Moment) {
        if isLosing(moment) { return leaveLosingPair(&moment) }
        if state == .operational, let doubt, doubt.stands(moment.activity), let due = doubt.due, armed == due,
            moment.now >= due
        {
            return sendTimerExpired(.sendTimerExpired, since: doubt.since, &moment)
        }
        guard state != .exploring, let start = moment.activity.sendStart else { return }
        let limits = limits(moment)
        let isUnanswered = moment.activity.lastOut.map { $0 > start } ?? false
        var expiry = start + limits.timeout
        if isUnanswered, let silence = limits.silence { expiry = min(expiry, start + silence) }
        if let grace = timers.grace, grace.start == start { expiry = max(expiry, grace.end) }
        guard moment.now >= expiry else { return }
        let grace = (limits.silence ?? limits.timeout) / Self.partOfGrace
        if moment.now - armed > grace, timers.grace?.start != start {
            timers.grace = (start, moment.now + grace)
        } else {
            sendTimerExpired(moment.now >= start + limits.timeout ? .sendTimerExpired : .silence, since: start, &moment)
        }
    }

    /// Send Timeout, and the shorter silence that is suspicious when more than one packet went out into it. Timers of
    /// several contexts do not stay in step: 5534-4.1-17.
    private func limits(_ moment: Moment) -> (timeout: Duration, silence: Duration?) {
        let spacing = moment.activity.spacingIn
        let timeout = timers.lengthen(configuration.effectiveSendTimeout(spacing: spacing))
        guard state == .operational,
            let silence = configuration.silenceLimit(spacing: spacing, roundTrip: roundTripTime)
        else { return (timeout, nil) }
        return (timeout, min(timeout, timers.lengthen(patience.stretch(silence, at: moment.now))))
    }

    private mutating func keepaliveTimerFired(_ moment: inout Moment) {
        guard state == .operational, let start = moment.activity.keepStart, moment.now >= nextKeepalive(start) else {
            return
        }
        guard moment.now >= start + configuration.keepaliveTimeout else {
            return perform(.keepaliveIntervalOver, nil, &moment)
        }
        perform(.keepaliveTimeout, nil, &moment)
        // It has expired.
        moment.tell(keepalive: .stop)
    }

    /// The next Keepalive: one Keepalive Interval after the start of the timer or the Keepalive before. The last one is
    /// due at the end of Keepalive Timeout, and none within half an interval before it.
    private func nextKeepalive(_ start: Instant) -> Instant {
        let interval = timers.lengthen(configuration.keepaliveInterval)
        let next = max(start, phase.operational?.lastKeepalive ?? start) + interval
        let end = start + configuration.keepaliveTimeout
        let rest = end - next
        return rest + rest > interval ? next : end
    }

    /// Asks for reports of the packets that the machine has to hear of.
    func requestReports(_ moment: inout Moment) {
        switch state {
        case .operational:
            guard moment.activity.sendStart == nil, moment.activity.keepStart == nil else { return }
            moment.requestReports(incoming: true, outgoing: true)
        case .exploring: moment.requestReports(incoming: true, outgoing: isSlow(at: moment.now))
        case .inboundOk: break
        }
    }

    /// Arms the timers that the state has and the stamps show as running.
    mutating func arrangeTimers(_ moment: inout Moment) {
        switch state {
        case .operational:
            let send = moment.activity.sendStart
            let keep = moment.activity.keepStart
            let due = isLosing(moment) ? moment.now : doubt?.due.flatMap { $0 > moment.now ? $0 : nil }
            guard send != nil || keep != nil || due != nil else {
                timers.cancel(.send, &moment.effects)
                timers.cancel(.keepalive, &moment.effects)
                return
            }
            requireSend(send, &moment)
            let keepalive = keep.map(nextKeepalive) ?? moment.now + configuration.keepaliveInterval
            timers.require(.keepalive, by: keepalive, &moment.effects)
            if let due { timers.require(.send, by: due, &moment.effects) }
        case .exploring:
            timers.cancel(.send, &moment.effects)
            timers.cancel(.keepalive, &moment.effects)
        case .inboundOk:
            requireSend(moment.activity.sendStart, &moment)
            timers.cancel(.keepalive, &moment.effects)
        }
    }

    /// Arms the Send Timer for the first moment at which a silence could be too long.
    private mutating func requireSend(_ start: Instant?, _ moment: inout Moment) {
        let limits = limits(moment)
        let start = start ?? moment.now
        var expiry = start + limits.timeout
        if let silence = limits.silence {
            // Nothing is unanswered yet; that may change at any time.
            let early = start + silence
            expiry = min(expiry, early > moment.now ? early : moment.now + silence)
        }
        if let grace = timers.grace, grace.start == start { expiry = max(expiry, grace.end) }
        timers.require(.send, by: expiry, &moment.effects)
    }
}
