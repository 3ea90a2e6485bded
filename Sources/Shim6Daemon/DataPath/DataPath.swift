import BPFDataPath
import Netlink
import REAP
import Shim6Control
import Shim6Core
import Shim6Wire

/// What carries the payload of contexts between their locators. One is chosen when the daemon starts.
protocol DataPath: AnyObject {
    /// Its name in the configuration and in reports.
    var name: String { get }
    /// Why payload cannot be rehomed, for people; nil if it can.
    var detail: String? { get }
    /// The forms of rehomed payload that it accepts, and those that it sends, best first.
    var forms: (accepted: PayloadForms, sent: [PayloadForms]) { get }
    /// The shortest Send Timeout that what it sees of traffic is good for.
    var leastSendTimeout: Duration { get }
    /// The stamps of all contexts, kept by the data path.
    var activity: SharedActivity { get }
    /// Request id of the XFRM states whose packets the idle policies of contexts let in; 0 if there are none.
    var rehomingRequest: UInt32 { get }
    /// The device on which packets wait for the data path while their ULID has no uplink, if there is one.
    var waitingDevice: UInt32? { get }
    /// The local ULIDs of contexts, which it keeps on the host whatever becomes of their interfaces.
    var pinnedULIDs: [IPv6Address] { get }

    /// Makes what it needs before the first context. What was made by then goes with `stop`.
    func start() throws
    /// Removes everything.
    func stop()
    /// Tells that the daemon lives: at least once a second.
    func beat(at now: Instant)
    /// All control messages that had come in are read.
    func haveReadAll()

    // MARK: The network

    /// An uplink is there. A second time does no harm.
    func attach(_ link: Link) throws
    func detach(interface: UInt32) throws
    /// An address of this host is on this uplink, or on none at the moment.
    func set(locator: IPv6Address, uplink: UInt32?) throws
    func remove(locator: IPv6Address) throws
    /// Something about the uplinks may have changed.
    func refresh(_ uplinks: Uplinks) throws

    // MARK: Contexts

    /// `uplink` is the one that has the source locator, if there is one now.
    func install(_ entry: DataPathEntry, by uplink: Uplink?) throws
    func remove(_ entry: DataPathEntry) throws
    /// The locators of a context's outgoing payload.
    func outgoing(of tag: ContextTag) -> LocatorPair?
    /// Sends the last packet of each flow of a context again, if it went out after `start`.
    func resume(_ tag: ContextTag, unansweredSince start: Instant?)
    /// Lets the trigger begin anew with this pair.
    func forget(_ ulids: ULIDPair)
    /// To be called after contexts have been installed: makes every socket look for its route again where that is needed.
    func settle()

    // MARK: Events and counters

    /// What this host is to be told of an error that came in about a packet of the data path.
    func local(_ error: ICMPv6Error) -> [LocalMessage]

    /// The rehomed context whose path this error says to be gone.
    func hinted(by error: ICMPv6Error) -> ContextTag?

    /// A packet of a context that did not fit, as control messages are sent: without the IPv6 header, in fragments, and
    /// between which locators.
    func fragments(of packet: [UInt8], _ tag: ContextTag) -> (parts: [[UInt8]], path: LocatorPair)?

    /// Becomes readable when there are events; negative if it never does.
    var eventDescriptor: Int32 { get }
    func takeEvents(at now: Instant) throws -> [DataPathEvent]
    /// How full its own tables are.
    var tables: [TableUsage] { get }
    /// What it has done, and what it has dropped by reason.
    func counters() -> (done: [String: UInt64], dropped: [String: UInt64])
}

extension DataPath {
    var leastSendTimeout: Duration { .milliseconds(20) }
    var rehomingRequest: UInt32 { 0 }
    var tables: [TableUsage] { [] }
    func haveReadAll() {}
    func resume(_ tag: ContextTag, unansweredSince start: Instant?) {}
    func hinted(by error: ICMPv6Error) -> ContextTag? { nil }
    func local(_ error: ICMPv6Error) -> [LocalMessage] { [] }
    func fragments(of packet: [UInt8], _ tag: ContextTag) -> (parts: [[UInt8]], path: LocatorPair)? { nil }
}
