import Foundation
import Lab
import Requirements
import Shim6Control
import Shim6Wire
import Testing

extension HostTests {
    /// The profile fast, and what its operator can see and change.
    @Suite struct FastProfileTests {
        /// No silence is suspicious and no timer runs out, however slow and busy the machine is.
        private let unsuspicious = ["send-timeout = 60.0", "least-silence = 10.0"]

        private func fast(_ reap: [String] = []) -> Daemon.Settings {
            var settings = Daemon.Settings(profile: "fast", reap)
            settings.sections["data-path"] = quick.sections["data-path"]
            return settings
        }

        private func explanation(_ pair: Pair) throws -> Explanation {
            let tag = try #require(try pair.contextOfA()).summary.tag.description
            return try pair.a.ask(Explanation.self, "explain", tag)
        }

        /// Why the explorations of a host began.
        private func reasons(_ daemon: Daemon) throws -> Set<String> { Set(try daemon.timeline().map(\.reason)) }

        private func plain(_ pair: Pair) -> LocatorPair { LocatorPair(source: pair.ulidOfA, destination: pair.ulidOfB) }

        @Test func `Silence moves payload, which returns to the better pair after a hold, later if it flaps`() throws {
            // With so long a Send Timeout every silence is noticed before it.
            try withPair(fast(["send-timeout = 60.0", "failback-hold = 5.0"])) { pair in
                let uplink = pair.topology.uplink("a1")
                let echo = try pair.startSession()
                try pair.laboratory.pass(seconds: 2)
                let begin = try pair.rehome()
                let why = try reasons(pair.a).union(try reasons(pair.b))
                #expect(why.contains("silence") && !why.contains("send-timer-expired"), "\(why)")
                let healed = Clock.now
                try pair.topology.heal(uplink)
                _ = try pair.waitUntilMoved(to: "payload to come back", upTo: 120) { a, b in
                    a == plain(pair) && b.destination == pair.ulidOfA
                }
                #expect(Clock.now - healed > .seconds(5))
                #expect(try explanation(pair).reason == .failback)
                #expect(try pair.straysOutsideFailure(try echo.stop(), begin).isEmpty)
                _ = try pair.startSession()
                try pair.laboratory.pass(seconds: 0.5)
                try pair.rehome()
                let damped = try [pair.a, pair.b].reduce(0) {
                    $0 + (try $1.status().counters["dampings", default: 0])
                }
                #expect(damped >= 1)
            }
        }

        @Test func `What TCP sends again starts an exploration, and its last packet goes out at once`() throws {
            try withPair(fast(unsuspicious)) { pair in
                let stream = try pair.laboratory.stream(
                    from: pair.a.namespace, pair.ulidOfA.description, to: pair.b.namespace, pair.ulidOfB.description)
                _ = try pair.waitUntilEstablished()
                try pair.laboratory.pass(seconds: 1)
                try pair.rehome()
                #expect(try reasons(pair.a) == ["hint"])
                #expect(try pair.a.status().counters["data_path_resumed", default: 0] >= 1)
                try pair.laboratory.pass(seconds: 1)
                let late = Clock.now
                try pair.laboratory.pass(seconds: 3)
                let end = Clock.now
                let gaps = try stream.stop().gaps
                #expect(!gaps.contains { $0.from < late && $0.to >= end }, "the stream stands still")
            }
        }

        @Test(.requirement("5534-8-02"))
        func `A router's word that it cannot send on starts an exploration, which leaves the pair`() throws {
            try withPair(fast(unsuspicious)) { pair in
                let echo = try pair.startSession()
                try pair.laboratory.pass(seconds: 1)
                try pair.topology.internet.run("ip", "-6", "route", "add", "unreachable", "\(pair.ulidOfB)/128")
                _ = try pair.waitUntilMoved(to: "payload to avoid b1") { a, _ in a.destination == pair.locator("b2") }
                #expect(try reasons(pair.a) == ["hint"])
                _ = try echo.stop()
            }
        }

        @Test func `A switch that an operator wants is made once a probe has shown that it works`() throws {
            try withPair(fast(unsuspicious)) { pair in
                let echo = try pair.startSession()
                let tag = try #require(try pair.contextOfA()).summary.tag.description
                let other = LocatorPair(source: pair.locator("a2"), destination: pair.locator("b2"))
                let command = ["switch", tag, other.source.description, other.destination.description]
                let line = [try Executable.control.path] + command + ["--socket", pair.a.socket]
                try pair.topology.cut(pair.topology.uplink("a2"))
                let refusal = try pair.a.namespace.result(of: line)
                #expect(refusal.exitCode != 0 && refusal.errors.contains("no probe on it was answered"), "\(refusal)")
                #expect(try pair.contextOfA()?.summary.outgoing == plain(pair))
                try pair.topology.heal(pair.topology.uplink("a2"))
                try pair.laboratory.wait(until: "the switch") { try pair.a.namespace.result(of: line).exitCode == 0 }
                let explained = try explanation(pair)
                #expect(explained.outgoing == other && explained.reason == .asked)
                let used = try #require(explained.pairs.first { $0.inUse })
                #expect(used.verified && used.confirmedAgo != nil)
                // The other direction is the peer's to choose.
                let back = LocatorPair(source: pair.ulidOfB, destination: pair.ulidOfA)
                #expect(try pair.contextOfB()?.summary.outgoing == back)
                #expect(try echo.stop().losses.isEmpty)
            }
        }

        @Test func `explore shows every pair in the order of a search, a ranking first, and moves nothing`() throws {
            try withPair(fast(unsuspicious)) { pair in
                let echo = try pair.startSession()
                let tag = try #require(try pair.contextOfA()).summary.tag.description
                let first = try pair.a.ask(Explanation.self, "explore", tag).pairs
                #expect(first.count == 4 && first.last?.inUse == true)
                #expect(first[0].source == pair.locator("a2") && first[0].destination == pair.locator("b2"))
                let wanted = [pair.ulidOfA.description, pair.locator("b2").description]
                _ = try pair.a.control(["rank"] + wanted)
                let ranked = try pair.a.ask(Explanation.self, "explore", tag).pairs
                #expect(ranked[0].source == pair.ulidOfA && ranked[0].destination == pair.locator("b2"))
                #expect(try pair.contextOfA()?.summary.outgoing == plain(pair))
                #expect(try pair.a.timeline().isEmpty && pair.b.timeline().isEmpty)
                _ = try echo.stop()
            }
        }

        @Test(.requirement("5534-5.3-06"))
        func `A Send Timeout set at run time is told to the peer, in milliseconds if both count so`() throws {
            func wait(for seconds: Double, at host: Daemon, _ context: () throws -> ContextDetail?) throws {
                try host.laboratory.wait(until: "a Keepalive Timeout of \(seconds) s") {
                    try context()?.timeouts?.keepalive == seconds
                }
            }
            /// Not at once: where packets come seldom for a moment, a second is the least.
            func wait(forSendTimeout seconds: Double, _ pair: Pair) throws {
                try pair.laboratory.wait(until: "a Send Timeout of \(seconds) s") {
                    try pair.contextOfA()?.timeouts?.send == seconds
                }
            }
            try withPair(fast()) { pair in
                let echo = try pair.startSession()
                try wait(for: 0.25, at: pair.b, pair.contextOfB)
                let answer = try pair.a.control(["set", "send-timeout", "0.4"])
                #expect(answer.contains("below the 10 s that RFC 5534"))
                try wait(for: 0.4, at: pair.b, pair.contextOfB)
                try wait(forSendTimeout: 0.4, pair)
                try wait(for: 0.25, at: pair.a, pair.contextOfA)
                _ = try echo.stop()
            }
            // A peer that counts whole seconds only is told those.
            try withPair(fast(), b: quick) { pair in
                let echo = try pair.startSession()
                try wait(for: 1, at: pair.b, pair.contextOfB)
                _ = try pair.a.control(["set", "send-timeout", "3.5"])
                try wait(for: 3, at: pair.b, pair.contextOfB)
                _ = try echo.stop()
            }
        }
    }
}
