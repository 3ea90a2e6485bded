import DataPath
import Glibc
import KernelRows
import Logging
import Netlink
import REAP
import Shim6Core
import Shim6Wire

/// The kernel program, with the devices and routes that bring packets to it. On the wire: the payload extension header.
///
/// Interfaces are those of the calling thread's network namespace, which has to be that of `socket`.
public final class BPFDataPath: DataPath {
    public let traits = DataPathTraits(
        name: "bpf", acceptedForms: [.payloadHeader, .homeAddress], sentForms: [.payloadHeader, .homeAddress])
    public let program: KernelProgram
    let steering: Steering
    private let socket: RouteSocket
    private let log: Logger
    private var network = DataPathNetwork(uplinks: [], rulePriority: nil)
    /// The interfaces with the program on them.
    private var attached: Set<UInt32> = []
    /// The contexts whose packets are rehomed, as routers see them.
    private var rehomed: [TaggedQuote.Key: ContextTag] = [:]
    private var now = Instant(nanoseconds: 0)
    /// ICMPv6 errors that were translated, and those about packets with a payload header that this host has not sent.
    private(set) var errors = (translated: UInt64(0), foreign: UInt64(0))
    /// Packets that were kept and sent again.
    private(set) var resumed: UInt64 = 0
    /// What was sent again by contexts since their peers were last heard. A peer that moves later than this host has sent its
    /// answer the dead way, so it goes out once more.
    private(set) var sentAgain: [ContextTag: [KeptPacket]] = [:]
    static let mostSentAgain = 1024
    /// What others have changed, and was put back.
    private(set) var restorations = Restorations()
    /// What nobody has told of is found this much later.
    private static let reviewInterval = Duration.seconds(10)
    private static let retryInterval = Duration.milliseconds(200)
    private var nextReview = Instant(nanoseconds: 0)
    /// Packets that it sends into shim0 are treated like those of the stack.
    private let repeater: PacketSocket

    /// - Parameters:
    ///   - socket: makes the devices.
    ///   - rows: where routes, rules and pinned addresses are kept.
    public init(_ program: KernelProgram, socket: RouteSocket, rows: OwnRows, log: Logger) throws {
        repeater = try PacketSocket()
        self.program = program
        self.socket = socket
        self.log = log
        steering = Steering(socket: socket, rows: rows, program: program, log: log)
    }

    public var activity: any ActivityTable { program.activity }
    public var needs: DataPathNeeds {
        DataPathNeeds(waitingDevice: steering.device, pinnedULIDs: Set(steering.pinnedULIDs))
    }

    public func start(at now: Instant) throws {
        try steering.start()
        program.beat(at: now)
    }

    public func stop() {
        for interface in attached { attempt { try KernelProgram.detach(interface: interface) } }
        attached = []
        steering.stop()
        attempt { try SteeringDevices.remove(socket) }
    }

    /// Removes the devices and programs that any run has left. Its routes and rules have `Mark.protocolNumber`.
    public static func flush(_ socket: RouteSocket) throws {
        for link in try socket.links() where !link.isLoopback { try KernelProgram.detach(interface: link.index) }
        try SteeringDevices.remove(socket)
    }

    public func beat(at now: Instant) {
        program.beat(at: now)
        self.now = now
        renew(steering.pathMTUs.expire(at: now))
        if now >= nextReview { review(nil, at: now) }
    }

    public func haveReadAll() { program.haveReadAll() }

    /// What the kernel refuses says nothing of the rest.
    private func attempt(_ change: () throws -> Void) {
        do { try change() } catch { log.error("\(error)") }
    }

    // MARK: What it has made

    public func review(_ interfaces: Set<UInt32>?, at now: Instant) {
        if interfaces == nil { nextReview = now + Self.reviewInterval }
        func isMeant(_ index: UInt32) -> Bool { interfaces?.contains(index) ?? true }
        if isMeant(steering.device) || isMeant(steering.peerDevice) {
            keep(Mark.steeringDevice, at: now, if: steering.isWhole, restore: steering.restore)
        }
        for uplink in network.uplinks where attached.contains(uplink.interface) && isMeant(uplink.interface) {
            keep(
                Self.part(uplink), at: now, if: { try program.isAttached(uplink: uplink.interface) },
                restore: { try program.attach(uplink: uplink.interface) })
        }
    }

    private static func part(_ uplink: DataPathNetwork.Uplink) -> String { "the programs on \(uplink.name)" }

    /// Puts a part back if it is not whole, unless somebody undoes that again and again.
    private func keep(_ part: String, at now: Instant, if isWhole: () throws -> Bool, restore: () throws -> Void) {
        let isNews = !restorations.isBroken(part)
        do {
            guard try !isWhole() else { return restorations.found(part) }
            switch restorations.decide(on: part, at: now) {
            case .restore: break
            case .giveUp:
                return log.error("somebody changes or removes \(part) again and again: left alone for some minutes")
            case .leave: return
            }
            try restore()
            restorations.restored(part)
            log.warning("somebody has changed or removed \(part): put back")
        } catch {
            // A device that is on its way out refuses for a moment.
            nextReview = min(nextReview, now + Self.retryInterval)
            if (error as? KernelProgramError)?.code != ENODEV { log.log(level: isNews ? .error : .debug, "\(error)") }
        }
    }

    // MARK: The network

    public func follow(_ network: DataPathNetwork) throws {
        self.network = network
        attach()
        restorations.forget(allBut: network.uplinks.map(Self.part) + [Mark.steeringDevice])
        tellLocators()
        if let mtu = network.uplinks.map(\.mtu).max() { steering.setMTU(atLeast: mtu) }
        steering.place(at: network.rulePriority)
        try program.refreshNextHops()
        steering.follow(network)
    }

    private func attach() {
        attached.subtract(network.removed)
        attached.formIntersection(network.uplinks.map(\.interface))
        for uplink in network.uplinks where !attached.contains(uplink.interface) {
            do {
                try program.attach(uplink: uplink.interface)
                attached.insert(uplink.interface)
            } catch {
                log.error("\(error)", metadata: ["interface": "\(uplink.name)"])
            }
        }
    }

    private func tellLocators() {
        let places = network.places(pinned: steering.pinnedULIDs)
        for (address, place) in places { attempt { try program.set(locator: address, uplink: place) } }
        for address in program.locators where places[address] == nil {
            attempt { try program.remove(locator: address) }
        }
    }

    /// Whether the program is on every uplink.
    var isEverywhere: Bool { network.uplinks.allSatisfy { attached.contains($0.interface) } }

    // MARK: Contexts

    public func install(_ entry: DataPathEntry) throws {
        forget(entry.localTag)
        if let key = TaggedQuote.Key(entry) { rehomed[key] = entry.localTag }
        try steering.install(entry, by: network.uplink(of: entry.outgoing.source))
    }

    public func remove(_ entry: DataPathEntry) throws {
        forget(entry.localTag)
        sentAgain[entry.localTag] = nil
        try steering.remove(entry)
    }

    private func forget(_ tag: ContextTag) {
        guard let key = steering.entry(of: tag).flatMap(TaggedQuote.Key.init), rehomed[key] == tag else { return }
        rehomed[key] = nil
    }

    public func outgoing(of tag: ContextTag) -> LocatorPair? { steering.entry(of: tag)?.outgoing }

    public func resume(_ tag: ContextTag, unansweredSince start: Instant?) {
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

    public func forget(_ ulids: ULIDPair) { try? program.forget(ulids) }
    public func settle() { steering.settle() }

    /// Sends a packet as the stack would.
    private func sendAgain(_ packet: [UInt8]) {
        do {
            try repeater.send(packet, interface: steering.device)
        } catch {
            log.debug("\(error)")
        }
    }

    // MARK: Events

    public var eventDescriptor: Int32 { program.eventDescriptor }

    public func takeEvents(at now: Instant) throws -> [DataPathEvent] { try program.takeEvents().flatMap(events) }

    private func events(of event: KernelProgramEvent) -> [DataPathEvent] {
        switch event {
        case .trigger(let ulids): [.trigger(ulids)]
        case .activity(let tag, let direction, _): [.activity(tag, direction)]
        case .payload(let tag): [.activity(tag, .incoming)]
        case .retransmission(let tag): [.retransmission(tag)]
        case .unknownTag(let tag, let pair): [.unknownTag(tag, pair)]
        case .tooBig(let ulids, let mtu, let quote):
            [.tell(LocalMessage(error: .packetTooBig(mtu: mtu, quoting: quote), ulid: ulids.local))]
        case .unreachable(let ulids, let quote):
            [.tell(LocalMessage(error: .unreachable(quoting: quote), ulid: ulids.local))]
        case .toFragment(let tag, let packet): fragments(of: packet, tag)
        }
    }

    /// A packet of a context that did not fit, in fragments.
    private func fragments(of packet: [UInt8], _ tag: ContextTag) -> [DataPathEvent] {
        guard let entry = steering.entry(of: tag), entry.carriesHeader, let peerTag = entry.peerTag else { return [] }
        let identification = UInt32.random(in: 0 ... .max)
        guard entry.form == .homeAddress else {
            return Fragments.of(packet, tag: peerTag, identification: identification)
                .map { .send($0, entry.outgoing) }
        }
        // The program gives these their headers.
        Fragments.plain(packet, room: HomeAddressHeaders.length, identification: identification).forEach(sendAgain)
        return []
    }

    // MARK: Errors of the path

    public func hear(_ error: ICMPv6Error) -> HeardError {
        if let quote = TaggedQuote(error.quote) {
            let tag = rehomed[quote.key]
            let entry = tag.flatMap(steering.entry(of:))
            return HeardError(
                messages: messages(about: error, of: entry) { quote.message(for: $0, error) },
                hinted: error.isPathGone ? tag : nil)
        }
        if let quote = RehomedQuote(error.quote) {
            let entry = quote.possibleULIDs.lazy.compactMap(self.steering.entryByHomeAddress).first
            let isOurs = entry?.outgoing.source == quote.source
            return HeardError(
                messages: messages(about: error, of: isOurs ? entry : nil) { quote.message(for: $0, error) })
        }
        return HeardError()
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

    /// Tells the program what is known of these paths now.
    private func renew(_ paths: [LocatorPair]) {
        guard !paths.isEmpty else { return }
        let concerned = rehomed.filter {
            paths.contains(LocatorPair(source: $0.key.source, destination: $0.key.destination))
        }
        attempt { try steering.write(concerned.values) }
    }
}
