import Foundation
import Lab
import Requirements
import Shim6Control
import Shim6Wire
import Testing

extension HostTests {
    /// The key and the addresses of a host, as an operator sees them.
    @Suite struct IdentityTests {
        @Test(.requirement("5535-8-04", "3972-7.1-04"))
        func `A rotation gives other addresses, and a session keeps its old one until its context ends`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                let old = try pair.a.ask(IdentityReport.self, "identity")
                #expect(old.keyBits == 2048 && old.addresses.count == 2 && !old.making)
                #expect(old.addresses.allSatisfy { $0.method == "hba" && !$0.old })
                let key = try Data(contentsOf: URL(filePath: old.keyFile))
                let new = try pair.a.ask(IdentityReport.self, "identity", "rotate")
                #expect(try Data(contentsOf: URL(filePath: old.keyFile)) != key)
                let current = new.addresses.filter { !$0.old }.map(\.address)
                #expect(current.count == 2 && Set(current).isDisjoint(with: old.addresses.map(\.address)))
                // Nothing can be bound to the new ones before their detection is over: until then the old ones stay.
                #expect(Set(new.addresses.filter(\.old).map(\.address)) == Set(old.addresses.map(\.address)))
                let own = Set(new.addresses.map(\.address.description))
                for device in ["a1", "a2"] {
                    let there = try pair.a.namespace.addresses(on: device).filter { own.contains($0.local) }
                    #expect(there.contains { !$0.isTentative }, "\(there)")
                }
                // Then the ULID stays, no other does.
                try pair.laboratory.wait(until: "the other old address to go") {
                    let now = try pair.a.ask(IdentityReport.self, "identity").addresses
                    return now.filter(\.old).map(\.address) == [pair.ulidOfA]
                }
                // The peer learns the new ones, signed with the key of the ULID.
                try pair.laboratory.wait(until: "B to know the new locators") {
                    let known = try pair.contextOfB()?.peerLocators.locators.filter { $0.state != .withdrawn } ?? []
                    return Set(known.map(\.address)) == Set(current + [pair.ulidOfA])
                        && known.allSatisfy { $0.verified && $0.method == ($0.ulid ? "hba" : "cga") }
                }
                let ulid = try pair.a.namespace.addresses(on: "a1").first { $0.local == pair.ulidOfA.description }
                #expect(ulid?.isDeprecated == true)
                #expect(try echo.stop().losses.isEmpty)
                let tag = try #require(try pair.contextOfA()).summary.tag
                try pair.a.control(["rm", tag.description])
                try pair.laboratory.wait(until: "the old address to go") {
                    try pair.a.ask(IdentityReport.self, "identity").addresses.allSatisfy { !$0.old }
                }
                let left = try pair.a.namespace.addresses(on: "a1").map(\.local)
                #expect(!left.contains(pair.ulidOfA.description))
                // The new ones are the same after a restart.
                pair.a.stop(SIGKILL)
                try pair.a.start()
                let restarted = try pair.a.ask(IdentityReport.self, "identity").addresses.map(\.address)
                #expect(Set(restarted) == Set(current))
            }
        }

        @Test func `Only root and the group may renew the identity, and one that was brought along stays`() throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let topology = try Topology(laboratory, hosts: ["a": 2])
            let daemon = try Daemon(topology, host: "a", settings: quick)
            try daemon.start()
            let key = try daemon.ask(IdentityReport.self, "identity").keyFile
            let before = try Data(contentsOf: URL(filePath: key))
            let answer = try daemon.ask(IdentityReport.self, "identity", "create").addresses
            #expect(try Data(contentsOf: URL(filePath: key)) == before)
            let made = try laboratory.wait(for: "the old addresses to go") {
                let report = try daemon.ask(IdentityReport.self, "identity")
                return report.addresses.allSatisfy { !$0.old } ? report : nil
            }
            #expect(made.addresses.allSatisfy { $0.method == "hba" && $0.interface != nil })
            #expect(made.addresses.map(\.address) == answer.filter { !$0.old }.map(\.address))
            try daemon.namespace.run("chmod", "666", daemon.socket)
            let asNobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            let command = [try Executable.control.path, "identity", "rotate", "--socket", daemon.socket]
            let refused = try daemon.namespace.result(of: asNobody + command)
            #expect(refused.exitCode == 77, "\(refused.errors)")
            #expect(daemon.stop() == 0)
            let state = laboratory.path("a-state")
            let text = try String(contentsOfFile: daemon.configuration, encoding: .utf8)
            let brought = """
                private-key = "\(state)/key.pem"
                parameters = ["\(state)/2001:db8:a1::.cga", "\(state)/2001:db8:a2::.cga"]
                """
            try text.replacing("[identity]\n", with: "[identity]\n\(brought)\n").write(
                toFile: daemon.configuration, atomically: true, encoding: .utf8)
            for address in made.addresses {
                let device = try #require(address.interface)
                try daemon.namespace.run("ip", "addr", "replace", "\(address.address)/64", "dev", device, "nodad")
            }
            try daemon.launch()
            try daemon.waitForLocators(2)
            #expect(try daemon.ask(IdentityReport.self, "identity").broughtAlong)
            #expect(throws: LabError.self) { try daemon.control(["identity", "rotate"]) }
        }

        @Test func `Without verification every log line of a context and the status say so`() throws {
            var trusting = quick
            trusting.sections["peers"] = ["verify = false"]
            // A line of a context that is no event: payload to a host without a data path stays with the ULIDs.
            var plain = quick
            plain.sections["data-path", default: []].append("driver = \"none\"")
            try withPair(trusting, b: plain) { pair in
                _ = try pair.startSession()
                let (a, b) = try pair.waitUntilEstablished()
                #expect(a.peerLocators.locators.allSatisfy { !$0.verified })
                #expect(b.peerLocators.locators.allSatisfy { $0.verified })
                #expect(try pair.a.status().warnings.contains { $0.contains("verify = false") })
                let lines = pair.a.logged.split(separator: "\n").filter { $0.contains("tag=") }
                #expect(lines.contains { $0.contains("never rehomed") })
                for line in lines { #expect(line.contains("verify=false")) }
                #expect(try pair.b.status().warnings.allSatisfy { !$0.contains("verify") })
                #expect(!pair.b.logged.contains("verify=false"))
            }
        }
    }
}
