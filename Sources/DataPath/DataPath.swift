import REAP
import Shim6Core
import Shim6Wire

/// What carries the payload of contexts between their locators.
///
/// One is chosen when the daemon starts. Its owner calls it from one thread at a time. What it makes in the kernel it takes
/// down itself; what a run that crashed has left is found by its marks.
public protocol DataPath: AnyObject {
    /// What it is and can do, the same for as long as it lives.
    var traits: DataPathTraits { get }
    /// The stamps of all contexts, to be used while the data path lives.
    var activity: any ActivityTable { get }
    /// What it asks of the routes around it.
    var needs: DataPathNeeds { get }

    /// Makes what it needs before the first context. When it throws, what was made by then goes with `stop`.
    func start(at now: Instant) throws
    /// Removes everything.
    func stop()
    /// Tells that the daemon lives: at least once a second.
    func beat(at now: Instant)
    /// All control messages that had come in are read.
    func haveReadAll()

    /// Somebody has changed these interfaces or what is attached to them, or, if nil, may have changed any: what it has made
    /// there is to be looked at.
    func review(_ interfaces: Set<UInt32>?, at now: Instant)
    /// The network may have changed, and now is like this.
    func follow(_ network: DataPathNetwork) throws

    // MARK: Contexts

    /// Makes the entry of a context or brings it up to date.
    func install(_ entry: DataPathEntry) throws
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

    /// Becomes readable when there are events; negative if it never does.
    var eventDescriptor: Int32 { get }
    func takeEvents(at now: Instant) throws -> [DataPathEvent]
    /// An ICMPv6 error has come in; it may be about a packet of the data path.
    func hear(_ error: ICMPv6Error) -> HeardError
    /// What it has done, and how full its tables are.
    var report: DataPathReport { get }
}

// What a data path that has nothing of its own in the kernel leaves out.
extension DataPath {
    public var needs: DataPathNeeds { DataPathNeeds() }
    public func beat(at now: Instant) {}
    public func haveReadAll() {}
    public func review(_ interfaces: Set<UInt32>?, at now: Instant) {}
    public func resume(_ tag: ContextTag, unansweredSince start: Instant?) {}
    public func settle() {}
    public func hear(_ error: ICMPv6Error) -> HeardError { HeardError() }
}

/// What a data path is and can do.
public struct DataPathTraits: Sendable {
    /// Its name in the configuration and in reports.
    public var name: String
    /// Why payload cannot be rehomed, for people; nil if it can.
    public var obstacle: String?
    /// The forms of rehomed payload that it accepts.
    public var acceptedForms: PayloadForms
    /// Those that it sends, best first.
    public var sentForms: [PayloadForms]
    /// The shortest Send Timeout that what it sees of traffic is good for.
    public var leastSendTimeout: Duration
    /// Request id of the XFRM states whose packets the idle policies of contexts let in; 0 if there are none.
    public var rehomingRequest: UInt32

    public init(
        name: String, obstacle: String? = nil, acceptedForms: PayloadForms, sentForms: [PayloadForms],
        leastSendTimeout: Duration = REAPConfiguration.sendTimeouts.lowerBound, rehomingRequest: UInt32 = 0
    ) {
        self.name = name
        self.obstacle = obstacle
        self.acceptedForms = acceptedForms
        self.sentForms = sentForms
        self.leastSendTimeout = leastSendTimeout
        self.rehomingRequest = rehomingRequest
    }
}

/// What a data path asks of the routes around it.
public struct DataPathNeeds: Hashable, Sendable {
    /// The device on which packets wait for the data path while their ULID has no uplink, if there is one.
    public var waitingDevice: UInt32?
    /// The local ULIDs of contexts, which it keeps on the host whatever becomes of their interfaces.
    public var pinnedULIDs: Set<IPv6Address>

    public init(waitingDevice: UInt32? = nil, pinnedULIDs: Set<IPv6Address> = []) {
        self.waitingDevice = waitingDevice
        self.pinnedULIDs = pinnedULIDs
    }
}
