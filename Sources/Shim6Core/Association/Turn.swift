import REAP
import Shim6Wire

/// One event under way: when it happens, and what is to be done about it so far. It is handed through, and ends with
/// the event.
struct Turn {
    let now: Instant
    /// What all associations of the host share.
    let host: Surroundings
    var random: RandomSource
    private(set) var effects: [Effect] = []

    init(at now: Instant, _ host: Surroundings, _ random: RandomSource) {
        self.now = now
        self.host = host
        self.random = random
    }

    mutating func emit(_ effect: Effect) { effects.append(effect) }

    /// Makes room for the effects of a new context, which has about a dozen.
    mutating func expectMany() { effects.reserveCapacity(12) }

    func count(_ reason: DropReason) { host.tally.drops[reason, default: 0] &+= 1 }

    /// Sends a control message.
    mutating func send(_ octets: [UInt8], _ type: MessageType, over locators: LocatorPair) {
        emit(.send(octets: octets, source: locators.source, destination: locators.destination))
        host.messagesOut.add(type)
    }

    /// The local list for contexts of a ULID.
    mutating func list(for ulid: IPv6Address) -> LocalList { host.list(for: ulid, random: &random) }
}
