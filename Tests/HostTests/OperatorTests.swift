import Foundation
import Lab
import Shim6Control
import Testing

extension HostTests {
    /// The console and shim6ctl, as people use them.
    @Suite struct OperatorTests {
        /// Types lines at a telnet prompt, each when the console has had time to answer the one before.
        private func telnet(_ host: Namespace, _ lines: [String]) throws -> String {
            let script = lines.map { "sleep 0.3; echo '\($0)'" }.joined(separator: "; ")
            // telnet itself exits with 1 when the other end closes the connection.
            return try host.result(of: ["sh", "-c", "(\(script); sleep 0.5) | telnet ::1 50000"], limit: 20).output
        }

        @Test func `The console lists and shows contexts and refuses to remove them`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                let tag = try #require(try pair.contextOfA()).summary.tag.description
                let text = try telnet(pair.a.namespace, ["help", "ls", "cat \(tag)", "cat *", "rm \(tag)", "quit"])
                for word in ["help", "ls", "cat", "rm", "quit", tag, pair.ulidOfB.description, "ESTABLISHED"] {
                    #expect(text.contains(word), "no \(word) in:\n\(text)")
                }
                #expect(try pair.contextOfA()?.summary.tag.description == tag, "rm was not refused")
                _ = try echo.stop()
            }
        }

        @Test func `The console removes contexts where the configuration allows it`() throws {
            var settings = quick
            settings.sections["console"] = ["allow-remove = true"]
            try withPair(settings) { pair in
                let echo = try pair.startSession()
                let tag = try #require(try pair.contextOfA()).summary.tag
                _ = try echo.stop()
                _ = try telnet(pair.a.namespace, ["rm \(tag)", "quit"])
                try pair.laboratory.wait(until: "the context to go") {
                    try !pair.a.contexts().contains { $0.tag == tag }
                }
            }
        }

        @Test func `status tells the bound of every table, those of the data path among them`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                let tag = try #require(try pair.contextOfA()).summary.tag.description
                try pair.a.control(["fork", tag, "--protocol", "udp", "--dport", "7001"])
                try pair.laboratory.wait(until: "the forked context") {
                    try pair.a.contexts().count { $0.state == "ESTABLISHED" } == 2
                }
                let tables = try pair.a.status().tables
                let used = Dictionary(uniqueKeysWithValues: tables.map { ($0.name, $0.used) })
                #expect(used["contexts"] == 2 && used["data-path-contexts"] == 2)
                #expect(used["data-path-flows"] == 1)
                #expect((used["data-path-locators"] ?? 0) ?? 0 >= 2)
                for name in ["watched-sessions", "rate-limits", "next-hops", "kept-packets"] {
                    #expect(used[name] == .some(nil), "\(name)")
                }
                #expect(tables.allSatisfy { $0.limit > 0 && $0.used ?? 0 <= $0.limit && !$0.whenFull.isEmpty })
                let text = try pair.a.control(["status"])
                for table in tables { #expect(text.contains("\n\(table.name) "), "no \(table.name) in:\n\(text)") }
                _ = try echo.stop()
            }
        }

        @Test func `Many console clients work at once and one that vanishes disturbs nobody`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                let tag = try #require(try pair.contextOfA()).summary.tag.description
                let host = pair.a.namespace
                let clients = try (0..<8).map { number in
                    try pair.laboratory.start(
                        [
                            "sh", "-c",
                            "(sleep 1; echo ls; sleep 2; echo 'cat *'; sleep 1; echo quit; sleep 0.5) | telnet ::1 50000",
                        ],
                        in: host, log: "telnet-\(number).log")
                }
                try pair.laboratory.pass(seconds: 2)
                clients[0].end(with: SIGKILL, grace: 0)
                for client in clients.dropFirst() {
                    try pair.laboratory.wait(until: "the clients to end") { !client.isRunning }
                    #expect(client.text.contains("ESTABLISHED"))
                }
                let text = try telnet(host, ["ls", "quit"])
                #expect(text.contains(tag), "\(text)")
                #expect(pair.a.isRunning)
                #expect(try echo.stop().losses.isEmpty)
            }
        }

        @Test func `Every command of shim6ctl answers people and programs`() throws {
            try withPair { pair in
                let (local, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
                let made = try pair.a.ask(Establishment.self, "establish", local, peer)
                #expect(made.context.ulids.local == pair.ulidOfA && made.created)
                let (a, _) = try pair.waitUntilEstablished()
                let tag = a.summary.tag.description
                for command in [["status"], ["contexts"], ["context", tag], ["locators"], ["events"], ["timeline"]] {
                    #expect(try !pair.a.control(command).isEmpty, "\(command)")
                }
                #expect(try pair.a.status().contexts["ESTABLISHED"] == 1)
                let events = try pair.a.ask(EventList.self, "events").events
                #expect(events.contains { $0.kind == .state && $0.toState == "ESTABLISHED" })
                let feed = try EventFeed(pair.laboratory, pair.a)
                _ = try pair.a.ask(Removal.self, "rm", tag)
                try pair.laboratory.wait(until: "the event of the removal") {
                    feed.next().contains { $0.kind == .state && $0.fromState == "ESTABLISHED" && $0.toState == "IDLE" }
                }
                #expect(try !pair.a.contexts().contains { $0.tag == a.summary.tag })
            }
        }

        @Test func `shim6ctl says clearly that there is no daemon, no such context or no permission`() throws {
            try withPair { pair in
                let host = pair.a.namespace
                let control = try Executable.control.path
                let missing = try host.result(of: [control, "status", "--socket", "/nonexistent.sock"])
                #expect(missing.exitCode != 0 && missing.errors.contains("/nonexistent.sock"))
                #expect(missing.errors.split(separator: "\n").count == 1, "\(missing.errors)")
                let unknown = try host.result(of: [control, "context", "123", "--socket", pair.a.socket])
                #expect(unknown.exitCode != 0 && !unknown.errors.isEmpty)
                // Whoever may not even connect.
                let stranger = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
                try Program.run(["chmod", "755", pair.laboratory.directory])
                let copy = pair.laboratory.path("shim6ctl")
                try FileManager.default.copyItem(atPath: control, toPath: copy)
                let refused = try host.result(of: stranger + [copy, "contexts", "--socket", pair.a.socket])
                #expect(refused.exitCode == 77 && refused.errors.contains("refused"), "\(refused)")
                // Whoever may read but not change.
                try Program.run(["chmod", "666", pair.a.socket])
                let read = try host.result(of: stranger + [copy, "contexts", "--socket", pair.a.socket])
                #expect(read.exitCode == 0, "\(read)")
                let change = try host.result(
                    of: stranger + [
                        copy, "establish", pair.ulidOfA.description, pair.ulidOfB.description, "--socket",
                        pair.a.socket,
                    ])
                #expect(change.exitCode != 0 && !change.errors.isEmpty, "\(change)")
                #expect(try pair.a.contexts().isEmpty)
            }
        }
    }
}
