import REAP
import Shim6Core
import Shim6Wire

/// A host with everything that carries out its effects, in virtual time.
final class Node {
    struct Packet {
        var octets: [UInt8]
        var source: IPv6Address
        var destination: IPv6Address

        var pair: LocatorPair { LocatorPair(source: source, destination: destination) }
        var type: MessageType? { MessageType(rawValue: octets[2] & 0x7f) }
        /// Reads the message; a packet that a host has sent has to be well-formed.
        var message: ControlMessage? { (try? MessageView(octets)).flatMap { try? ControlMessage($0) } }
    }

    let name: String
    let host: Endpoint
    let activity = TestActivity()
    let verifier: ToyVerifier
    private(set) var timers: [Timer: Instant] = [:]
    private(set) var entries: [ContextTag: DataPathEntry] = [:]
    /// When the kernel's idle policy of a context would fire.
    private(set) var idleWatches: [ContextTag: Instant] = [:]
    /// How sockets of the host use the ULIDs of contexts.
    var use: (ULIDPair) -> ULIDUse = { _ in .none }
    /// The idle contexts that it was asked about, and how often in all.
    private var asked: [ContextTag: (at: Instant, ulids: ULIDPair)] = [:]
    private(set) var questions = 0
    private(set) var notices: [Notice] = []
    private(set) var forgotten: [ULIDPair] = []
    /// Since when packets count as unanswered, each time that the last ones were to go out again.
    private(set) var resumed: [Instant?] = []
    /// Of the event handled last.
    private(set) var effects: [Effect] = []
    var locators: [IPv6Address]

    init(
        _ name: String, _ locators: [IPv6Address],
        configuration: HostConfiguration = HostConfiguration(),
        identity: (any LocalIdentity)? = nil, seed: UInt64
    ) {
        self.name = name
        self.locators = locators
        verifier = ToyVerifier()
        host = Endpoint(
            configuration: configuration, identity: identity ?? ToyIdentity(ulids: Set(locators)),
            verifier: verifier,
            activity: activity, random: Seeded(seed))
    }

    /// Reports an event and returns the packets that the host sends because of it.
    @discardableResult
    func handle(_ event: Event, at now: Instant) -> [Packet] {
        effects = host.handle(event, at: now)
        var packets: [Packet] = []
        for effect in effects {
            switch effect {
            case .send(let octets, let source, let destination):
                packets.append(Packet(octets: octets, source: source, destination: destination))
            case .arm(let timer, let deadline): timers[timer] = deadline
            case .cancel(let timer): timers[timer] = nil
            case .install(let entry): entries[entry.localTag] = entry
            case .remove(let entry): entries[entry.localTag] = nil
            case .forget(let ulids): forgotten.append(ulids)
            case .resume(_, let start): resumed.append(start)
            case .watchIdle(let tag, _, let seconds): idleWatches[tag] = now + .seconds(seconds)
            case .unwatchIdle(let tag, _): idleWatches[tag] = nil
            case .askUse(let tag, let ulids):
                asked[tag] = (now, ulids)
                questions += 1
            case .publish(let notice): notices.append(notice)
            }
        }
        return packets
    }

    /// Tells the host its locators: all with method CGA.
    @discardableResult
    func announce(_ locators: [IPv6Address], at now: Instant) -> [Packet] {
        self.locators = locators
        return handle(.localLocators(locators.map { LocalLocator(address: $0, method: .cga) }), at: now)
    }

    /// The next timer, idle watch or answer.
    var nextDeadline: Instant? {
        [timers.values.min(), idleWatches.values.min(), asked.values.map(\.at).min()].compactMap(\.self).min()
    }

    /// What is due, taken off the list.
    func takeDue(at now: Instant) -> [Event] {
        let due = timers.filter { $0.value <= now }.sorted { "\($0.key)" < "\($1.key)" }
        for (timer, _) in due { timers[timer] = nil }
        let idle = idleWatches.filter { $0.value <= now }.keys.sorted { $0.rawValue < $1.rawValue }
        for tag in idle { idleWatches[tag] = nil }
        let answers = asked.sorted { $0.key.rawValue < $1.key.rawValue }.map { Event.use($0.key, use($0.value.ulids)) }
        asked = [:]
        return due.map { .timer($0.key) } + idle.map { .idle($0) } + answers
    }

    /// Drops what no test asks for any more.
    func clearLog() {
        notices = []
        forgotten = []
    }

    /// The only context; nil if there are none or several.
    var context: ContextSnapshot? { host.contexts.count == 1 ? host.contexts.first : nil }
    var state: ContextState? { context?.state }

    func drops(_ reason: DropReason) -> UInt64 { host.counters.drops(reason) }
}
