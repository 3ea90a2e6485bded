import REAP
import Requirements
import Shim6Wire
import Testing

/// The return to a better pair, and what an operator asks for.
@Suite struct FailbackTests {
    private static let configuration = REAPConfiguration(
        sendTimeout: .seconds(1), peerSendTimeout: .seconds(1), failbackHold: .seconds(10), jitterPermille: 0)

    /// Two hosts whose payload has left (A1, B1), which then works again at 20 s.
    private func afterFailure(_ configuration: REAPConfiguration) -> TwoHosts {
        var hosts = TwoHosts(configuration: configuration)
        hosts.run(until: 5, payloadFrom: [.a, .b])
        hosts.cut = [pair(a1, b1), pair(b1, a1)]
        hosts.run(until: 20, payloadFrom: [.a, .b])
        hosts.cut = []
        return hosts
    }

    @Test("Payload returns to the better pair when slow probes have shown for the hold that it works both ways")
    func returns() {
        var hosts = afterFailure(Self.configuration)
        #expect(hosts.current(.a) == pair(a2, b2) && hosts.current(.b) == pair(b2, a2))
        hosts.run(until: 29, payloadFrom: [.a, .b])
        #expect(hosts.current(.a) == pair(a2, b2) && hosts.current(.b) == pair(b2, a2))
        hosts.run(until: 40, payloadFrom: [.a, .b])
        #expect(hosts.current(.a) == pair(a1, b1) && hosts.current(.b) == pair(b1, a1))
        #expect(hosts.log.filter { $0.isPayload && $0.seconds > 20 }.allSatisfy { !$0.isLost })
        #expect(hosts.control(since: 20).count < 40)
    }

    @Test("A better pair that works one way only is not returned to")
    func oneWayOnly() {
        var hosts = afterFailure(Self.configuration)
        hosts.cut = [pair(b1, a1)]
        hosts.run(until: 80, payloadFrom: [.a, .b])
        #expect(hosts.current(.a) == pair(a2, b2) && hosts.current(.b) == pair(b2, a2))
    }

    @Test("Without payload nothing is probed", .requirement("5534-4.1-03"))
    func idle() {
        var hosts = afterFailure(Self.configuration)
        hosts.run(until: 40)
        let settled = hosts.log.count
        hosts.run(until: 200)
        #expect(hosts.log.count == settled)
    }

    @Test("By default the pair stays in use until problems occur", .requirement("5534-3.5-02"))
    func noReturn() {
        var hosts = afterFailure(REAPConfiguration(sendTimeout: .seconds(1), peerSendTimeout: .seconds(1)))
        hosts.run(until: 100, payloadFrom: [.a, .b])
        #expect(hosts.current(.a) == pair(a2, b2))
        #expect(hosts.control(since: 20).isEmpty)
    }

    @Test("A pair that flaps is returned to ever later")
    func flapping() {
        var hosts = afterFailure(Self.configuration)
        var returns: [Double] = []
        var repaired = hosts.seconds
        for _ in 0..<3 {
            while hosts.current(.a) != pair(a1, b1), hosts.seconds < repaired + 200 {
                hosts.run(until: hosts.seconds + 1, payloadFrom: [.a, .b])
            }
            returns.append(hosts.seconds - repaired)
            hosts.cut = [pair(a1, b1), pair(b1, a1)]
            hosts.run(until: hosts.seconds + 4, payloadFrom: [.a, .b])
            hosts.cut = []
            repaired = hosts.seconds
        }
        #expect(returns[1] > returns[0] * 1.5 && returns[2] > returns[1] * 1.5)
    }

    @Test("A pair that is asked for is used once a Probe on it is answered", .requirement("5534-8-03"))
    func asked() {
        var hosts = TwoHosts()
        hosts.run(until: 1, payloadFrom: [.a, .b])
        hosts.handle(.switchTo(pair(a2, b1)), at: .a)
        #expect(hosts.current(.a) == pair(a1, b1))
        hosts.run(until: 1.1, payloadFrom: [.a, .b])
        #expect(hosts.current(.a) == pair(a2, b1))
        #expect(hosts.current(.b) == pair(b1, a1))
        #expect(hosts.state(.a) == .operational && hosts.state(.b) == .operational)
    }

    @Test("A pair that does not work is refused after three Probes", .requirement("5534-8-03"))
    func refused() {
        var rig = Rig()
        #expect(rig.handle(.switchTo(pair(a1, b1)), 1) == [.switchRefused(pair(a1, b1), .inUse)])
        let gone = pair(address("2001:db8:a3::1"), b1)
        #expect(rig.handle(.switchTo(gone), 1) == [.switchRefused(gone, .noLocator)])
        var effects = rig.handle(.switchTo(pair(a2, b1)), 1)
        effects += rig.run(until: 10).map(\.effect)
        #expect(effects.compactMap(\.probePair) == [pair(a2, b1), pair(a2, b1), pair(a2, b1)])
        #expect(effects.contains(.switchRefused(pair(a2, b1), .noAnswer)))
        #expect(rig.machine.current == pair(a1, b1))
    }

    @Test("A switch that a recovery of the context interrupts goes on, and is decided")
    func interrupted() {
        var rig = Rig()
        _ = rig.handle(.switchTo(pair(a2, b1)), 1)
        _ = rig.machine.stop()
        var effects = rig.handle(.established, 5)
        effects += rig.run(until: 15).map(\.effect)
        #expect(effects.contains(.switchRefused(pair(a2, b1), .noAnswer)))
    }
}
