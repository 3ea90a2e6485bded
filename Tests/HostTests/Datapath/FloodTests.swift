import Foundation
import Lab
import Shim6Control
import Steering
import Testing

extension HostTests {
    /// I1 messages from everywhere and nowhere, as many as one processor can make.
    @Suite struct FloodTests {
        @Test func `A handshake completes at the first try while forged I1s keep a processor busy`() throws {
            try withPair { pair in
                let capture = try Capture(
                    pair.laboratory, in: pair.topology.internet, device: "b1", filter: "icmp6 and ip6[40] == 4")
                let flood = try Flood(from: pair.topology.internet, to: pair.ulidOfB)
                defer { flood.stop() }
                try pair.laboratory.wait(until: "the flood to reach its limit") {
                    try pair.b.status().drops.contains { $0.key.hasSuffix("strangers_i1_rate") && $0.value > 10_000 }
                }
                let tables = try pair.b.contexts().count
                let echo = try pair.startSession()
                #expect(try pair.b.contexts().count == tables + 1)
                // A second I1 would have gone out after four seconds.
                #expect(try pair.a.status().counters["out_i1", default: 0] <= 1)
                #expect(flood.isRunning)
                flood.stop()
                capture.stop()
                // The kernel never says that this host speaks no Shim6.
                #expect(try capture.packets().isEmpty)
                _ = try echo.stop()
            }
        }
    }
}
