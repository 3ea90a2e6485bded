import Shim6Wire

/// What contexts with different peers tell each other of a locator that they have in common: on pairs of several, Probes
/// were sent and payload had to leave, and no Probe with it has been reported since.
struct LocatorFates {
    private struct Fate {
        /// The other ends of the pairs that were asked on, and those of the pairs that payload left.
        var asked: [IPv6Address] = []
        var left: [IPv6Address] = []
        var since: Instant
    }

    /// What is so of this many pairs is so of the locator: two may share a fault by chance.
    private static let enough = 3
    /// A locator that fails takes all its pairs with it at about the same time.
    private static let memory = Duration.seconds(2)
    /// More locators than peers that fail within that time, own and the peers' each.
    private static let mostFates = 1024

    private var sources = Fates()
    private var destinations = Fates()

    /// Both tables together.
    var use: SharedPaths.Records {
        SharedPaths.Records(
            count: sources.count + destinations.count, limit: 2 * Self.mostFates,
            forgotten: sources.forgotten + destinations.forgotten)
    }

    mutating func asks(_ pair: LocatorPair, at now: Instant) { note(pair, at: now) { Self.add($1, to: &$0.asked) } }
    mutating func left(_ pair: LocatorPair, at now: Instant) { note(pair, at: now) { Self.add($1, to: &$0.left) } }

    mutating func worked(_ pair: LocatorPair) {
        sources[pair.source] = nil
        destinations[pair.destination] = nil
    }

    func isDead(_ pair: LocatorPair, at now: Instant) -> Bool {
        fates(of: pair, at: now).contains { $0.left.count >= Self.enough }
    }

    /// Since when enough pairs with one of its locators are being asked on; nil if they are not.
    func askedSince(_ pair: LocatorPair, at now: Instant) -> Instant? {
        fates(of: pair, at: now).filter { $0.asked.count >= Self.enough }.map(\.since).min()
    }

    private func fates(of pair: LocatorPair, at now: Instant) -> [Fate] {
        [sources[pair.source], destinations[pair.destination]].compactMap { $0 }.filter { now - $0.since < Self.memory }
    }

    private mutating func note(_ pair: LocatorPair, at now: Instant, _ body: (inout Fate, IPv6Address) -> Void) {
        sources.note(pair.source, at: now) { body(&$0, pair.destination) }
        destinations.note(pair.destination, at: now) { body(&$0, pair.source) }
    }

    private struct Fates {
        private var fates: [IPv6Address: Fate] = [:]
        private(set) var forgotten: UInt64 = 0

        var count: Int { fates.count }

        subscript(locator: IPv6Address) -> Fate? {
            get { fates[locator] }
            set { fates[locator] = newValue }
        }

        mutating func note(_ locator: IPv6Address, at now: Instant, _ body: (inout Fate) -> Void) {
            if fates.count >= mostFates, fates[locator] == nil {
                forgotten += UInt64(fates.count)
                fates.removeAll(keepingCapacity: true)
            }
            var fate = fates[locator] ?? Fate(since: now)
            if now - fate.since >= memory { fate = Fate(since: now) }
            body(&fate)
            fates[locator] = fate
        }
    }

    private static func add(_ partner: IPv6Address, to partners: inout [IPv6Address]) {
        if partners.count < enough, !partners.contains(partner) { partners.append(partner) }
    }
}
