import Foundation
import Lab
import Requirements
import Shim6Control
import Shim6Wire
import Testing

extension HostTests {
    /// Which addresses new sessions take, on a host that has others beside the daemon's.
    @Suite struct NewSessionTests {
        /// The other end of the sessions of host A is host B, which runs no daemon.
        private struct Net {
            var topology: Topology
            var daemon: Daemon
            var laboratory: Laboratory { topology.laboratory }
            var host: Namespace { daemon.namespace }
            let beyond = "2001:db8:b1::b"

            init(_ topology: Topology, _ daemon: Daemon) throws {
                self.topology = topology
                self.daemon = daemon
                try topology.hosts["b"]?.run("ip", "addr", "add", "\(beyond)/64", "dev", "b1", "nodad")
            }

            /// The address that the kernel takes.
            func source(over device: String = "a1") throws -> String {
                let words = try host.run("ip", "-6", "route", "get", beyond, "oif", device).split(separator: " ")
                let index = try #require(words.firstIndex(of: "src"))
                return String(words[index + 1])
            }

            func status(of device: String = "a1") throws -> NewSessions? {
                try daemon.status().uplinks.first { $0.interface == device }?.newSessions
            }

            func isDeprecated(_ address: String, on device: String = "a1") throws -> Bool? {
                try host.addresses(on: device).first { $0.local == address }?.isDeprecated
            }

            /// What the provider behind a1 does with packets that come from this address or prefix: nothing.
            func drop(_ source: String) throws {
                try topology.internet.run(
                    "ip", "-6", "rule", "add", "pref", "20", "iif", "a1", "from", source, "blackhole")
            }

            func passAll() throws { try topology.internet.run("ip", "-6", "rule", "del", "pref", "20") }

            /// A session that leaves the choice of its address to the kernel, and lasts.
            func connect(over device: String = "a1") throws -> Program {
                let server = ["socat", "TCP6-LISTEN:7000,fork,reuseaddr", "EXEC:cat"]
                try laboratory.start(server, in: topology.hosts["b"], log: "server.log")
                try laboratory.wait(until: "the server to listen") {
                    try topology.hosts["b"]?.run("ss", "-6Htln").contains(":7000") == true
                }
                let address = "TCP6:[\(beyond)]:7000,so-bindtodevice=\(device),connect-timeout=300"
                let client = try laboratory.start(["socat", address, "EXEC:sleep 600"], in: host, log: "client.log")
                return client
            }

            func questions() throws -> UInt64 { try daemon.status().counters["address_questions"] ?? 0 }
        }

        private func withProvidersAddresses(_ identity: [String] = [], _ body: (Net) throws -> Void) throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let topology = try Topology(laboratory, hosts: ["a": 2, "b": 1])
            var settings = quick
            settings.sections["identity"] = identity
            let daemon = try Daemon(topology, host: "a", settings: settings)
            for number in 1...2 {
                try daemon.namespace.run(
                    "ip", "addr", "add", "2001:db8:a\(number)::a/64", "dev", "a\(number)", "nodad")
            }
            let net = try Net(topology, daemon)
            do {
                #expect(try net.source() == "2001:db8:a1::a")
                try daemon.launch()
                try daemon.waitForLocators(2)
                try topology.waitForAddresses(of: "a")
                try body(net)
            } catch {
                Issue.record("\(error)\n\(daemon.logged.suffix(6_000))")
            }
        }

        @Test func `A provider's address is taken until something beyond the gateway answers to the daemon's`() throws {
            try withProvidersAddresses { net in
                let providers = "2001:db8:a1::a"
                try net.topology.internet.run(
                    "ip", "-6", "rule", "add", "pref", "10", "iif", "a1", "from", providers, "lookup", "main")
                try net.drop("2001:db8:a1::/64")
                let own = try net.daemon.locator(on: "a1").description
                #expect(try net.source() == providers)
                #expect(try net.isDeprecated(own) == true && net.isDeprecated(providers) == false)
                let before = try #require(try net.status())
                #expect(before.source.description == providers && !before.protected)
                #expect(before.reason.contains("\(own) is held back, since nothing beyond the gateway has answered"))
                let warnings = try net.daemon.status().warnings
                #expect(warnings.contains { $0.hasPrefix("a1: new sessions take \(providers)") })
                // A host with which there is a session is asked, from the daemon's address, in vain.
                let client = try net.connect()
                try net.laboratory.wait(until: "some questions") { try net.questions() >= 4 }
                #expect(try net.source() == providers && net.isDeprecated(own) == true && client.isRunning)
                let report = try net.daemon.ask(LocatorReport.self, "locators").locators
                let foreign = try #require(report.first { $0.address.description == providers })
                #expect(foreign.state == .unverifiable && foreign.newSessions == true && !foreign.dns)
                let mine = try #require(report.first { $0.address.description == own })
                #expect(mine.state == .usable && mine.standing == .unproven && mine.newSessions == false && mine.dns)
                // The provider has assigned it at last.
                try net.passAll()
                try net.laboratory.wait(until: "new sessions to take the daemon's address") {
                    try net.source() == own
                }
                #expect(try net.isDeprecated(own) == false && net.isDeprecated(providers) == false)
                let after = try #require(try net.status())
                #expect(after.source.description == own && after.protected)
                let text = try net.daemon.control(["locators"])
                #expect(text.contains("a1: new sessions take \(own), proven\n"))
                #expect(text.contains("never protected: 2001:db8:a1::a, 2001:db8:a2::a\n"))
                #expect(text.contains("for the DNS: \(own), "))
                // Without the daemon everything is as before, though its addresses stay for what uses them.
                #expect(net.daemon.stop() == 0)
                #expect(try net.source() == providers && net.isDeprecated(own) == true)
                #expect(try !net.host.run("ip", "addrlabel", "list").contains("6140"))
                client.end()
            }
        }

        @Test func `After a crash the next start begins anew, and a flush leaves nothing`() throws {
            try withProvidersAddresses { net in
                let own = try net.daemon.locator(on: "a1").description
                let client = try net.connect()
                try net.laboratory.wait(until: "new sessions to take the daemon's address") { try net.source() == own }
                net.daemon.stop(SIGKILL)
                #expect(try net.source() == own)
                client.end()
                try net.daemon.launch()
                try net.daemon.waitForLocators(2)
                #expect(try net.isDeprecated(own) == true && net.source() == "2001:db8:a1::a")
                net.daemon.stop(SIGKILL)
                try net.host.run([try Executable.daemon.path, "--config", net.daemon.configuration, "--flush"])
                #expect(try net.host.addresses(on: "a1").map(\.local) == ["2001:db8:a1::a"])
                #expect(try !net.host.run("ip", "addrlabel", "list").contains("6140"))
            }
        }

        @Test(arguments: [true, false])
        func `An operator forces the choice`(isPreferred: Bool) throws {
            try withProvidersAddresses(["prefer = \(isPreferred)"]) { net in
                let own = try net.daemon.locator(on: "a1").description
                let expected = isPreferred ? own : "2001:db8:a1::a"
                #expect(try net.source() == expected && net.isDeprecated(own) == !isPreferred)
                let client = try net.connect()
                try net.laboratory.wait(until: "the session") {
                    try net.host.run("ss", "-6Htn", "state", "established").contains(expected)
                }
                try net.laboratory.pass(seconds: 2)
                let status = try #require(try net.status())
                #expect(status.source.description == expected && status.protected == isPreferred)
                #expect(status.reason.contains("prefer = \(isPreferred)"))
                #expect(try net.questions() == 0 && net.source() == expected)
                client.end()
            }
        }

        @Test func `The only addresses of a host are used though nothing has answered yet, and are soon proven`() throws
        {
            try withPair { pair in
                #expect(try pair.a.namespace.addresses(on: "a1").map(\.isDeprecated) == [true])
                let chosen = try pair.a.namespace.run("ip", "-6", "route", "get", "2001:db8:b1::1", "oif", "a1")
                #expect(chosen.contains("src \(pair.ulidOfA) "))
                let echo = try pair.startSession()
                for device in ["a1", "a2"] {
                    try pair.laboratory.wait(until: "the address on \(device) to be preferred") {
                        try pair.a.namespace.addresses(on: device).allSatisfy { !$0.isDeprecated }
                    }
                }
                try pair.laboratory.wait(until: "both to be proven") {
                    try pair.a.ask(LocatorReport.self, "locators").locators.allSatisfy { $0.standing == .proven }
                }
                _ = try echo.stop()
            }
        }

        @Test func `Where hosts make their own addresses it is taken at once, until it alone gets no answers`() throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let topology = try Topology(laboratory, hosts: ["a": 1, "b": 1])
            let uplink = topology.uplink("a1")
            try Router(topology, uplink).advertise([Router.Prefix(uplink.prefix, preferred: 300, valid: 600)])
            try topology.hosts["a"]?.set(["net.ipv6.conf.a1.use_tempaddr": "2"])
            try topology.listenToRouters(host: "a")
            let daemon = try Daemon(topology, host: "a", settings: quick, followsRouters: true)
            let net = try Net(topology, daemon)
            do {
                try daemon.launch()
                try daemon.waitForLocators(1)
                try topology.waitForAddresses(of: "a")
                let own = try daemon.locator(on: "a1").description
                try laboratory.wait(until: "new sessions to take the daemon's address") { try net.source() == own }
                let status = try #require(try net.status())
                #expect(status.protected && status.reason == "a router lets every host make its own addresses")
                try net.drop(own)
                let client = try net.connect()
                try laboratory.wait(until: "the daemon to notice that it gets no answers") {
                    try daemon.ask(LocatorReport.self, "locators").locators.contains { $0.standing == .refuted }
                }
                try laboratory.wait(until: "new sessions to take another address") { try net.source() != own }
                #expect(try net.isDeprecated(own) == true)
                let refuted = try #require(try net.status())
                #expect(!refuted.protected && refuted.reason.contains("does not answer to it"))
                #expect(daemon.logged.contains("address \(own) gets no answers that another address gets"))
                client.end()
            } catch {
                Issue.record("\(error)\n\(daemon.logged.suffix(6_000))")
            }
        }

        @Test func `An address that moves between hosts is never offered, and its sessions get no context`() throws {
            try withPair { pair in
                // The identity of A is brought along now, its address on a1 one that keepalived could put there.
                let own = [pair.locator("a1").description, pair.locator("a2").description]
                #expect(pair.a.stop() == 0)
                try pair.a.namespace.run([try Executable.daemon.path, "--config", pair.a.configuration, "--flush"])
                let state = pair.laboratory.path("a-state")
                let text = try String(contentsOfFile: pair.a.configuration, encoding: .utf8)
                let brought = """
                    private-key = "\(state)/key.pem"
                    parameters = ["\(state)/2001:db8:a1::.cga", "\(state)/2001:db8:a2::.cga"]
                    """
                try text.replacing("[identity]\n", with: "[identity]\n\(brought)\n").write(
                    toFile: pair.a.configuration, atomically: true, encoding: .utf8)
                try pair.a.namespace.run("ip", "addr", "add", "\(own[0])/128", "dev", "a1", "nodad")
                try pair.a.namespace.run("ip", "addr", "add", "\(own[1])/64", "dev", "a2", "nodad")
                try pair.a.launch()
                try pair.a.waitForLocators(1)
                let report = try pair.a.ask(LocatorReport.self, "locators").locators
                #expect(report.first { $0.address.description == own[0] }?.state == .shared)
                #expect(report.first { $0.address.description == own[1] }?.dns == true)
                #expect(try pair.a.status().uplinks.first { $0.interface == "a1" }?.locators == [])
                // Neither by traffic, nor asked for here, nor by the peer.
                let echo = try pair.laboratory.echo(
                    from: pair.a.namespace, own[0], to: pair.b.namespace, pair.ulidOfB.description, device: nil)
                #expect(throws: LabError.self) { try pair.a.control(["establish", own[0], pair.ulidOfB.description]) }
                try pair.b.control(["establish", pair.ulidOfB.description, own[0]])
                try pair.laboratory.wait(until: "A to have refused what B asks for") {
                    try pair.a.status().drops["ulid_not_local", default: 0] > 0
                }
                try pair.laboratory.pass(seconds: 3)
                #expect(try pair.a.contexts().isEmpty)
                #expect(try echo.stop().losses.isEmpty)
            }
        }
    }
}
