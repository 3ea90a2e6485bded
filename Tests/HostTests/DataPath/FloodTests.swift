import Lab
import Shim6Control
import Shim6Wire
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

        @Test func `I1s whose first fragment ends before the header chain does are never answered`() throws {
            try withPair { pair in
                let i1 = try Self.i1(naming: nil)
                // Options that go on in the second fragment, where the I1 is.
                let options: (UInt8) -> [UInt8] = { [$0, 0, 1, 4, 0, 0, 0, 0] }
                let first: [UInt8] = [60, 0, 0, 1, 1, 2, 3, 4] + options(60)
                let second: [UInt8] = [60, 0, 0, 8, 1, 2, 3, 4] + options(140) + i1
                let flood = try Flood(
                    from: pair.topology.internet, to: pair.ulidOfB,
                    [first, second].map {
                        Injector.packet(from: Flood.source, to: pair.ulidOfB, $0, nextHeader: 44)
                    })
                defer { flood.stop() }
                let count = try dropped(100_000, "incomplete_chain", by: pair.b)
                let answered = try pair.b.status().counters["in_i1", default: 0]
                flood.stop()
                #expect(answered == 0, "\(count) were dropped")
            }
        }

        @Test
        func `I1s from everywhere that name a session are limited, and the peer of the session is served beside them`()
            throws
        {
            try withPair { pair in
                let echo = try pair.startSession()
                let old = try #require(try pair.contextOfA()?.summary.tag)
                let i1 = try Self.i1(naming: (pair.ulidOfA, pair.ulidOfB))
                let flood = try Flood(
                    from: pair.topology.internet, to: pair.ulidOfB,
                    [Injector.packet(from: Flood.source, to: pair.ulidOfB, i1)])
                defer { flood.stop() }
                let (before, begin) = (try pair.b.status().counters["in_i1", default: 0], Clock.now)
                let count = try dropped(100_000, "i1_rate", by: pair.b)
                let read = try pair.b.status().counters["in_i1", default: 0] - before
                let seconds = (Clock.now - begin).seconds
                // 100 a second, and as many at once.
                #expect(Double(read) < 100 * seconds + 200, "\(count) were dropped")
                try pair.a.control(["rm", old.description])
                let new = try pair.waitUntilEstablished().a.summary.tag
                #expect(new != old && flood.isRunning)
                flood.stop()
                _ = try echo.stop()
            }
        }

        @Test func `A site that floods with I2s keeps no other from a context`() throws {
            try withPair { pair in
                var i2 = try Self.i1(naming: nil)
                // Whatever it says: the checksum is wrong then, which the daemon has to look at.
                i2[2] = 3
                let flood = try Flood(
                    from: pair.topology.internet, to: pair.ulidOfB,
                    [Injector.packet(from: Flood.source, to: pair.ulidOfB, i2)], varying: Flood.subnets)
                defer { flood.stop() }
                _ = try dropped(100_000, "other_rate", by: pair.b)
                #expect(try pair.b.status().drops.first { $0.key.hasSuffix("strangers_rate") }?.value ?? 0 == 0)
                let echo = try pair.startSession()
                #expect(flood.isRunning)
                flood.stop()
                _ = try echo.stop()
            }
        }

        @Test func `SYNs to a closed port ask for no contexts`() throws {
            try withPair { pair in
                // From as few sources as make a session worth a context after some hundred packets each.
                let syns = (0..<64).map {
                    Self.syn(from: IPv6Address(high: Flood.source.high, low: $0), to: pair.ulidOfB)
                }
                let flood = try Flood(from: pair.topology.internet, to: pair.ulidOfB, syns, varying: 0..<0)
                defer { flood.stop() }
                let refused = { () throws -> Int in
                    let line = try pair.b.namespace.run("nstat", "-asz", "TcpOutRsts").split(separator: "\n").last ?? ""
                    return line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
                }
                try pair.laboratory.wait(until: "20,000 SYNs to be refused", upTo: 120) { try refused() > 20_000 }
                #expect(try pair.b.contexts().isEmpty)
                let echo = try pair.startSession()
                #expect(flood.isRunning)
                flood.stop()
                _ = try echo.stop()
            }
        }

        private static func i1(naming ulids: (sender: IPv6Address, receiver: IPv6Address)?) throws -> [UInt8] {
            let option = ulids.map { ULIDPairOption(sender: $0.sender, receiver: $0.receiver) }
            let i1 = I1(initiatorTag: ContextTag(truncating: 77), initiatorNonce: 99, ulidPair: option)
            return try ControlMessage.i1(i1).encoded()
        }

        private static func syn(from source: IPv6Address, to target: IPv6Address) -> [UInt8] {
            var segment: [UInt8] = [0x30, 0x39, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0]
            let sum = stride(from: 0, to: 52, by: 2).reduce(UInt32(6 + 20)) { sum, index in
                let octets = source.octets + target.octets + segment
                return sum + UInt32(octets[index]) << 8 + UInt32(octets[index + 1])
            }
            let folded = sum & 0xffff + sum >> 16
            let checksum = ~UInt16(truncatingIfNeeded: folded & 0xffff + folded >> 16)
            segment[16] = UInt8(checksum >> 8)
            segment[17] = UInt8(checksum & 0xff)
            return Injector.packet(from: source, to: target, segment, nextHeader: 6)
        }

        /// Waits until so many packets were dropped for a reason, and says how many.
        private func dropped(_ count: UInt64, _ reason: String, by daemon: Daemon) throws -> UInt64 {
            try daemon.laboratory.wait(for: "\(count) packets to be dropped: \(reason)", upTo: 120, every: 0.2) {
                let drops = try daemon.status().drops["data_path_\(reason)", default: 0]
                return drops >= count ? drops : nil
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
