import Shim6Wire

/// What the contexts of one host tell each other of the pairs of locators that they share, and the Probes that all of
/// them may send together.
///
/// It only orders: no pair is left out for what stands here. Bounded; a record is forgotten after a while.
public final class SharedPaths {
    /// What is known of one pair in the direction from this host.
    struct Record {
        /// When the newest Probe was sent that the peer has reported.
        var worked: Instant?
        /// When payload of a context left the pair because it failed.
        var failed: Instant?
        /// Probes of contexts that suspect the pair, sent since one was last reported, and when the first of them was.
        var asked = 0
        var askedSince: Instant?
    }

    /// How full a table is.
    public struct Records: Sendable, Equatable {
        public var count: Int
        public var limit: Int
        /// How many had to go early, since the table was full.
        public var forgotten: UInt64
    }

    /// So many Probes without a report say as much of a pair as the confirmations of one context alone.
    private static let enough = 3

    /// How long a record matters: two Send Timeouts, so that contexts which notice one after the other still gain by it.
    static let memory = Duration.seconds(30)
    /// The pairs of some hundred peers with several locators, in about half a megabyte.
    private static let mostRecords = 4096

    private var records: [LocatorPair: Record] = [:]
    private var forgotten: UInt64 = 0
    private var fates = LocatorFates()
    private var bars = PayloadBars()
    public var budget: ProbeBudget
    /// The order that somebody who knows more has set: lower comes first, pairs that are not here come after all that are.
    public var ranking: [LocatorPair: Int] = [:]

    /// The one that was asked for last: most contexts have it.
    private var configuration: SharedConfiguration?

    /// The Probes a second that all contexts together may begin, unless somebody wants another number.
    public static let defaultProbesPerSecond = 2000

    public init(probesPerSecond: Int = defaultProbesPerSecond) {
        budget = ProbeBudget(perSecond: probesPerSecond)
    }

    /// A configuration that takes no room of its own where contexts come one after the other with the same.
    func share(_ configuration: REAPConfiguration) -> SharedConfiguration {
        if let latest = self.configuration, latest.value == configuration { return latest }
        let new = SharedConfiguration(configuration)
        self.configuration = new
        return new
    }

    /// The pairs of which something is known.
    public var pairs: Records { Records(count: records.count, limit: Self.mostRecords, forgotten: forgotten) }
    /// The locators at which Probes are not reported, whatever the other end of the pair.
    public var locators: Records { fates.use }
    /// The pairs on which payload got lost though Probes passed.
    public var barredPairs: Records { bars.use }

    /// The peer has reported a Probe that was sent on `pair`, or answered another message.
    public func worked(_ pair: LocatorPair, at now: Instant) {
        change(pair, at: now) { $0 = Record(worked: now, failed: $0.failed) }
        fates.worked(pair)
    }

    /// A context that suspects `pair` sends a Probe on it.
    func asks(_ pair: LocatorPair, at now: Instant) {
        change(pair, at: now) {
            if let since = $0.askedSince, !isFresh(since, now) { $0.asked = 0 }
            if $0.asked == 0 { $0.askedSince = now }
            $0.asked += 1
        }
        fates.asks(pair, at: now)
    }

    /// What the Probes of all contexts say of a pair that is suspected.
    enum Verdict: Equatable {
        case unknown
        /// Some Probes went out on it, or with one of its locators; until then they may be reported.
        case asked(until: Instant)
        /// They were not reported.
        case silent
        /// Other contexts have just found another way.
        case dead
    }

    /// - Parameter wait: how long Probes of others, and what they do next, may take.
    func verdict(on pair: LocatorPair, wait: Duration, _ moment: Moment) -> Verdict {
        let now = moment.now
        if standing(of: pair, at: now) == .fails || fates.isDead(pair, at: now) { return .dead }
        if failsForPayload(pair, moment) { return .dead }
        var since = fates.askedSince(pair, at: now)
        if let record = records[pair], record.asked >= Self.enough, let own = record.askedSince, isFresh(own, now) {
            since = min(since ?? own, own)
        }
        guard let since else { return .unknown }
        return now - since >= wait ? .silent : .asked(until: since + wait)
    }

    /// Payload has left `pair`, on which nothing got through.
    func failed(_ pair: LocatorPair, at now: Instant) {
        change(pair, at: now) { $0.failed = now }
        fates.left(pair, at: now)
    }

    /// Payload of a context got lost on `pair`, though Probes passed.
    func payloadFails(on pair: LocatorPair, at now: Instant) { bars.add(pair, at: now) }

    /// The peer has got payload on `pair`.
    func payloadArrives(on pair: LocatorPair) { bars.lift(pair) }

    /// Whether payload of some context got lost on `pair` not long ago.
    func isBarred(_ pair: LocatorPair, at now: Instant) -> Bool { bars.contains(pair, at: now) }

    /// The same, unless payload of the context under way has come in since.
    func failsForPayload(_ pair: LocatorPair, _ moment: Moment) -> Bool {
        bars.concerns(pair, lastIn: moment.activity.lastIn, at: moment.now)
    }

    private func change(_ pair: LocatorPair, at now: Instant, _ body: (inout Record) -> Void) {
        if records.count >= Self.mostRecords, records[pair] == nil {
            records = records.filter { isFresh($0.value.worked, now) || isFresh($0.value.failed, now) }
            if records.count >= Self.mostRecords {
                forgotten += UInt64(records.count)
                records.removeAll(keepingCapacity: true)
            }
        }
        body(&records[pair, default: Record()])
    }

    private func isFresh(_ time: Instant?, _ now: Instant) -> Bool { time.map { now - $0 < Self.memory } ?? false }

    /// What the other contexts' experience says of a pair.
    func standing(of pair: LocatorPair, at now: Instant) -> Standing {
        guard let record = records[pair] else { return .unknown }
        let worked = isFresh(record.worked, now) ? record.worked : nil
        let failed = isFresh(record.failed, now) ? record.failed : nil
        switch (worked, failed) {
        case (nil, nil): return .unknown
        case (.some, nil): return .works
        case (nil, .some): return .fails
        case (.some(let worked), .some(let failed)): return worked > failed ? .works : .fails
        }
    }

    /// In the order in which pairs are tried.
    enum Standing: Int, Comparable {
        case works, unknown, fails

        static func < (left: Standing, right: Standing) -> Bool { left.rawValue < right.rawValue }
    }
}

/// How many Probes a host sends a second, so that the death of an uplink with thousands of contexts makes no storm.
///
/// Who asks gets the next free place: everybody in turn. Contexts without traffic stand back as long as others wait.
public struct ProbeBudget: Sendable {
    /// How much may be saved up: enough that what the failure of a few contexts needs goes out at once.
    private static let burst = Duration.milliseconds(50)
    /// By how much answers can delay what others begin: who asks without end must not keep them waiting without end.
    private static let longestDelay = Duration.milliseconds(100)
    /// How long a context without traffic stands back behind the last place that is taken, before it asks again.
    private static let standBack = Duration.seconds(1)

    private let interval: Duration
    private var next = Instant(nanoseconds: 0)

    /// - Parameter perSecond: at least 1.
    public init(perSecond: Int) {
        interval = .nanoseconds(1_000_000_000 / Int64(max(1, perSecond)))
    }

    /// Takes a place for one Probe and says when it is; not after now if the Probe may go out at once.
    mutating func reserve(at now: Instant, hasTraffic: Bool) -> Instant {
        if !hasTraffic, next > now { return next + Self.standBack }
        next = max(next, now + (.zero - Self.burst))
        defer { next = next + interval }
        return next
    }

    /// Takes a place for a Probe that can wait as long as anybody else needs the budget; false if somebody does.
    mutating func takeSpare(at now: Instant) -> Bool {
        guard next <= now + (.zero - Self.burst / 2) else { return false }
        _ = reserve(at: now, hasTraffic: true)
        return true
    }

    /// A Probe that cannot wait, since the peer waits for it, has gone out.
    mutating func spend(at now: Instant) {
        let spent = max(next, now + (.zero - Self.burst)) + interval
        next = max(next, min(spent, now + Self.longestDelay))
    }
}
