import REAP
import Shim6Core
import Shim6Wire

/// Two hosts on a network in virtual time. A test decides the fate of each packet.
final class Pair {
    enum Fate {
        case deliver
        case drop
        case delay(Duration)
        case duplicate
    }

    enum Side {
        case a, b
    }

    /// A control message on the network.
    struct Sent {
        var at: Instant
        var by: Side
        var packet: Node.Packet

        var type: MessageType? { packet.type }
    }

    private struct Arrival {
        var at: Instant
        var order: Int
        var to: Side
        var content: Content

        enum Content {
            case control(Node.Packet)
            /// Payload with the sender's CT(peer), or without a tag between the ULIDs.
            case payload(ContextTag?, LocatorPair)
        }
    }

    let a: Node
    let b: Node
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    let latency = Duration.milliseconds(10)
    private(set) var log: [Sent] = []
    private var arrivals: [Arrival] = []
    private var order = 0
    /// What happens to a control message.
    var fate: (Sent) -> Fate = { _ in .deliver }
    /// Whether packets get through from a source to a destination.
    var isCut: (LocatorPair) -> Bool = { _ in false }
    /// Payload that reached the other host: when, and the ULIDs that its stack saw.
    private(set) var delivered: [(at: Instant, to: Side, source: IPv6Address, destination: IPv6Address)] = []

    init(
        a: [IPv6Address] = [.a1, .a2], b: [IPv6Address] = [.b1, .b2],
        configuration: HostConfiguration = HostConfiguration(),
        configurationB: HostConfiguration? = nil,
        identityA: (any LocalIdentity)? = nil, identityB: (any LocalIdentity)? = nil, seed: UInt64 = 1
    ) {
        self.a = Node("A", a, configuration: configuration, identity: identityA, seed: seed &* 2)
        self.b = Node(
            "B", b, configuration: configurationB ?? configuration, identity: identityB,
            seed: seed &* 2 &+ 1)
        self.a.announce(a, at: now)
        self.b.announce(b, at: now)
    }

    func node(_ side: Side) -> Node { side == .a ? a : b }

    /// Reports an event to one side and puts what it sends on the network.
    func post(_ event: Event, to side: Side) {
        for packet in node(side).handle(event, at: now) { put(packet, by: side) }
    }

    func announce(_ locators: [IPv6Address], by side: Side) {
        for packet in node(side).announce(locators, at: now) { put(packet, by: side) }
    }

    /// Lets A begin, for the pair A1, B1 unless another is named.
    func trigger(_ side: Side = .a, _ ulids: ULIDPair? = nil) {
        post(
            .trigger(
                ulids ?? (side == .a ? ULIDPair(local: .a1, peer: .b1) : ULIDPair(local: .b1, peer: .a1))),
            to: side)
    }

    /// A pair of hosts with one established context.
    func establish() {
        trigger()
        run(for: .seconds(1))
    }

    private func put(_ packet: Node.Packet, by side: Side) {
        let sent = Sent(at: now, by: side, packet: packet)
        log.append(sent)
        guard !isCut(packet.pair) else { return }
        let other: Side = side == .a ? .b : .a
        switch fate(sent) {
        case .deliver: arrive(.control(packet), at: other, after: latency)
        case .drop: break
        case .delay(let delay): arrive(.control(packet), at: other, after: latency + delay)
        case .duplicate:
            arrive(.control(packet), at: other, after: latency)
            arrive(.control(packet), at: other, after: latency + .milliseconds(3))
        }
    }

    private func arrive(_ content: Arrival.Content, at side: Side, after wait: Duration) {
        order += 1
        arrivals.append(Arrival(at: now + wait, order: order, to: side, content: content))
    }

    /// One payload packet from `side`, as its data path treats it.
    func payload(from side: Side, _ ulids: ULIDPair? = nil, flow: Flow? = nil) {
        let ulids =
            ulids ?? (side == .a ? ULIDPair(local: .a1, peer: .b1) : ULIDPair(local: .b1, peer: .a1))
        let sender = node(side)
        var pair = LocatorPair(source: ulids.local, destination: ulids.peer)
        var tag: ContextTag?
        let entries = sender.entries.values.filter { $0.ulids == ulids }
        let forked = flow.flatMap { flow in entries.first { $0.flows.contains(flow) } }
        if let entry = forked ?? entries.first(where: { $0.forkedInstance == 0 }) {
            pair = entry.outgoing
            if entry.isRehomed { tag = entry.peerTag }
            if sender.activity[entry.slot].stamp(.outgoing, at: now) {
                post(.activity(entry.localTag, .outgoing), to: side)
            }
        }
        guard !isCut(pair) else { return }
        arrive(.payload(tag, pair), at: side == .a ? .b : .a, after: latency)
    }

    /// What the data path of one side does with a payload packet from the network.
    func receivePayload(_ tag: ContextTag?, _ pair: LocatorPair, _ side: Side) {
        let receiver = node(side)
        let entry =
            if let tag {
                receiver.entries[tag]
            } else {
                receiver.entries.values.first {
                    $0.forkedInstance == 0 && $0.ulids == ULIDPair(local: pair.destination, peer: pair.source)
                }
            }
        guard let entry else {
            if let tag {
                post(.unknownTag(tag, source: pair.source, destination: pair.destination), to: side)
            } else {
                delivered.append((now, side, pair.source, pair.destination))
            }
            return
        }
        if tag != nil && entry.inbound == .discard { return }
        delivered.append((now, side, entry.ulids.peer, entry.ulids.local))
        let isAsked = receiver.activity[entry.slot].stamp(.incoming, at: now)
        if isAsked || (tag != nil && entry.inbound == .deliverAndNotify) {
            post(.activity(entry.localTag, .incoming), to: side)
        }
    }

    /// Lets time pass; `each` is called every `interval` on the way.
    func run(for time: Duration, every interval: Duration? = nil, _ each: () -> Void = {}) {
        let end = now + time
        var nextCall = interval.map { now + $0 }
        while true {
            let events = [arrivals.map(\.at).min(), a.nextDeadline, b.nextDeadline, nextCall].compactMap {
                $0
            }
            guard let next = events.min(), next <= end else { break }
            now = max(now, next)
            if let call = nextCall, call <= now, let interval {
                nextCall = call + interval
                each()
            }
            for arrival in arrivals.filter({ $0.at <= now }).sorted(by: {
                ($0.at, $0.order) < ($1.at, $1.order)
            }) {
                arrivals.removeAll { $0.order == arrival.order }
                switch arrival.content {
                case .control(let packet): deliver(packet, to: arrival.to)
                case .payload(let tag, let pair): receivePayload(tag, pair, arrival.to)
                }
            }
            for side in [Side.a, .b] {
                for event in node(side).takeDue(at: now) { post(event, to: side) }
            }
        }
        now = end
    }

    /// Hands a packet to one side at once.
    func deliver(_ packet: Node.Packet, to side: Side) {
        post(
            .packet(octets: packet.octets, source: packet.source, destination: packet.destination),
            to: side)
    }

    /// A message of a test's own making.
    func forge(
        _ message: ControlMessage, from source: IPv6Address, to destination: IPv6Address,
        side: Side = .b
    ) throws {
        let packet = Node.Packet(
            octets: try message.encoded(), source: source, destination: destination)
        deliver(packet, to: side)
    }

    /// Logs packets of an event that a test has handled itself.
    func record(_ packets: [Node.Packet], by side: Side) {
        log += packets.map { Sent(at: now, by: side, packet: $0) }
    }

    func sent(_ type: MessageType, by side: Side? = nil) -> [Sent] {
        log.filter { $0.type == type && (side == nil || $0.by == side) }
    }

    /// The last control message of a type.
    func last(_ type: MessageType, by side: Side? = nil) -> Node.Packet? {
        sent(type, by: side).last?.packet
    }

    func clearLog() {
        log = []
        delivered = []
        a.clearLog()
        b.clearLog()
    }
}
