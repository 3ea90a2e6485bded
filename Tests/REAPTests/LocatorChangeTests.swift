import REAP
import Requirements
import Shim6Wire
import Testing

@Suite struct LocatorChangeTests {
    @Test("An exploration starts at once when a locator of the current pair goes", .requirement("5534-4.1-02"))
    func currentLocatorGone() {
        var rig = Rig()
        let gone = rig.handle(.locatorsChanged(local: [a1, a2], peer: [b2]), 1)
        #expect(gone.contains(.changed(from: .operational, to: .exploring, .peerLocatorGone)))
        #expect(gone.compactMap(\.probePair) == [pair(a2, b2)])
        var other = Rig()
        let source = other.handle(.locatorsChanged(local: [a2], peer: [b1, b2]), 1)
        #expect(source.contains(.changed(from: .operational, to: .exploring, .localLocatorGone)))
        #expect(source.compactMap(\.probePair) == [pair(a2, b2)])
    }

    @Test("Locators that do not matter for the current pair change nothing")
    func otherLocators() {
        var rig = Rig()
        let c = address("2001:db8:c::1")
        #expect(rig.handle(.locatorsChanged(local: [c, a1], peer: [b1]), 1).isEmpty)
        #expect(rig.machine.state == .operational)
    }

    @Test("A new locator is tried at once while exploring")
    func newLocator() {
        var rig = Rig()
        _ = rig.explore()
        _ = rig.run(until: 15 + 100)
        let c = address("2001:db8:c::1")
        let effects = rig.handle(.locatorsChanged(local: [a1, a2, c], peer: [b1, b2]), 116)
        #expect(effects.compactMap(\.probePair).count == 1)
        let pairs = rig.run(until: 118).compactMap(\.effect.probePair)
        #expect(pairs.contains { $0.source == c })
        #expect(rig.machine.deadline(of: .probe).map { $0 < at(120) } == true)
    }

    @Test("A lost locator is not tried any more")
    func lostLocator() {
        var rig = Rig()
        _ = rig.explore()
        #expect(rig.handle(.locatorsChanged(local: [a1, a2], peer: [b1]), 15.1).allSatisfy { $0.probe == nil })
        let pairs = rig.run(until: 300).compactMap(\.effect.probePair)
        #expect(pairs.count > 5)
        #expect(pairs.allSatisfy { $0.destination == b1 })
    }

    @Test("Without any locator the exploration waits for one")
    func noLocator() {
        var rig = Rig()
        let effects = rig.handle(.locatorsChanged(local: [], peer: [b1, b2]), 1)
        #expect(rig.machine.state == .exploring)
        #expect(effects.allSatisfy { $0.probe == nil })
        #expect(rig.run(until: 100).allSatisfy { $0.effect.probe == nil })
        let back = rig.handle(.locatorsChanged(local: [a2], peer: [b1, b2]), 101)
        #expect(back.compactMap(\.probePair) == [pair(a2, b2)])
    }

    @Test(
        "A pair that is gone is not used again for want of reports", arguments: [ProbeState.inboundOk, .operational])
    func answerWithoutReports(state: ProbeState) {
        var rig = Rig()
        _ = rig.handle(.locatorsChanged(local: [a2], peer: [b1, b2]), 1)
        let effects = rig.probe(state, on: pair(b1, a2), 1.1)
        #expect(rig.machine.state == .inboundOk)
        #expect(effects.compactMap(\.probe).map(\.state) == [.inboundOk])
        #expect(effects.compactMap(\.probe).first?.received.count == 1)
    }

    @Test(
        "The answer to a Probe goes back the way it came, unless that was in vain",
        .requirement("5534-6.1-07", "5534-6.7-01"))
    func answers() {
        var rig = Rig()
        let first = rig.probe(.exploring, on: pair(b2, a1), nonce: 1, 1)
        #expect(first.compactMap(\.probePair) == [pair(a1, b2)])
        let again = rig.probe(.exploring, on: pair(b2, a1), nonce: 2, 1.2)
        #expect(again.compactMap(\.probePair) == [pair(a2, b2)])
        let third = rig.probe(.exploring, on: pair(b1, a1), nonce: 3, 1.3)
        #expect(third.compactMap(\.probePair) == [pair(a1, b1)])
    }

    @Test(
        "A Probe from an address that is no locator of the peer is answered on a known pair", .requirement("5534-8-03"))
    func answerToStranger() {
        var rig = Rig()
        let effects = rig.probe(.exploring, on: pair(address("2001:db8:bad::1"), a1), 1)
        #expect(effects.compactMap(\.probePair) == [pair(a2, b2)])
    }
}
