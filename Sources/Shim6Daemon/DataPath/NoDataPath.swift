import BPFDataPath
import Netlink
import REAP
import Shim6Core
import Shim6Wire

/// Control only: contexts are made and paths are watched by Shim6's own messages, but payload is never rehomed.
final class NoDataPath: DataPath {
    let name = "none"
    let detail: String?
    let forms: (accepted: PayloadForms, sent: [PayloadForms]) = ([], [])
    let activity: SharedActivity

    init(contexts: UInt32, why: String) {
        activity = SharedActivity.made(count: contexts)
        detail = why
    }

    var waitingDevice: UInt32? { nil }
    var pinnedULIDs: [IPv6Address] { [] }
    func start() throws {}
    func stop() {}
    func beat(at now: Instant) {}
    func attach(_ link: Link) throws {}
    func detach(interface: UInt32) throws {}
    func set(locator: IPv6Address, uplink: UInt32?) throws {}
    func remove(locator: IPv6Address) throws {}
    func refresh(_ uplinks: Uplinks) throws {}
    func install(_ entry: DataPathEntry, by uplink: Uplink?) throws {}
    func remove(_ entry: DataPathEntry) throws {}
    func outgoing(of tag: ContextTag) -> LocatorPair? { nil }
    func forget(_ ulids: ULIDPair) {}
    func settle() {}
    var eventDescriptor: Int32 { -1 }
    func takeEvents(at now: Instant) throws -> [DataPathEvent] { [] }
    func counters() -> (done: [String: UInt64], dropped: [String: UInt64]) { ([:], [:]) }
}
