import Lab
import Shim6Control
import Steering
import Testing

extension HostTests {
    /// I1 messages from everywhere and nowhere, as many as one processor can make.
    @Suite struct FloodTests {
        @Test func `A handshake completes while forged I1s keep a processor busy, and they leave nothing behind`()
            throws
        {
            try withPair { pair in
                let capture = try Capture(
                    pair.laboratory, in: pair.topology.internet, device: "b1", filter: "icmp6 and ip6[40] == 4")
                let flood = try Flood(from: pair.topology.internet, to: pair.ulidOfB)
                defer { flood.stop() }
                try pair.laboratory.wait(until: "the flood to reach its limit") {
                    try pair.b.status().drops.contains { $0.key.hasSuffix("strangers_i1_rate") && $0.value > 10_000 }
                }
                try expectNoGrowth(of: pair.b, byI1s: 50_000)
                #expect(try pair.b.contexts().isEmpty)
                let echo = try pair.startSession()
                #expect(try pair.b.contexts().count == 1)
                #expect(flood.isRunning)
                flood.stop()
                capture.stop()
                // The kernel never says that this host speaks no Shim6.
                #expect(try capture.packets().isEmpty)
                _ = try echo.stop()
            }
        }

        /// Six octets an I1 would be noticed.
        private func expectNoGrowth(of daemon: Daemon, byI1s count: UInt64) throws {
            func answered() throws -> UInt64 { try daemon.status().counters["in_i1", default: 0] }
            // What a first answer takes once and keeps is there.
            _ = try answered()
            let (before, begin) = (try daemon.anonymousMemory(), try answered())
            try daemon.laboratory.wait(until: "\(count) I1s more", upTo: 120) { try answered() >= begin + count }
            let growth = try daemon.anonymousMemory() - before
            #expect(growth < 256 << 10, "\(growth) octets more after \(count) I1s")
        }
    }
}
