import Shim6Core
import Shim6Wire
import Simulation

/// A run with a script, and what went over the network in it, decoded from the octets.
struct ScriptedRun {
    /// A control message as it was sent.
    struct Message: CustomStringConvertible {
        var seconds: Double
        var host: Int
        var source: IPv6Address
        var destination: IPv6Address
        var path: Network.Path?
        var octets: [UInt8]
        var content: ControlMessage
        var isLost: Bool

        var probe: Probe? { if case .probe(let probe) = content { probe } else { nil } }
        /// Whether it asks a peer of which only Keepalives come whether they are its own, or answers that.
        var isQuestion: Bool { probe.map { $0.state != .exploring } ?? false }
        var isKeepalive: Bool { if case .keepalive = content { true } else { false } }

        var addresses: [IPv6Address] { [source, destination] }
        var i1: I1? { if case .i1(let message) = content { message } else { nil } }
        var r1: R1? { if case .r1(let message) = content { message } else { nil } }
        var i2: I2? { if case .i2(let message) = content { message } else { nil } }
        var r2: R2? { if case .r2(let message) = content { message } else { nil } }
        var r1bis: R1bis? { if case .r1bis(let message) = content { message } else { nil } }
        var i2bis: I2bis? { if case .i2bis(let message) = content { message } else { nil } }
        var updateRequest: UpdateRequest? { if case .updateRequest(let message) = content { message } else { nil } }
        var updateAcknowledgement: UpdateAcknowledgement? {
            if case .updateAcknowledgement(let message) = content { message } else { nil }
        }

        /// Such as `0: 1>1 exploring`.
        var description: String {
            let links = path.map { "\($0.fromLink)>\($0.toLink)" } ?? "nowhere"
            let name = probe.map { "\($0.state)" } ?? "\(content.type)"
            return "\(host): \(links) \(name)\(isLost ? " lost" : "")"
        }
    }

    let world: World
    let messages: [Message]

    /// Two hosts that send each other a packet a second over their links 0 and get a context, until the script says
    /// otherwise. Those of `unproven` have neither CGA nor HBA.
    init(
        _ configuration: HostConfiguration = .exact, peer: HostConfiguration? = nil, keys: Keys? = nil,
        unproven: Set<Int> = [], links: [Int] = [2, 2], delay: Double = 0.01, sabotage: Sabotage = .none,
        until end: Double, _ actions: [(seconds: Double, action: Scenario.Action)]
    ) {
        var scenario = Scenario(
            configuration: configuration, peerConfiguration: peer, flows: [Scenario.Flow(interval: 1)],
            links: links, delay: delay, actions: [(0, .mode(flow: 0, .bothWays))] + actions + [(end, .finish)])
        scenario.usesCryptography = keys != nil
        scenario.unproven = unproven
        world = World(scenario, keys: keys, sabotage: sabotage)
        world.run()
        messages = world.record.messages
    }

    /// Two hosts with as little traffic as possible; in second 1 an operator asks host 0 for a context.
    init(
        quiet configuration: HostConfiguration, peer: HostConfiguration? = nil, keys: Keys? = nil,
        links: [Int] = [2, 2], until end: Double, _ actions: [(seconds: Double, action: Scenario.Action)] = []
    ) {
        self.init(
            configuration, peer: peer, keys: keys, links: links, until: end,
            [(0, .mode(flow: 0, .silent)), (1, .establish(host: 0, flow: 0))] + actions)
    }

    /// The messages of a type in the order in which they were sent.
    func sent(_ type: MessageType, from host: Int? = nil) -> [Message] { messages.sent(type, from: host) }

    /// Keepalives and Probes sent from a second on.
    func reachability(since start: Double, from host: Int? = nil) -> [Message] {
        messages.filter {
            $0.seconds >= start && ($0.isKeepalive || $0.probe != nil) && (host == nil || $0.host == host)
        }
    }

    /// Payload sent from a second on.
    func payload(since start: Double) -> [SentPacket] {
        world.record.filter {
            if case .payload = $0.content { $0.seconds >= start } else { false }
        }
    }

    func context(_ host: Int) -> ContextSnapshot? { world.contexts(of: host).first }
}

extension [SentPacket] {
    /// The control messages among these packets.
    var messages: [ScriptedRun.Message] {
        compactMap { packet in
            guard case .control(let octets) = packet.content, let view = try? MessageView(octets),
                let content = try? ControlMessage(view)
            else { return nil }
            return ScriptedRun.Message(
                seconds: packet.seconds, host: packet.host, source: packet.source,
                destination: packet.destination, path: packet.path, octets: octets, content: content,
                isLost: packet.isLost)
        }
    }
}

extension ScriptedRun.Message {
    /// Another message from where this one came to where it went.
    func replaced(by content: ControlMessage) -> ForgedMessage? {
        (try? content.encoded()).map { ForgedMessage(octets: $0, source: source, destination: destination) }
    }
}

extension [ScriptedRun.Message] {
    func sent(_ type: MessageType, from host: Int? = nil) -> [ScriptedRun.Message] {
        filter { $0.content.type == type && (host == nil || $0.host == host) }
    }
}

extension HostConfiguration {
    /// The RFC's values to the tick.
    static var exact: HostConfiguration {
        var configuration = HostConfiguration()
        configuration.reap.jitterPermille = 0
        return configuration
    }
}

extension SentPacket {
    var hasTag: Bool { if case .payload(_, true) = content { true } else { false } }
    var links: [Int]? { path.map { [$0.fromLink, $0.toLink] } }
}

/// Both ways of a link.
func link(_ host: Int, _ link: Int) -> [Network.HalfLink] {
    [true, false].map { Network.HalfLink(host: host, link: link, isOutbound: $0) }
}

extension [(seconds: Double, action: Scenario.Action)] {
    static func cut(at seconds: Double, _ halves: [Network.HalfLink]) -> Self {
        halves.map { (seconds, .cutLink($0)) }
    }

    static func heal(at seconds: Double, _ halves: [Network.HalfLink]) -> Self {
        halves.map { (seconds, .healLink($0)) }
    }
}
