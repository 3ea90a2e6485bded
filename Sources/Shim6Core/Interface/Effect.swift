import REAP
import Shim6Wire

/// What the performer (the daemon or the simulator) does for the host, in order.
public enum Effect: Sendable {
    /// Send a control message. `octets` begin at the Shim6 header. The performer picks the interface that owns
    /// `source`.
    case send(octets: [UInt8], source: IPv6Address, destination: IPv6Address)
    /// Arm a timer, or move it if it is armed.
    case arm(Timer, at: Instant)
    case cancel(Timer)
    /// Make the data path's entry for a context, or bring the one with this tag up to date.
    case install(DataPathEntry)
    /// Remove the data path's entry for a context.
    case remove(DataPathEntry)
    /// Let the trigger count this pair from zero again: its context is gone or was refused.
    case forget(ULIDPair)
    /// Payload of a context can go on: send the last packet of each flow again, if it went out after what came in last.
    case resume(ContextTag, unansweredSince: Instant?)
    /// Watch a context for idleness: one `Event.idle` when nothing came in for `seconds`.
    case watchIdle(ContextTag, ULIDPair, seconds: Int)
    case unwatchIdle(ContextTag, ULIDPair)
    /// Say by `Event.use` whether sockets use the ULIDs of this idle context.
    case askUse(ContextTag, ULIDPair)
    /// Tell whoever listens.
    case publish(Notice)
}

/// What the data path knows of one context.
public struct DataPathEntry: Hashable, Sendable {
    /// What happens to payload that carries `localTag`.
    public enum Inbound: Hashable, Sendable {
        /// ULIDs put back, header removed, handed to the stack.
        case deliver
        /// The same, and reported (I2-SENT and I2BIS-SENT; RFC 5533, section 12.2).
        case deliverAndNotify
        case discard
    }
    /// CT(local), which payload to us carries.
    public var localTag: ContextTag
    /// CT(peer), which payload from us carries; nil until it is known: then nothing is rewritten on the way out.
    public var peerTag: ContextTag?
    /// Index of the context's activity stamps, below the configured number of contexts.
    public var slot: UInt32
    public var ulids: ULIDPair
    /// The locators of outgoing payload. Equal to the ULIDs while not rehomed.
    public var outgoing: LocatorPair
    public var inbound: Inbound
    /// How outgoing payload carries the ULIDs while rehomed. Nil if the peer accepts no form that this host can send:
    /// then `outgoing` is that of the ULIDs.
    public var form: PayloadForms?
    /// Zero for the default context, which has all outgoing packets of the ULID pair but those of forked contexts
    /// (RFC 5533, section 4.2).
    public var forkedInstance: UInt32
    /// The outgoing packets of the ULID pair that a forked context has. They come before the default context's, which
    /// has them while this is empty. Empty for the default context.
    public var flows: [Flow]
    /// The locators that the peer has proven: its control messages may come from any of them.
    public var peerLocators: [IPv6Address] = []

    /// Whether outgoing payload carries other addresses than the ULIDs, and with them what `form` says. A fork's
    /// payload carries it in any case.
    public var isRehomed: Bool { outgoing.source != ulids.local || outgoing.destination != ulids.peer }

    public init(
        localTag: ContextTag, peerTag: ContextTag?, slot: UInt32, ulids: ULIDPair, outgoing: LocatorPair,
        inbound: Inbound, form: PayloadForms? = .payloadHeader, forkedInstance: UInt32 = 0, flows: [Flow] = []
    ) {
        self.localTag = localTag
        self.peerTag = peerTag
        self.slot = slot
        self.ulids = ulids
        self.outgoing = outgoing
        self.inbound = inbound
        self.form = form
        self.forkedInstance = forkedInstance
        self.flows = flows
    }
}

/// Outgoing packets between two ULIDs that belong together, named by what their transport header says.
public struct Flow: Hashable, Sendable {
    /// Next Header value of the transport protocol.
    public var protocolNumber: UInt8
    /// This host's port; nil for any.
    public var sourcePort: UInt16?
    /// The peer's port; nil for any.
    public var destinationPort: UInt16?

    public init(protocolNumber: UInt8, sourcePort: UInt16? = nil, destinationPort: UInt16? = nil) {
        self.protocolNumber = protocolNumber
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }
}

/// The stamps of all contexts, handed to the host at its start. In the daemon they are the data path's memory.
public protocol ActivityTable {
    associatedtype Stamps: ActivityStamps
    /// The stamps in `slot`, which is below the configured number of contexts.
    subscript(slot: UInt32) -> Stamps { get }
    /// Sets a slot to "no traffic seen" before a context takes it.
    func clear(slot: UInt32)
}
