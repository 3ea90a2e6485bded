import Datapath
import Logging
import Netlink
import REAP
import Shim6Core
import Shim6Wire

/// The kernel program, with the devices and routes that bring packets to it. On the wire: the payload extension header.
final class BPFDataPath: DataPath {
    private let datapath: Datapath
    private let steering: Steering
    private let uplinkNames: [String]
    private let socket: RouteSocket
    private let log: Logger

    init(_ datapath: Datapath, uplinks: [String], socket: RouteSocket, rows: OwnRows, log: Logger) {
        self.datapath = datapath
        self.socket = socket
        self.log = log
        uplinkNames = uplinks
        steering = Steering(socket: socket, rows: rows, datapath: datapath, log: log)
    }

    let name = "bpf"
    var detail: String? { nil }
    let forms: (accepted: PayloadForms, sent: [PayloadForms]) = (
        [.payloadHeader, .homeAddress], [.payloadHeader, .homeAddress]
    )
    var activity: SharedActivity { datapath.activity }
    var waitingDevice: UInt32? { steering.device }
    var pinnedULIDs: [IPv6Address] { Array(steering.pinnedULIDs) }

    func start() throws {
        try steering.start()
        for uplink in uplinkNames { steering.letPass(uplink: uplink) }
        datapath.beat(at: .monotonicNow)
    }

    func stop() {
        do {
            try Steering.removeDevices(socket)
        } catch {
            log.error("\(error)")
        }
    }

    func beat(at now: Instant) { datapath.beat(at: now) }

    func attach(_ link: Link) throws { try datapath.attach(uplink: link.index) }
    func detach(interface: UInt32) throws { try Datapath.detach(interface: interface) }
    func set(locator: IPv6Address, uplink: UInt32?) throws { try datapath.set(locator: locator, uplink: uplink) }
    func remove(locator: IPv6Address) throws { try datapath.remove(locator: locator) }

    func refresh(_ uplinks: Uplinks) throws {
        let mtu = uplinks.uplinks.compactMap { $0.link?.mtu }.max()
        if let mtu { steering.setMTU(atLeast: mtu) }
        steering.refresh { uplinks.uplink(of: $0)?.link?.mtu }
        try datapath.refreshNextHops()
    }

    func install(_ entry: DataPathEntry, mtu: UInt32?) throws { try steering.install(entry, mtu: mtu) }
    func remove(_ entry: DataPathEntry) throws { try steering.remove(entry) }
    func outgoing(of tag: ContextTag) -> LocatorPair? { steering.outgoing(of: tag) }
    func forget(_ ulids: ULIDPair) { try? datapath.forget(ulids) }
    func settle() { steering.settle() }

    var eventDescriptor: Int32 { datapath.eventDescriptor }
    func takeEvents(at now: Instant) throws -> [DatapathEvent] { try datapath.takeEvents() }

    func counters() -> (done: [String: UInt64], dropped: [String: UInt64]) {
        let all = (try? datapath.counters()) ?? [:]
        func named(_ counters: [DatapathCounter: UInt64]) -> [String: UInt64] {
            Dictionary(counters.map { (snakeCase("\($0.key)"), $0.value) }, uniquingKeysWith: +)
        }
        return (named(all.filter { !$0.key.isDrop }), named(all.filter { $0.key.isDrop }))
    }
}
