import Foundation
import Lab
import Requirements
import Shim6Control
import Shim6Wire
import Testing

extension HostTests {
    /// The daemon's addresses on the uplinks, with real routers that advertise.
    @Suite struct AddressTests {
        /// Host A hears two routers and names no prefix; B is as always.
        private struct Advertised {
            var topology: Topology
            var routers: [String: Router]
            var a: Daemon
            var b: Daemon
            var laboratory: Laboratory { topology.laboratory }

            /// The daemon's own addresses on a device, those that are there to stay first.
            func own(_ device: String) throws -> [KernelAddress] {
                let report = try a.ask(IdentityReport.self, "identity")
                let own = Set(report.addresses.map(\.address.description))
                return try a.namespace.addresses(on: device).filter { own.contains($0.local) }
                    .sorted { $0.preferredLifetime > $1.preferredLifetime }
            }

            /// Waits until an address has the lifetimes that the kernel gave its own in the same prefix. Both have to be seen
            /// at the same moment: each advertisement renews them.
            func waitForLifetimes(of own: KernelAddress, on device: String) throws {
                try laboratory.wait(until: "\(own.local) to have the lifetimes of its prefix") {
                    let inPrefix = try a.namespace.addresses(on: device).filter {
                        IPv6Address($0.local)?.high == IPv6Address(own.local)?.high
                    }
                    guard inPrefix.count == 2, let own = inPrefix.first(where: { $0.local == own.local }),
                        let kernels = inPrefix.first(where: { $0.local != own.local })
                    else { return false }
                    return abs(own.validLifetime - kernels.validLifetime) <= 1
                        && abs(own.preferredLifetime - kernels.preferredLifetime) <= 1
                }
            }

            func waitForOwn(_ count: Int, on device: String) throws -> [KernelAddress] {
                try laboratory.wait(for: "\(count) addresses of the daemon on \(device)", every: 0.2) {
                    let own = try own(device)
                    return own.count == count && own.allSatisfy { !$0.isTentative } ? own : nil
                }
            }

            /// Makes a context between an address of A and B's first, and returns B's view of it when it is established.
            func establish(_ local: String) throws -> ContextDetail {
                let local = try #require(IPv6Address(local))
                let peer = try b.locator(on: "b1")
                try a.control(["establish", local.description, peer.description])
                return try laboratory.wait(for: "the context with \(local)", every: 0.1) {
                    guard let context = try b.context(local: peer, peer: local),
                        context.summary.state == "ESTABLISHED",
                        try a.context(local: local, peer: peer)?.summary.state == "ESTABLISHED"
                    else { return nil }
                    return context
                }
            }

            /// Waits until B knows exactly these locators of A.
            func waitUntilOffered(_ locators: Set<String>, in context: ContextDetail) throws {
                try laboratory.wait(for: "B to know the locators \(locators.sorted())", every: 0.2) {
                    let detail = try b.context(
                        local: context.summary.ulids.local, peer: context.summary.ulids.peer)
                    let known = detail?.peerLocators.locators.filter { $0.state != .withdrawn } ?? []
                    return Set(known.map(\.address.description)) == locators ? true : nil
                }
            }
        }

        private func withRouters(
            _ prefixes: [String: [Router.Prefix]], prefer: Bool = false, _ body: (Advertised) throws -> Void
        ) throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let topology = try Topology(laboratory)
            var routers: [String: Router] = [:]
            for uplink in topology.uplinks(of: "a") {
                let router = Router(topology, uplink)
                try router.advertise(prefixes[uplink.device] ?? [])
                routers[uplink.device] = router
            }
            try topology.listenToRouters(host: "a")
            var settings = quick
            if prefer { settings.sections["identity"] = ["prefer = true"] }
            let advertised = Advertised(
                topology: topology, routers: routers,
                a: try Daemon(topology, host: "a", settings: settings, followsRouters: true),
                b: try Daemon(topology, host: "b", settings: quick))
            do {
                try advertised.a.launch()
                try advertised.b.start()
                try advertised.a.waitForLocators(2)
                try body(advertised)
            } catch {
                Issue.record(
                    "\(error)\n--- a ---\n\(advertised.a.logged.suffix(6_000))\n--- b ---\n\(advertised.b.logged.suffix(2_000))"
                )
            }
        }

        @Test(.requirement("5534-3.1-01", "5534-3.1-06"))
        func `Two providers' advertisements give one set of addresses with their lifetimes, and nothing else changes`()
            throws
        {
            let prefixes = [
                "a1": [Router.Prefix("2001:db8:a1::/64", preferred: 300, valid: 600)],
                "a2": [Router.Prefix("2001:db8:a2::/64", preferred: 200, valid: 400)],
            ]
            try withRouters(prefixes, prefer: true) { net in
                let own = try ["a1": net.waitForOwn(1, on: "a1")[0], "a2": net.waitForOwn(1, on: "a2")[0]]
                for (device, address) in own { try net.waitForLifetimes(of: address, on: device) }
                let mine = try #require(own["a1"])
                let context = try net.establish(mine.local)
                #expect(context.peerLocators.locators.map(\.method) == ["hba", "hba"])
                #expect(Set(context.peerLocators.locators.map(\.address.description)) == Set(own.values.map(\.local)))
                // A new session takes the daemon's address and not the kernel's.
                let peer = net.topology.uplink("b1").gateway
                for device in ["a1", "a2"] {
                    let chosen = try net.a.namespace.run("ip", "-6", "route", "get", peer, "oif", device)
                    #expect(chosen.contains("src \(try #require(own[device]).local) "), "\(chosen)")
                }
                let before = try net.a.namespace.addresses(on: "a1").map(\.local)
                #expect(net.a.stop() == 0)
                // Addresses stay, the labels and everything else go.
                #expect(try net.a.namespace.addresses(on: "a1").map(\.local) == before)
                #expect(try !net.a.namespace.run("ip", "addrlabel", "list").contains("6140"))
                try net.a.namespace.run([try Executable.daemon.path, "--config", net.a.configuration, "--flush"])
                let left = try net.a.namespace.addresses(on: "a1").map(\.local)
                #expect(left == before.filter { $0 != mine.local } && !left.isEmpty)
            }
        }

        @Test(.requirement("5534-3.1-02", "5534-3.1-06", "5534-3.1-07", "5535-4-06", "5535-8-01", "5535-8.1-01"))
        func `Renumbering brings a signed address, deprecates the old one, and the peer is told of both`() throws {
            let old = Router.Prefix("2001:db8:a1::/64", preferred: 30, valid: 30)
            let other = Router.Prefix("2001:db8:a2::/64", preferred: 300, valid: 600)
            try withRouters(["a1": [old], "a2": [other]]) { net in
                let first = try net.waitForOwn(1, on: "a1")[0]
                let second = try net.waitForOwn(1, on: "a2")[0]
                let context = try net.establish(second.local)
                try net.topology.route("2001:db8:c1::/64", to: net.topology.uplink("a1"))
                try net.routers["a1"]?.advertise([
                    Router.Prefix("2001:db8:a1::/64", preferred: 0, valid: 0),
                    Router.Prefix("2001:db8:c1::/64", preferred: 300, valid: 600),
                ])
                let both = try net.waitForOwn(2, on: "a1")
                #expect(both.map(\.isDeprecated) == [false, true])
                #expect(both[1].local == first.local)
                try net.waitUntilOffered([first.local, second.local, both[0].local], in: context)
                let detail = try #require(
                    try net.b.context(local: context.summary.ulids.local, peer: context.summary.ulids.peer))
                let methods = Dictionary(
                    uniqueKeysWithValues: detail.peerLocators.locators.map { ($0.address.description, $0.method) })
                #expect(methods[both[0].local] == "cga" && methods[first.local] == "hba")
                // The rest of its valid lifetime passes, and it is a locator no more.
                #expect(try net.waitForOwn(1, on: "a1")[0].local == both[0].local)
                try net.waitUntilOffered([second.local, both[0].local], in: context)
                let rules = try net.a.namespace.run("ip", "-6", "rule", "show")
                #expect(!rules.contains("2001:db8:a1::/64") && rules.contains("2001:db8:c1::/64"))
            }
        }

        @Test(.requirement("5534-3.1-02", "5534-3.2-01"))
        func `A prefix advertised no more ends with its lifetime, and a router that retires takes its uplink out`()
            throws
        {
            let first = Router.Prefix("2001:db8:a1::/64", preferred: 300, valid: 600)
            let second = Router.Prefix("2001:db8:a2::/64", preferred: 18, valid: 20)
            try withRouters(["a1": [first], "a2": [second]]) { net in
                let one = try net.waitForOwn(1, on: "a1")[0]
                let two = try net.waitForOwn(1, on: "a2")[0]
                let context = try net.establish(one.local)
                try net.waitUntilOffered([one.local, two.local], in: context)
                net.routers["a2"]?.die()
                #expect(try net.waitForOwn(0, on: "a2").isEmpty)
                try net.waitUntilOffered([one.local], in: context)
                #expect(try !net.a.namespace.run("ip", "-6", "rule", "show").contains("2001:db8:a2::/64"))
                // It comes back, and then the other says that it is no router any more: its prefix stays valid.
                try net.routers["a2"]?.advertise([second])
                let back = try net.waitForOwn(1, on: "a2")[0]
                #expect(back.local == two.local)
                try net.waitUntilOffered([one.local, two.local], in: context)
                net.routers["a1"]?.retire()
                try net.waitUntilOffered([two.local], in: context)
                #expect(try net.own("a1").map(\.local) == [one.local])
            }
        }

        @Test(
            .requirement("3972-4-23", "5535-6-16"),
            arguments: [(false, true), (true, true), (false, false)])
        func `Another host's address is left to it, and the next one takes its place, in a set with all others`(
            isAdvertised: Bool, isSet: Bool
        ) throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let topology = try Topology(laboratory, hosts: ["a": 2])
            if isAdvertised {
                for uplink in topology.uplinks {
                    try Router(topology, uplink).advertise([Router.Prefix(uplink.prefix, preferred: 300, valid: 600)])
                }
                try topology.listenToRouters(host: "a")
            }
            var settings = quick
            settings.sections[""] = ["remove-addresses-on-exit = true"]
            settings.sections["identity"] = ["hba = \(isSet)"]
            let daemon = try Daemon(topology, host: "a", settings: settings, followsRouters: isAdvertised)
            do {
                try daemon.launch()
                try daemon.waitForLocators(2)
                let before = try daemon.ask(IdentityReport.self, "identity").addresses
                let taken = try daemon.locator(on: "a1")
                #expect(daemon.stop() == 0)
                try topology.internet.run("ip", "addr", "add", "\(taken)/64", "dev", "a1", "nodad")
                try daemon.launch()
                try laboratory.wait(until: "other addresses") {
                    let now = (try? daemon.ask(IdentityReport.self, "identity").addresses) ?? []
                    return now.count == 2 && now.allSatisfy { $0.interface != nil }
                        && now.map(\.collisionCount).sorted() == (isSet ? [1, 1] : [0, 1])
                }
                try daemon.waitForLocators(2)
                let after = try daemon.ask(IdentityReport.self, "identity").addresses
                let kept = Set(after.map(\.address)).intersection(before.map(\.address))
                #expect(kept == (isSet ? [] : Set(before.map(\.address)).subtracting([taken])))
                #expect(after.allSatisfy { $0.method == (isSet ? "hba" : "cga") })
                let there = try daemon.namespace.addresses(on: "a1").map(\.local)
                #expect(!there.contains(taken.description))
                #expect(daemon.logged.contains("another host has \(taken)"))
            } catch {
                Issue.record("\(error)\n\(daemon.logged.suffix(6_000))")
            }
        }

        @Test(.requirement("5534-3.1-03"))
        func `An address whose detection goes on is offered to nobody`() throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let topology = try Topology(laboratory, hosts: ["a": 2, "b": 1])
            let daemon = try Daemon(topology, host: "a", settings: quick)
            try daemon.namespace.set(["net.ipv6.conf.a2.dad_transmits": "100"])
            try daemon.launch()
            try daemon.waitForLocators(1)
            let locators = try daemon.ask(LocatorReport.self, "locators").locators
            let tentative = try #require(locators.first { $0.state == .tentative })
            #expect(tentative.interface == "a2")
            #expect(try daemon.status().uplinks.first { $0.interface == "a2" }?.locators == [])
            #expect(throws: LabError.self) {
                try daemon.control(["establish", tentative.address.description, "2001:db8:b1::5"])
            }
            // What is left of the detection takes a second in place of minutes.
            try daemon.namespace.set(["net.ipv6.neigh.a2.retrans_time_ms": "10"])
            try daemon.waitForLocators(2)
            try daemon.control(["establish", tentative.address.description, "2001:db8:b1::5"])
        }
    }
}

extension Daemon {
    /// Waits until so many addresses are offered to peers.
    func waitForLocators(_ count: Int) throws {
        try laboratory.wait(until: "\(count) locators of shim6d on host \(host)") {
            guard isRunning else { throw LabError("shim6d on host \(host) has ended") }
            let report = try? ask(LocatorReport.self, "locators")
            return report?.locators.filter { $0.state == .usable && $0.method != nil }.count == count
        }
    }
}
