import REAP
import Shim6Wire

/// What names a context on its host: the ULID pair and the Forked Instance Identifier (RFC 5533, section 4.2).
struct ContextKey: Hashable {
    var ulids: ULIDPair
    var forkedInstance: UInt32 = 0
}

/// What a context has in every state: its names, its timer, its messages, and what the data path and the peer know of
/// it.
struct Common {
    /// CT(local); also the name of the context towards the daemon.
    let tag: ContextTag
    let key: ContextKey
    /// Of a forked context that this host has asked for: the packets that are its own.
    let flows: [Flow]
    /// Whether a peer asked for it, not this host.
    let isOfPeer: Bool
    let createdAt: Instant
    /// The index of the activity stamps; nil in E-FAILED and NO-SUPPORT, which see no traffic.
    private(set) var slot: UInt32?
    /// Ls(local) as the peer knows it, or is about to.
    var announced: LocalList
    /// What the data path has.
    private(set) var entry: DataPathEntry?
    /// When `Timer.context` is due; nil while it is not armed.
    private(set) var deadline: Instant?
    /// When `Timer.resume` is due; nil while it is not armed.
    private(set) var resumesAt: Instant?
    /// When a control message with the context's tag last came in.
    var lastTagged: Instant?
    /// When outgoing payload last moved.
    private(set) var lastSwitch: Instant?
    private(set) var lastSwitchReason: UseReason?
    var counters = ContextCounters()

    init(
        tag: ContextTag, key: ContextKey, flows: [Flow] = [], slot: UInt32, announced: LocalList,
        isOfPeer: Bool = false, at now: Instant
    ) {
        self.tag = tag
        self.key = key
        self.flows = flows
        self.slot = slot
        self.announced = announced
        self.isOfPeer = isOfPeer
        createdAt = now
    }

    var ulids: ULIDPair { key.ulids }

    // MARK: Messages

    /// Sends a message; one that would be too long goes nowhere.
    mutating func send(_ message: ControlMessage, over locators: LocatorPair, _ turn: inout Turn) {
        guard let octets = try? message.encoded() else { return }
        transmit(octets, message.type, over: locators, &turn)
    }

    mutating func transmit(_ octets: [UInt8], _ type: MessageType, over locators: LocatorPair, _ turn: inout Turn) {
        turn.send(octets, type, over: locators)
        counters.messagesOut &+= 1
    }

    func publish(_ kind: Notice.Kind, _ turn: inout Turn) {
        turn.emit(.publish(Notice(at: turn.now, tag: tag, ulids: ulids, kind: kind)))
    }

    /// The option that names the ULIDs in a message on a pair which does not (RFC 5533, section 7.7).
    func ulidPairOption(over locators: LocatorPair) -> ULIDPairOption? {
        // 5533-5.15.6-03, 5533-5.15.6-04
        locators == ulids.locators ? nil : ULIDPairOption(sender: ulids.local, receiver: ulids.peer)
    }

    /// Nil for the default context.
    var forkedInstanceOption: UInt32? { key.forkedInstance == 0 ? nil : key.forkedInstance }

    // MARK: Timers

    mutating func arm(after wait: Duration, _ turn: inout Turn) {
        let deadline = turn.now + wait
        self.deadline = deadline
        turn.emit(.arm(.context(tag), at: deadline))
    }

    mutating func disarm(_ turn: inout Turn) {
        guard deadline != nil else { return }
        deadline = nil
        turn.emit(.cancel(.context(tag)))
    }

    /// Whether the timer has run out: one that was moved may still fire at its old time.
    mutating func timerFired(at now: Instant) -> Bool {
        guard let deadline, deadline <= now else { return false }
        self.deadline = nil
        return true
    }

    mutating func resume(after wait: Duration, _ turn: inout Turn) {
        let deadline = turn.now + wait
        resumesAt = deadline
        turn.emit(.arm(.resume(tag), at: deadline))
    }

    mutating func cancelResuming(_ turn: inout Turn) {
        if resumesAt != nil { turn.emit(.cancel(.resume(tag))) }
    }

    /// The same for `Timer.resume`.
    mutating func resumeFired(at now: Instant) -> Bool {
        guard let deadline = resumesAt, deadline <= now else { return false }
        resumesAt = nil
        return true
    }

    // MARK: Data path

    /// The stamps of the context's traffic; nil if it has none.
    func stamps(_ turn: Turn) -> Activity? { slot.map { turn.host.activity[$0].snapshot } }

    /// What the data path has to know of the peer.
    struct Destination {
        let peerTag: ContextTag
        let peerLocators: [IPv6Address]
        /// Nil if the peer accepts no form that this host can send.
        let form: PayloadForms?
        let pair: LocatorPair
    }

    /// Brings the data path's entry up to date. Until the peer knows the context, so that it is a `destination`, its
    /// packets go with those of the default context.
    mutating func install(
        _ inbound: DataPathEntry.Inbound, _ destination: Destination?, _ turn: inout Turn
    ) {
        guard let slot else { return }
        var entry = DataPathEntry(
            localTag: tag, peerTag: destination?.peerTag, slot: slot, ulids: ulids, outgoing: ulids.locators,
            inbound: inbound, forkedInstance: key.forkedInstance)
        if let destination {
            entry.flows = flows
            entry.peerLocators = destination.peerLocators
            entry.form = destination.form
            if destination.form != nil { entry.outgoing = destination.pair }
        }
        install(entry, &turn)
    }

    private mutating func install(_ entry: DataPathEntry, _ turn: inout Turn) {
        guard entry != self.entry else { return }
        self.entry = entry
        turn.emit(.install(entry))
    }

    /// Outgoing payload moves. If the peer accepts no form of it that this host can send, it stays where it is.
    mutating func move(to pair: LocatorPair, _ reason: UseReason, _ turn: inout Turn) {
        counters.switches &+= 1
        lastSwitch = turn.now
        lastSwitchReason = reason
        guard var moved = entry, moved.form != nil else { return }
        moved.outgoing = pair
        install(moved, &turn)
    }

    /// Has one event come when nothing came in for some time.
    func watchIdle(for time: Duration, _ turn: inout Turn) {
        let (seconds, attoseconds) = time.components
        let whole = Int(clamping: attoseconds > 0 ? seconds + 1 : max(seconds, 1))
        turn.emit(.watchIdle(tag, ulids, seconds: whole))
    }

    /// Lets payload go on after what came in last, or before an exploration: what comes in while it is under way
    /// answers nothing, and what the peer had kept itself may come first.
    func resumeFlows(since before: Instant?, _ turn: inout Turn) {
        turn.emit(.resume(tag, unansweredSince: before ?? stamps(turn)?.lastIn))
    }

    mutating func uninstall(_ turn: inout Turn) {
        guard let entry else { return }
        self.entry = nil
        turn.emit(.remove(entry))
    }

    /// Gives the slot back: nothing more is to be stamped.
    mutating func releaseSlot() -> UInt32? {
        defer { slot = nil }
        return slot
    }
}

/// What a context has counted.
public struct ContextCounters: Sendable, Equatable {
    public internal(set) var messagesIn: UInt64 = 0
    public internal(set) var messagesOut: UInt64 = 0
    public internal(set) var switches: UInt64 = 0
    public internal(set) var explorations: UInt64 = 0
    public internal(set) var updatesSent: UInt64 = 0
    public internal(set) var updatesReceived: UInt64 = 0
}
