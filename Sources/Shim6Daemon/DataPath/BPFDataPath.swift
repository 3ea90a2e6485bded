import BPFDataPath
import Logging
import Netlink
import REAP
import Shim6Control
import Shim6Core
import Shim6Wire

/// The kernel program, with the devices and routes that bring packets to it. On the wire: the payload extension header.
final class BPFDataPath: DataPath {
    private let program: KernelProgram
    private let steering: Steering
    private let socket: RouteSocket
    private let log: Logger
    /// The contexts whose packets are rehomed, as routers see them.
    private var rehomed: [TaggedQuote.Key: ContextTag] = [:]
    private var now = Instant(nanoseconds: 0)
    /// ICMPv6 errors that were translated, and those about packets with a payload header that this host has not sent.
    private var errors = (translated: UInt64(0), foreign: UInt64(0))
    /// Packets that were kept and sent again.
    private var resumed: UInt64 = 0
    /// What was sent again by contexts since their peers were last heard. A peer that moves later than this host has sent its
    /// answer the dead way, so it goes out once more.
    private var sentAgain: [ContextTag: [KeptPacket]] = [:]
    private static let mostSentAgain = 1024
    /// Packets that it sends into shim0 are treated like those of the stack.
    private let repeater: PacketSocket

    init(_ program: KernelProgram, socket: RouteSocket, rows: OwnRows, log: Logger) throws {
        repeater = try PacketSocket()
        self.program = program
        self.socket = socket
        self.log = log
        steering = Steering(socket: socket, rows: rows, program: program, log: log)
    }

    let name = "bpf"
    var detail: String? { nil }
    let forms: (accepted: PayloadForms, sent: [PayloadForms]) = (
        [.payloadHeader, .homeAddress], [.payloadHeader, .homeAddress]
    )
    var activity: SharedActivity { program.activity }
    var waitingDevice: UInt32? { steering.device }
    var pinnedULIDs: [IPv6Address] { Array(steering.pinnedULIDs) }

    func start() throws {
        try steering.start()
        steering.place(at: Mark.passingPriority)
        program.beat(at: .monotonicNow)
    }

    func stop() {
        do {
            try Steering.removeDevices(socket)
        } catch {
            log.error("\(error)")
        }
    }

    func beat(at now: Instant) {
        program.beat(at: now)
        self.now = now
        renew(steering.pathMTUs.expire(at: now))
    }

    func haveReadAll() { program.haveReadAll() }

    func attach(_ link: Link) throws { try program.attach(uplink: link.index) }
    func detach(interface: UInt32) throws { try KernelProgram.detach(interface: interface) }
    func set(locator: IPv6Address, uplink: UInt32?) throws { try program.set(locator: locator, uplink: uplink) }
    func remove(locator: IPv6Address) throws { try program.remove(locator: locator) }

    func refresh(_ uplinks: Uplinks) throws {
        let mtu = uplinks.uplinks.compactMap { $0.link?.mtu }.max()
        if let mtu { steering.setMTU(atLeast: mtu) }
        steering.place(at: uplinks.steeringPriority)
        try program.refreshNextHops()
        steering.refresh(uplinks.uplink(of:))
    }

    func install(_ entry: DataPathEntry, by uplink: Uplink?) throws {
        forget(entry.localTag)
        if let key = TaggedQuote.Key(entry) { rehomed[key] = entry.localTag }
        try steering.install(entry, by: uplink)
    }

    func remove(_ entry: DataPathEntry) throws {
        forget(entry.localTag)
        sentAgain[entry.localTag] = nil
        try steering.remove(entry)
    }

    private func forget(_ tag: ContextTag) {
        guard let key = steering.entry(of: tag).flatMap(TaggedQuote.Key.init), rehomed[key] == tag else { return }
        rehomed[key] = nil
    }

    func outgoing(of tag: ContextTag) -> LocatorPair? { steering.entry(of: tag)?.outgoing }

    func resume(_ tag: ContextTag, unansweredSince start: Instant?) {
        guard let entry = steering.entry(of: tag) else { return }
        let start = start ?? Instant(nanoseconds: 0)
        func unanswered(_ packets: [KeptPacket]) -> [KeptPacket] {
            packets.filter { $0.time > start && $0.isOf(entry.ulids) }
        }
        let old = unanswered(sentAgain.removeValue(forKey: tag) ?? [])
        let new = unanswered(program.takeKept(tag))
        for packet in new + old { sendAgain(packet.octets) }
        resumed += UInt64(new.count + old.count)
        guard old.isEmpty, !new.isEmpty else { return }
        if sentAgain.count >= Self.mostSentAgain { sentAgain.removeAll() }
        sentAgain[tag] = new
    }

    func forget(_ ulids: ULIDPair) { try? program.forget(ulids) }
    func settle() { steering.settle() }

    // MARK: Errors of the path

    func local(_ error: ICMPv6Error) -> [LocalMessage] {
        if let quote = TaggedQuote(error.quote) {
            let entry = rehomed[quote.key].flatMap(steering.entry(of:))
            return messages(about: error, of: entry) { quote.message(for: $0, error) }
        }
        if let quote = RehomedQuote(error.quote) {
            let entry = quote.possibleULIDs.lazy.compactMap(self.steering.entryByHomeAddress).first
            let isOurs = entry?.outgoing.source == quote.source
            return messages(about: error, of: isOurs ? entry : nil) { quote.message(for: $0, error) }
        }
        return []
    }

    private func messages(
        about error: ICMPv6Error, of entry: DataPathEntry?, _ translate: (ULIDPair) -> LocalMessage?
    ) -> [LocalMessage] {
        guard let entry else {
            errors.foreign += 1
            return []
        }
        if error.type == .packetTooBig, steering.pathMTUs.learn(error.word, of: entry.outgoing, at: now) {
            renew([entry.outgoing])
        }
        guard let message = translate(entry.ulids) else { return [] }
        errors.translated += 1
        return [message]
    }

    func hinted(by error: ICMPv6Error) -> ContextTag? {
        error.isPathGone ? TaggedQuote(error.quote).flatMap { rehomed[$0.key] } : nil
    }

    /// Tells the program what is known of these paths now.
    private func renew(_ paths: [LocatorPair]) {
        guard !paths.isEmpty else { return }
        let concerned = rehomed.filter {
            paths.contains(LocatorPair(source: $0.key.source, destination: $0.key.destination))
        }
        do {
            try steering.write(concerned.values)
        } catch {
            log.error("\(error)")
        }
    }

    func fragments(of packet: [UInt8], _ tag: ContextTag) -> (parts: [[UInt8]], path: LocatorPair)? {
        guard let entry = steering.entry(of: tag), entry.carriesHeader, let peerTag = entry.peerTag else { return nil }
        let identification = UInt32.random(in: 0 ... .max)
        guard entry.form == .homeAddress else {
            return (Fragments.of(packet, tag: peerTag, identification: identification), entry.outgoing)
        }
        // The program gives these their headers.
        let parts = Fragments.plain(packet, room: HomeAddressHeaders.length, identification: identification)
        parts.forEach(sendAgain)
        return nil
    }

    /// Sends a packet as the stack would.
    private func sendAgain(_ packet: [UInt8]) {
        do {
            try repeater.send(packet, interface: steering.device)
        } catch {
            log.debug("\(error)")
        }
    }

    // MARK: Events and counters

    var eventDescriptor: Int32 { program.eventDescriptor }
    func takeEvents(at now: Instant) throws -> [DataPathEvent] { try program.takeEvents() }

    var tables: [TableUsage] {
        let (sizes, refused) = (program.sizes, program.refused)
        let (contexts, flows) = steering.installed
        let lost = try? program.counters()[.lostReports]
        /// A table that the program fills by itself, of which nobody knows how full it is.
        func leastRecentlyUsed(_ name: String, _ limit: Int) -> TableUsage {
            TableUsage(
                name: name, used: nil, limit: limit, overflows: nil, whenFull: "the one unused for longest goes")
        }
        return [
            TableUsage(
                name: "data-path-contexts", used: contexts, limit: Int(sizes.contexts), overflows: refused.contexts,
                whenFull: "no new ones until some are idle"),
            TableUsage(
                name: "data-path-flows", used: flows, limit: KernelProgram.mostFlows, overflows: refused.flows,
                whenFull: "flows stay with the default context"),
            TableUsage(
                name: "data-path-locators", used: program.locators.count, limit: Int(sizes.locators),
                overflows: refused.locators, whenFull: "no new ones until some are gone"),
            TableUsage(
                name: "data-path-peer-locators", used: program.peerLocatorCount, limit: Int(sizes.peerLocators),
                overflows: refused.peerLocators, whenFull: "treated like those of strangers"),
            TableUsage(
                name: "path-mtus", used: steering.pathMTUs.count, limit: PathMTUs.most,
                overflows: steering.pathMTUs.refused, whenFull: "no new ones for ten minutes"),
            TableUsage(
                name: "sent-again", used: sentAgain.count, limit: Self.mostSentAgain, overflows: nil,
                whenFull: "all are forgotten"),
            leastRecentlyUsed("next-hops", KernelProgram.mostNextHops),
            leastRecentlyUsed("watched-sessions", Int(sizes.candidates)),
            leastRecentlyUsed("rate-limits", Int(sizes.limiters)),
            leastRecentlyUsed("kept-packets", Int(program.sizes.keptPackets)),
            TableUsage(
                name: "event-octets", used: nil, limit: Int(sizes.ring), overflows: lost,
                whenFull: "reports are lost"),
            TableUsage(
                name: "unread-messages", used: nil, limit: KernelProgram.mostUnread, overflows: nil,
                whenFull: "dropped until the others are read"),
        ]
    }

    func counters() -> (done: [String: UInt64], dropped: [String: UInt64]) {
        let all = (try? program.counters()) ?? [:]
        func named(_ counters: [KernelProgramCounter: UInt64]) -> [String: UInt64] {
            Dictionary(counters.map { (snakeCase("\($0.key)"), $0.value) }, uniquingKeysWith: +)
        }
        var done = named(all.filter { !$0.key.isDrop })
        done["translated_errors"] = errors.translated
        done["foreign_errors"] = errors.foreign
        done["resumed"] = resumed
        return (done, named(all.filter { $0.key.isDrop }))
    }
}
