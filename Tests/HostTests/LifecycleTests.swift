import Foundation
import Lab
import Shim6Control
import Testing

extension HostTests {
    /// What a daemon leaves behind however it ends, and what of others it touches: nothing.
    @Suite struct LifecycleTests {
        /// Things of an administrator that look much like the daemon's.
        private func furnish(_ host: Namespace) throws {
            try host.run("ip", "-6", "rule", "add", "from", "2001:db8:77::/64", "lookup", "77", "priority", "90")
            try host.run("ip", "-6", "route", "add", "2001:db8:77::/64", "dev", "lo", "table", "77")
            try host.run("ip", "-6", "addr", "add", "2001:db8:77::1/128", "dev", "lo")
            try host.run(
                "ip", "xfrm", "policy", "add", "src", "2001:db8:77::1", "dst", "2001:db8:78::1", "dir", "in", "ptype",
                "sub")
            try host.run("tc", "qdisc", "add", "dev", "a2", "clsact")
            try host.run(
                "tc", "filter", "add", "dev", "a2", "ingress", "pref", "40000", "protocol", "ipv6", "u32", "match",
                "u32", "0", "0", "classid", "1:1")
        }

        /// The host before the daemon's first start.
        private func withFurnishedPair(
            _ settings: Daemon.Settings = quick, _ body: (Pair, HostState) throws -> Void
        ) throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let pair = try Pair(laboratory, a: settings, b: quick)
            try furnish(pair.a.namespace)
            try pair.topology.waitForAddresses(of: "a")
            let before = try HostState(of: pair.a.namespace)
            do {
                try pair.start()
                try body(pair, before)
            } catch {
                Issue.record("\(error)\n\(pair.lastWords())")
            }
        }

        /// The routes that come with addresses.
        private func isOfAddress(_ change: String) -> Bool {
            change.contains("proto kernel") || change.hasPrefix("+ addresses") || change.hasPrefix("+ routes: local")
                || change.hasPrefix("+ routes: anycast")
        }

        @Test func `After SIGTERM only the addresses stay, and a flush takes these`() throws {
            try withFurnishedPair { pair, before in
                let echo = try pair.startSession()
                try pair.rehome()
                _ = try echo.stop()
                #expect(try !before.changes(to: HostState(of: pair.a.namespace)).isEmpty)
                #expect(pair.a.stop() == 0)
                let after = try HostState(of: pair.a.namespace)
                let changes = before.changes(to: after)
                #expect(changes.contains { $0.contains(pair.ulidOfA.description) }, "the addresses are gone")
                #expect(changes.allSatisfy(isOfAddress), "\(changes.filter { !isOfAddress($0) })")
                try flush(pair.a)
                #expect(try before.changes(to: HostState(of: pair.a.namespace)).isEmpty)
            }
        }

        @Test func `A configuration takes the addresses away at the end`() throws {
            var settings = quick
            settings.sections[""] = ["remove-addresses-on-exit = true"]
            try withFurnishedPair(settings) { pair, before in
                #expect(pair.a.stop(SIGINT) == 0)
                let changes = try before.changes(to: HostState(of: pair.a.namespace))
                #expect(changes.isEmpty, "\(changes)")
            }
        }

        @Test func `After SIGKILL the next start and end leave nothing, and so does a flush alone`() throws {
            try withFurnishedPair { pair, before in
                let echo = try pair.startSession()
                try pair.rehome()
                pair.a.stop(SIGKILL)
                #expect(try !before.changes(to: HostState(of: pair.a.namespace)).allSatisfy(isOfAddress))
                // The same addresses come back: the identity was kept.
                let (first, second) = (pair.locator("a1"), pair.locator("a2"))
                try pair.topology.heal(pair.topology.uplink("a1"))
                try pair.a.start()
                try pair.learnLocators()
                #expect(pair.locator("a1") == first && pair.locator("a2") == second)
                #expect(pair.a.stop() == 0)
                let stopped = try before.changes(to: HostState(of: pair.a.namespace))
                #expect(stopped.allSatisfy(isOfAddress), "\(stopped.filter { !isOfAddress($0) })")

                try pair.a.start()
                pair.a.stop(SIGKILL)
                try flush(pair.a)
                let flushed = try before.changes(to: HostState(of: pair.a.namespace))
                #expect(flushed.isEmpty, "\(flushed)")
                _ = try echo.stop()
            }
        }

        // A kernel without a reader of protocol 140 would deny that this host speaks Shim6, and peers would believe it.
        @Test func `While the daemon is dead the kernel does not deny Shim6`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                pair.a.stop(SIGKILL)
                try pair.laboratory.pass(seconds: 3)
                let capture = try Capture(
                    pair.laboratory, in: pair.topology.internet, device: "a1", filter: "icmp6 and ip6[40] == 4")
                _ = try? pair.b.control(["rm", try #require(try pair.contextOfB()).summary.tag.description])
                _ = try? pair.b.control(["establish", pair.ulidOfB.description, pair.ulidOfA.description])
                try pair.laboratory.pass(seconds: 3)
                #expect(try capture.packets().isEmpty, "a Parameter Problem went out")
                _ = try echo.stop()
            }
        }

        private func flush(_ daemon: Daemon) throws {
            try daemon.namespace.run([try Executable.daemon.path, "--config", daemon.configuration, "--flush"])
        }
    }
}
