import REAP
import Requirements
import Shim6Wire
import Testing

/// Random events, true and invented, in random order. Nothing may trap, and what must always hold holds.
@Suite struct RandomEventTests {
    private static let addresses = [a1, a2, b1, b2, address("2001:db8:bad::1"), address("fe80::1"), address("::")]

    @Test("Random events never break the machine", arguments: 0..<400)
    func randomEvents(seed: UInt64) {
        var dice = SeededGenerator(seed: seed)
        var rig = Rig(REAPConfiguration(jitterPermille: Int.random(in: 0...500, using: &dice)), seed: seed)
        var now = Double.random(in: 0...1000, using: &dice)
        var sent: [ProbeReport] = []
        var confirmable: Set<LocatorPair> = [pair(a1, b1)]
        for _ in 0..<400 {
            now += Bool.random(using: &dice) ? 0 : Double.random(in: 0...20, using: &dice)
            let before = rig.machine.current
            let effects = step(&rig, &dice, sent, now)
            let probes = effects.compactMap(\.probe)
            sent += probes.map { $0.sent[0] }
            confirmable.formUnion(effects.compactMap(\.probePair))
            check(rig, effects, before: before, confirmable)
        }
    }

    private func step(
        _ rig: inout Rig, _ dice: inout SeededGenerator, _ sent: [ProbeReport], _ now: Double
    ) -> [REAPEffect] {
        let late = Bool.random(using: &dice) ? 0 : Double.random(in: 0...30, using: &dice)
        switch Int.random(in: 0..<12, using: &dice) {
        case 0: return rig.payloadIn(now)
        case 1: return rig.payloadOut(now)
        case 2: return rig.handle(.otherMessageReceived, now)
        case 3: return rig.handle(.otherMessageSent, now)
        case 4: return rig.handle(.keepaliveReceived, now)
        case 5, 6: return rig.handle(.timer(REAPTimer.allCases.randomElement(using: &dice) ?? .send), now + late)
        case 7:
            let local = [a1, a2].filter { _ in Int.random(in: 0..<4, using: &dice) > 0 }
            let peer = [b1, b2].shuffled(using: &dice).filter { _ in Int.random(in: 0..<4, using: &dice) > 0 }
            return rig.handle(.locatorsChanged(local: local, peer: peer), now)
        case 8:
            return rig.handle(
                [.payloadReceived, .payloadSent, .established].randomElement(using: &dice) ?? .established, now)
        default:
            let reports = (0..<Int.random(in: 0...15, using: &dice)).map { _ in
                var report = sent.randomElement(using: &dice) ?? invented(&dice)
                if Int.random(in: 0..<3, using: &dice) == 0 { report = invented(&dice) }
                return report
            }
            let own = invented(&dice)
            let probe = Probe(
                receiverTag: ContextTag(truncating: 0xa),
                state: ProbeState.allCases.randomElement(using: &dice) ?? .exploring,
                sent: [own], received: reports)
            return rig.handle(.probeReceived(probe, pair(own.source, own.destination)), now)
        }
    }

    private func invented(_ dice: inout SeededGenerator) -> ProbeReport {
        ProbeReport(
            source: Self.addresses.randomElement(using: &dice) ?? a1,
            destination: Self.addresses.randomElement(using: &dice) ?? b1,
            nonce: UInt32.random(in: 0...10, using: &dice), data: 0)
    }

    private func check(
        _ rig: Rig, _ effects: [REAPEffect], before: LocatorPair, _ confirmable: Set<LocatorPair>
    ) {
        let machine = rig.machine
        // Payload moves only by `use`, and only to a pair on which a Probe went out.
        let moved = effects.contains(.use(machine.current, instead: before, .exploration))
        #expect(machine.current == before || (moved && confirmable.contains(machine.current)))
        // Probes stay on pairs that may be used, and carry what the message can hold.
        for effect in effects {
            guard let probe = effect.probe, let pair = effect.probePair else { continue }
            #expect([a1, a2].contains(pair.source) && [b1, b2].contains(pair.destination))
            #expect((1...15).contains(probe.sent.count) && probe.received.count <= 15)
            #expect(probe.sent[0].source == pair.source && probe.sent[0].destination == pair.destination)
        }
        // Timers run where the state has them, and none is without its alarm.
        switch machine.state {
        case .operational:
            #expect(!(rig.canExpire(.send) && rig.canExpire(.keepalive)))
            #expect(machine.deadline(of: .probe) == nil)
            let runs = rig.canExpire(.send) || rig.canExpire(.keepalive)
            #expect((machine.deadline(of: .send) != nil) == runs)
            #expect((machine.deadline(of: .keepalive) != nil) == runs)
            #expect(runs || (rig.stamps.notifyIn && rig.stamps.notifyOut))
        case .exploring:
            #expect(machine.deadline(of: .send) == nil && machine.deadline(of: .keepalive) == nil)
            #expect(machine.deadline(of: .probe) != nil)
            #expect(rig.stamps.notifyIn)
        case .inboundOk:
            #expect(machine.deadline(of: .keepalive) == nil)
            #expect(machine.deadline(of: .probe) != nil && machine.deadline(of: .send) != nil)
        }
    }
}
