import REAP
import Requirements
import Shim6Wire
import Testing

@Suite struct ExplorationOrderTests {
    @Test("Pairs that share nothing with the failed one come first, the failed one last", .requirement("5534-4.3-01"))
    func sharedEnds() {
        let order = explorationOrder(local: [a1, a2], peer: [b1, b2], failed: pair(a1, b1))
        #expect(order == [pair(a2, b2), pair(a1, b2), pair(a2, b1), pair(a1, b1)])
    }

    @Test("Without a failure the preferences of both sides decide", .requirement("5534-4.3-03", "5534-4.3-04"))
    func preferences() {
        #expect(
            explorationOrder(local: [a1, a2], peer: [b1, b2], failed: nil)
                == [pair(a1, b1), pair(a1, b2), pair(a2, b1), pair(a2, b2)])
        #expect(explorationOrder(local: [a2, a1], peer: [b1], failed: nil) == [pair(a2, b1), pair(a1, b1)])
    }

    @Test("Pairs that differ at both ends are tried in order of preference")
    func manyLocators() {
        let c = address("2001:db8:c::1")
        let order = explorationOrder(local: [a1, a2, c], peer: [b1, b2], failed: pair(a2, b1))
        #expect(
            order == [pair(a1, b2), pair(c, b2), pair(a1, b1), pair(a2, b2), pair(c, b1), pair(a2, b1)])
    }

    @Test(
        "Addresses that cannot be locators are never tried", .requirement("5534-4.3-02", "5534-3.1-04"),
        arguments: ["fe80::1", "fec0::1", "ff02::1", "::", "::1"])
    func scopes(text: String) {
        let bad = address(text)
        #expect(explorationOrder(local: [a1, bad], peer: [b1, bad], failed: nil) == [pair(a1, b1)])
    }

    @Test("A unique local address is tried with its like first")
    func uniqueLocal() {
        let local = address("fd00::a")
        let peer = address("fd00::b")
        let order = explorationOrder(local: [a1, local], peer: [b1, peer], failed: pair(a1, b1))
        #expect(order == [pair(local, peer), pair(a1, peer), pair(local, b1), pair(a1, b1)])
        #expect(
            explorationOrder(local: [local, a1], peer: [b1, b2], failed: nil)
                == [pair(a1, b1), pair(a1, b2), pair(local, b1), pair(local, b2)])
    }

    @Test("A failed pair that is no candidate is not added")
    func failedIsGone() {
        #expect(explorationOrder(local: [a2], peer: [b1, b2], failed: pair(a1, b1)) == [pair(a2, b2), pair(a2, b1)])
    }

    @Test("Every pair is there once")
    func complete() {
        let local = [a1, a2, a1, address("2001:db8:a3::1")]
        let peer = [b1, b2, b2]
        let order = explorationOrder(local: local, peer: peer, failed: pair(a2, b2))
        #expect(order.count == 6)
        #expect(Set(order).count == 6)
    }

    @Test("The order is bounded and still ends with the failed pair", arguments: [true, false])
    func bounded(failedIsCandidate: Bool) {
        let local = (0..<255).map { IPv6Address(high: 0x2001_0db8_000a_0000, low: 1 + $0) }
        let peer = (0..<255).map { IPv6Address(high: 0x2001_0db8_000b_0000, low: 1 + $0) }
        let failed = failedIsCandidate ? pair(local[0], peer[0]) : pair(a1, b1)
        let order = explorationOrder(local: local, peer: peer, failed: failed)
        #expect(order.count == 64)
        #expect((order.last == failed) == failedIsCandidate)
        #expect(Set(order).count == 64)
    }
}
