import REAP
import Requirements
import Shim6Wire
import Testing

/// What Probes report, and which reports move traffic.
@Suite struct ReportTests {
    /// The peer's answer to a Probe reports `change`d copies of it.
    private func pairAfterAnswer(_ change: (ProbeReport) -> ProbeReport) throws -> LocatorPair {
        var rig = Rig()
        let sent = try #require(rig.explore()?.probe?.sent.first)
        _ = rig.probe(.inboundOk, on: pair(b2, a2), reporting: [change(sent)], 15.1)
        #expect(rig.machine.state == .operational)
        return rig.machine.current
    }

    @Test("A report of a Probe that was sent moves traffic to its pair", .requirement("5534-6.8-04", "5534-4.2-03"))
    func trueReport() throws {
        #expect(try pairAfterAnswer { $0 } == pair(a2, b2))
    }

    @Test("Invented reports move nothing", .requirement("5534-6.8-06", "5534-8-03"))
    func forgedReports() throws {
        func altered(_ change: (inout ProbeReport) -> Void) throws -> LocatorPair {
            try pairAfterAnswer {
                var report = $0
                change(&report)
                return report
            }
        }
        #expect(try altered { $0.nonce &+= 1 } == pair(a1, b1))
        #expect(try altered { $0.source = a1 } == pair(a1, b1))
        #expect(try altered { $0.destination = b1 } == pair(a1, b1))
        #expect(try altered { $0.destination = address("2001:db8:bad::1") } == pair(a1, b1))
        #expect(try altered { $0.data = 1 } == pair(a1, b1))
        #expect(try altered { swap(&$0.source, &$0.destination) } == pair(a1, b1))
    }

    @Test("Reports of an earlier exploration move nothing", .requirement("5534-6.8-06"))
    func oldReports() throws {
        var rig = Rig()
        let old = try #require(rig.explore()?.probe?.sent.first)
        _ = rig.probe(.inboundOk, on: pair(b2, a2), nonce: 1, 15.1)
        #expect(rig.machine.current == pair(a1, b1))
        _ = rig.explore(from: 100)
        let effects = rig.probe(.inboundOk, on: pair(b1, a1), nonce: 2, reporting: [old], 115.1)
        #expect(effects.first == .tookProbe(pair(b1, a1), nonce: 2, .inboundOk, reports: 0))
        #expect(rig.machine.current == pair(a1, b1))
        // The first exploration was ended by a Probe that reported nothing; this one is not.
        #expect(rig.machine.state == .inboundOk)
    }

    @Test("Reports of pairs that are gone by now move nothing")
    func withdrawnPair() throws {
        var rig = Rig()
        let sent = try #require(rig.explore()?.probe?.sent.first)
        _ = rig.handle(.locatorsChanged(local: [a1], peer: [b1, b2]), 15.1)
        _ = rig.probe(.inboundOk, on: pair(b2, a1), reporting: [sent], 15.2)
        #expect(rig.machine.current == pair(a1, b1))
    }

    @Test(
        "An answer without reports leaves the pair, and ends the exploration",
        .requirement("5534-6.8-05", "5534-6.8-02"))
    func noReports() {
        var rig = Rig()
        _ = rig.explore()
        let effects = rig.probe(.inboundOk, on: pair(b1, a1), 15.1)
        #expect(rig.machine.state == .operational)
        #expect(rig.machine.current == pair(a1, b1))
        #expect(effects.contains { $0.probePair == pair(a1, b1) && $0.probe?.state == .operational })
    }

    @Test("The current pair is kept when it is among the reported ones, else the best is taken", arguments: [2, 4])
    func severalReports(probes: Int) throws {
        var rig = Rig()
        _ = rig.payloadOut(0)
        let sent = rig.run(until: 15 + Double(probes - 1) / 2).compactMap { $0.effect.probe?.sent.first }
        #expect(sent.count == probes)
        _ = rig.probe(.inboundOk, on: pair(b2, a2), reporting: sent.reversed(), 17)
        #expect(rig.machine.current == (probes == 4 ? pair(a1, b1) : pair(a2, b2)))
    }

    @Test("Probe(Operational) moves traffic as well", .requirement("5534-6.9-05", "5534-6.9-04"))
    func operationalReport() throws {
        var rig = Rig()
        let answer = rig.probe(.exploring, on: pair(b2, a2), nonce: 9, 1)
        let sent = try #require(answer.compactMap(\.probe).first?.sent.first)
        let effects = rig.probe(.operational, on: pair(b2, a2), nonce: 10, reporting: [sent], 1.1)
        #expect(effects.contains(.use(pair(a2, b2), instead: pair(a1, b1), .exploration)))
        #expect(effects.allSatisfy { $0.probe == nil })
        #expect(rig.machine.state == .operational)
    }

    @Test(
        "A Probe describes itself first, then what the peer has not reported",
        .requirement("5534-5.2-14", "5534-6.1-04", "5534-5.2-17", "5534-5.2-25"))
    func sentReports() throws {
        var rig = Rig()
        _ = rig.payloadOut(0)
        let probes = rig.run(until: 16).compactMap(\.effect.probe)
        #expect(probes.count == 3)
        let own = try probes.map { try #require($0.sent.first) }
        #expect(own.map { pair($0.source, $0.destination) } == [pair(a2, b2), pair(a1, b2), pair(a2, b1)])
        #expect(Set(own.map(\.nonce)).count == 3)
        #expect(probes[2].sent == own.reversed())
        // The peer has seen the second one.
        let effects = rig.probe(.exploring, on: pair(b2, a1), reporting: [own[1]], 16.1)
        #expect(effects.compactMap(\.probe).first?.sent.dropFirst() == [own[2], own[0]])
    }

    @Test(
        "Received Probes are reported as they were",
        .requirement("5534-5.2-18", "5534-6.1-05", "5534-5.2-19", "5534-5.2-29"))
    func receivedReports() throws {
        var rig = Rig()
        let effects = rig.probe(.exploring, on: pair(b2, a2), nonce: 42, 1)
        let probe = try #require(effects.compactMap(\.probe).first)
        #expect(probe.state == .inboundOk)
        #expect(probe.received == [ProbeReport(source: b2, destination: a2, nonce: 42, data: 0xdeadbeef)])
        let second = rig.probe(.exploring, on: pair(b1, a2), nonce: 43, 1.5).compactMap(\.probe).first
        #expect(second?.received.map(\.nonce) == [42, 43])
        let repeated = rig.probe(.exploring, on: pair(b2, a2), nonce: 42, 1.6).compactMap(\.probe).first
        #expect(repeated?.received.map(\.nonce) == [43, 42])
    }

    @Test("Received Probes are forgotten on the way into Exploring", .requirement("5534-5.2-18"))
    func forgottenOnExploring() {
        var rig = Rig()
        _ = rig.probe(.exploring, on: pair(b2, a2), nonce: 42, 1)
        let log = rig.run(until: 16.1)
        #expect(rig.machine.state == .exploring)
        #expect(log.compactMap(\.effect.probe).last?.received == [])
    }

    @Test("Received Probes are forgotten when an exploration ends")
    func forgottenAtTheEnd() {
        var rig = Rig()
        _ = rig.probe(.exploring, on: pair(b2, a2), nonce: 42, 1)
        _ = rig.probe(.operational, on: pair(b2, a2), nonce: 43, 1.1)
        let next = rig.probe(.exploring, on: pair(b1, a1), nonce: 44, 50).compactMap(\.probe).first
        #expect(next?.received.map(\.nonce) == [44])
    }

    @Test("InboundOk after payload has no Probe to report", .requirement("5534-5.2-19", "5534-6.1-02"))
    func inboundOkAfterPayload() {
        var rig = Rig()
        _ = rig.explore()
        let probe = rig.payloadIn(15.2).compactMap(\.probe).first
        #expect(probe?.state == .inboundOk)
        #expect(probe?.received == [])
    }

    @Test("Reports stay within the message's four-bit counts")
    func reportCounts() {
        var rig = Rig()
        _ = rig.payloadOut(0)
        _ = rig.run(until: 15 + 3000)
        for nonce in 0..<40 { _ = rig.probe(.exploring, on: pair(b2, a2), nonce: UInt32(nonce), 3015) }
        let probe = rig.probe(.exploring, on: pair(b2, a2), nonce: 1000, 3016).compactMap(\.probe).first
        #expect(probe?.sent.count == 15)
        #expect(probe?.received.map(\.nonce) == Array(26..<40) + [1000])
    }

    @Test("A Probe that fell off the list is still matched, within the window of the last 64", arguments: [64, 65])
    func window(distance: Int) throws {
        var rig = Rig(current: pair(a1, b1), local: [a1, a2], peer: [b1])
        let first = try #require(rig.explore()?.probe?.sent.first)
        var sent = 1
        var now = 15.1
        while sent < distance {
            sent += rig.run(until: now).filter { $0.effect.probe != nil }.count
            now += 30
        }
        _ = rig.probe(.inboundOk, on: pair(b1, a2), reporting: [first], now)
        #expect(rig.machine.current == (distance == 64 ? pair(a2, b1) : pair(a1, b1)))
    }

    @Test("A Probe that does not describe itself is ignored", .requirement("5534-5.2-15"))
    func mismatchedProbe() {
        var rig = Rig()
        let tag = ContextTag(truncating: 1)
        let other = ProbeReport(source: b1, destination: a1, nonce: 1)
        let probe = Probe(receiverTag: tag, state: .exploring, sent: [other])
        #expect(rig.handle(.probeReceived(probe, pair(b2, a2)), 1).isEmpty)
        #expect(
            rig.handle(.probeReceived(Probe(receiverTag: tag, state: .exploring, sent: []), pair(b1, a1)), 1).isEmpty)
        #expect(rig.machine.state == .operational)
    }

    @Test("A reported Probe is announced with the number of true reports")
    func announcement() throws {
        var rig = Rig()
        let sent = try #require(rig.explore()?.probe?.sent.first)
        let invented = ProbeReport(source: a1, destination: b2, nonce: 4)
        let effects = rig.probe(.inboundOk, on: pair(b2, a2), nonce: 8, reporting: [sent, invented], 15.1)
        #expect(effects.first == .tookProbe(pair(b2, a2), nonce: 8, .inboundOk, reports: 1))
    }

    @Test(
        "Nonces do not repeat, differ from run to run, and do not follow from each other",
        .requirement("5534-5.2-26", "5534-5.2-27", "5534-5.2-28"))
    func nonces() {
        let nonces = (0..<8).flatMap { (seed: UInt64) -> [UInt32] in
            var rig = Rig(seed: seed)
            _ = rig.payloadOut(0)
            return rig.run(until: 300).compactMap { $0.effect.probe?.sent.first?.nonce }
        }
        #expect(nonces.count > 80)
        #expect(Set(nonces).count == nonces.count)
        #expect(Set(zip(nonces, nonces.dropFirst()).map { $1 &- $0 }).count == nonces.count - 1)
    }
}
