import Shim6Core
import Shim6Wire
import Simulation

/// Host 0 has a context with host 1, little traffic, and a stranger who talks to it in octets of his own making.
struct Attack {
    let stranger: Stranger
    let run: ScriptedRun

    static let tag = ContextTag(truncating: 0x1234_5678_9abc)
    static let nonce: UInt32 = 7

    /// The attack begins in second 10, when the context is long there.
    init(
        keys: Keys? = nil, stranger: Stranger? = nil, until end: Double = 30,
        _ actions: (Stranger) -> [(seconds: Double, action: Scenario.Action)]
    ) {
        let stranger = stranger ?? Stranger(keys: keys)
        self.stranger = stranger
        run = ScriptedRun(quiet: .exact, keys: keys, until: end, actions(stranger))
    }

    /// Begins an exchange and ends it with this I2; `change` may spoil its octets.
    static func exchange(
        _ stranger: Stranger, at seconds: Double = 10, tag: ContextTag = Self.tag,
        _ options: @escaping (_ victim: ScriptedRun.Message) -> LocatorOptions,
        change: @escaping (inout [UInt8]) -> Void = { _ in }
    ) -> [(seconds: Double, action: Scenario.Action)] {
        [
            (seconds, i1(stranger, tag)),
            (
                seconds + 0.1,
                .forge { sent in
                    message(from: stranger, sent) { victim in
                        answer(to: stranger, sent).map { .i2(i2($0, tag, options(victim))) }
                    }.map { message in
                        var message = message
                        change(&message.octets)
                        return message
                    }
                }
            ),
        ]
    }

    static func i1(_ stranger: Stranger, _ tag: ContextTag = Self.tag) -> Scenario.Action {
        .forge { sent in
            message(from: stranger, sent) { _ in .i1(I1(initiatorTag: tag, initiatorNonce: nonce)) }
        }
    }

    static func i2(_ r1: R1, _ tag: ContextTag, _ options: LocatorOptions) -> I2 {
        I2(
            initiatorTag: tag, initiatorNonce: r1.initiatorNonce, responderNonce: r1.responderNonce,
            responderValidator: r1.responderValidator, options: options)
    }

    /// The R1 that host 0 sent to the stranger last.
    static func answer(to stranger: Stranger, _ sent: [SentPacket]) -> R1? {
        sent.messages.sent(.r1, from: 0).last { $0.destination == stranger.address }?.r1
    }

    /// A message of the stranger's to host 0, whose first I1 tells who is who.
    static func message(
        from stranger: Stranger, _ sent: [SentPacket], _ content: (ScriptedRun.Message) -> ControlMessage?
    ) -> ForgedMessage? {
        guard let victim = sent.messages.sent(.i1, from: 0).first, let octets = try? content(victim)?.encoded() else {
            return nil
        }
        return ForgedMessage(octets: octets, source: stranger.address, destination: victim.source)
    }

    /// The context that host 0 has with the stranger.
    var context: ContextSnapshot? { run.world.contexts(of: 0).first { $0.ulids.peer == stranger.address } }

    /// Whether the context between the hosts is as it was, and nothing is left of the attack but a count.
    var wasRepelled: Bool {
        let contexts = run.world.contexts(of: 0)
        return run.world.failure == nil && contexts.map(\.state) == [.established]
            && run.world.dataPath(of: 0).count == 1 && dropped > 0
    }

    var dropped: UInt64 { run.world.counters(of: 0)?.drops.values.reduce(0, +) ?? 0 }
    var verifications: UInt64 { run.world.counters(of: 0)?.verifications ?? 0 }
}
