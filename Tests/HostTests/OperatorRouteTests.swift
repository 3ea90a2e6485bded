import Foundation
import Lab
import Shim6Control
import Shim6Wire
import Testing

extension HostTests {
    /// What the operator's routes and rules say wins over where the daemon would send packets by their source.
    @Suite struct OperatorRouteTests {
        /// A network on a third device of host A, with a router that has another prefix behind it.
        ///
        ///     a ── lan (fd00:1::/64) ── office ── 2001:db8:cc::/48
        private func addOffice(to pair: Pair) throws -> Namespace {
            let office = try pair.laboratory.namespace("office")
            let host = pair.a.namespace
            try join(host, "lan", to: office, "lan")
            try host.run("ip", "addr", "add", "fd00:1::1/64", "dev", "lan", "nodad")
            try office.run("ip", "addr", "add", "fd00:1::2/64", "dev", "lan", "nodad")
            try office.run("ip", "addr", "add", "2001:db8:cc::1/48", "dev", "lo")
            try office.run("ip", "-6", "route", "add", "default", "via", "fd00:1::1")
            try host.run("ip", "-6", "route", "add", "2001:db8:cc::/48", "via", "fd00:1::2", "dev", "lan")
            return office
        }

        private func join(_ host: Namespace, _ device: String, to other: Namespace, _ otherDevice: String) throws {
            try Program.run([
                "ip", "link", "add", device, "netns", host.name, "type", "veth", "peer", "name", otherDevice, "netns",
                other.name,
            ])
            try other.run("ip", "link", "set", otherDevice, "up")
            try host.run("ip", "link", "set", device, "up")
        }

        /// The device and the router of a route that the kernel finds, "refused" if it finds that there is none.
        private func way(
            _ host: Namespace, _ arguments: String...
        ) throws -> (device: String, router: String?) {
            let result = try host.result(of: ["ip", "-6", "route", "get"] + arguments)
            guard result.exitCode == 0 else { return ("refused", nil) }
            let words = result.output.split(whereSeparator: \.isWhitespace).map(String.init)
            func word(after name: String) -> String? {
                words.firstIndex(of: name).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
            }
            return (word(after: "dev") ?? "", word(after: "via"))
        }

        private func reaches(_ host: Namespace, _ target: String, from source: IPv6Address) throws -> Bool {
            try host.result(of: ["ping", "-c1", "-W5", "-I", source.description, target]).exitCode == 0
        }

        @Test func `A network on a third device and what is behind it are reached from every address, moved or not`()
            throws
        {
            try withPair { pair in
                let host = pair.a.namespace
                _ = try addOffice(to: pair)
                let echo = try pair.startSession()
                func everything(_ stage: Comment) throws {
                    for source in [pair.locator("a1"), pair.locator("a2")] {
                        #expect(try reaches(host, "fd00:1::2", from: source), stage)
                        #expect(try reaches(host, "2001:db8:cc::1", from: source), stage)
                        #expect(
                            try way(host, "fe80::1", "from", source.description, "oif", "lan").device == "lan", stage)
                    }
                    // Everything else still leaves by the provider of its source.
                    #expect(try way(host, "2001:db8:77::1", "from", "\(pair.locator("a1"))").device == "a1", stage)
                    #expect(try way(host, "2001:db8:77::1", "from", "\(pair.locator("a2"))").device == "a2", stage)
                }
                try everything("not moved")
                let begin = try pair.rehome()
                try everything("moved")
                #expect(try pair.straysOutsideFailure(try echo.stop(), begin).isEmpty)
            }
        }

        @Test func `Routes of the operator over an uplink win, those of routers and the kernel for another one do not`()
            throws
        {
            try withPair { pair in
                let host = pair.a.namespace
                let (first, second) = (pair.locator("a1").description, pair.locator("a2").description)
                let internet = pair.topology.internet
                try internet.run("ip", "addr", "add", "2001:db8:a2::2/64", "dev", "a2", "nodad")
                try internet.run("ip", "addr", "add", "2001:db8:dd::1/128", "dev", "lo")
                _ = try addOffice(to: pair)
                func add(_ route: String...) throws { try host.run(["ip", "-6", "route", "add"] + route) }
                try add("2001:db8:dd::/48", "via", "2001:db8:a2::2", "dev", "a2")
                try add("2001:db8:ee::/48", "via", "2001:db8:a2::1", "dev", "a2", "proto", "ra")
                try add("2001:db8:ee:1::/64", "via", "fd00:1::2", "dev", "lan")
                try add("2001:db8:a2::77/128", "via", "fd00:1::2", "dev", "lan")
                try add("unreachable", "2001:db8:f0::/48")
                try add("blackhole", "2001:db8:f1::/48")
                try add(
                    "2001:db8:f2::/48", "nexthop", "via", "fd00:1::2", "dev", "lan", "nexthop", "via", "fd00:1::3",
                    "dev", "lan")
                #expect(try way(host, "2001:db8:dd::1", "from", first) == ("a2", "2001:db8:a2::2"))
                #expect(try reaches(host, "2001:db8:dd::1", from: pair.locator("a1")))
                for destination in ["2001:db8:f0::1", "2001:db8:f1::1"] {
                    #expect(try way(host, destination, "from", first).device == "refused")
                    #expect(try way(host, destination, "from", second).device == "refused")
                }
                #expect(try way(host, "2001:db8:f2::1", "from", first).device == "lan")
                // What follows from routes that the daemon has to hear of.
                try pair.laboratory.wait(until: "the detours") {
                    try way(host, "2001:db8:ee::1", "from", first) == ("a1", "2001:db8:a1::1")
                        && way(host, "2001:db8:ee:1::1", "from", first) == ("lan", "fd00:1::2")
                        && way(host, "2001:db8:a2::77", "from", first) == ("lan", "fd00:1::2")
                        && way(host, "2001:db8:dd::1", "from", second, "oif", "a2") == ("a2", "2001:db8:a2::2")
                }
                #expect(try way(host, "2001:db8:a2::9", "from", first) == ("a1", "2001:db8:a1::1"))
                #expect(try way(host, "2001:db8:a2::9", "from", second) == ("a2", nil))
                #expect(try way(host, "2001:db8:ee::1", "from", second) == ("a2", "2001:db8:a2::1"))
                // They go as they came.
                try host.run("ip", "-6", "route", "del", "2001:db8:ee::/48")
                try host.run("ip", "-6", "route", "del", "2001:db8:a2::77/128")
                try pair.laboratory.wait(until: "fewer detours") {
                    try way(host, "2001:db8:a2::77", "from", first) == ("a1", "2001:db8:a1::1")
                        && !host.run("ip", "-6", "route", "show", "table", "6139").contains("2001:db8:ee:")
                }
            }
        }

        @Test func `A large table of the operator costs no rows, and each route counts at once`() throws {
            try withPair { pair in
                let host = pair.a.namespace
                let echo = try pair.startSession()
                _ = try addOffice(to: pair)
                try pair.topology.waitForAddresses(of: "a")
                let before = try HostState(of: host)
                let routes = (0..<10_000).map { "2001:db9:\(String($0, radix: 16))::/48 via fd00:1::2 dev lan\n" }
                try host.run("ip", "-6", "-batch", "-", input: routes.map { "route add \($0)" }.joined())
                for source in [pair.locator("a1"), pair.locator("a2")] {
                    #expect(try way(host, "2001:db9:270f::1", "from", "\(source)") == ("lan", "fd00:1::2"))
                }
                // Something that makes the daemon look at everything.
                try host.run("ip", "-6", "route", "add", "2001:db8:dd::/48", "via", "2001:db8:a2::1", "dev", "a2")
                try pair.laboratory.wait(until: "the copy of a route") {
                    try host.run("ip", "-6", "route", "show", "table", "6142").contains("2001:db8:dd::/48")
                }
                let changes = before.changes(to: try HostState(of: host)).filter { !$0.contains("2001:db9:") }
                #expect(changes.count == 2, "\(changes)")
                #expect(try echo.stop().losses.isEmpty)
            }
        }

        @Test func `What a container sends through the host goes where it would without the daemon`() throws {
            try withPair { pair in
                let host = pair.a.namespace
                let box = try pair.laboratory.namespace("box")
                try host.run("ip", "link", "add", "br0", "type", "bridge")
                try join(host, "port", to: box, "eth0")
                try host.run("ip", "link", "set", "port", "master", "br0")
                try host.run("ip", "link", "set", "br0", "up")
                try host.run("ip", "addr", "add", "fd00:2::1/64", "dev", "br0", "nodad")
                // An address of the container's own, and one in a prefix of the host's second uplink.
                let sources = ["fd00:2::2", "2001:db8:a2::b0b"]
                try box.run("ip", "addr", "add", "fd00:2::2/64", "dev", "eth0", "nodad")
                try box.run("ip", "addr", "add", "2001:db8:a2::b0b/128", "dev", "eth0", "nodad")
                try box.run("ip", "-6", "route", "add", "default", "via", "fd00:2::1")
                try host.run("ip", "-6", "route", "add", "2001:db8:a2::b0b/128", "dev", "br0")
                try host.set(["net.ipv6.conf.all.forwarding": "1"])
                let way = "\(pair.ulidOfA)"
                let internet = pair.topology.internet
                for source in sources {
                    try internet.run("ip", "-6", "route", "add", "\(source)/128", "via", way, "dev", "a1")
                }
                let echo = try pair.startSession()
                let peer = pair.ulidOfB.description
                func everything(_ stage: Comment) throws {
                    for source in sources {
                        let found = try self.way(host, peer, "from", source, "iif", "br0")
                        #expect(found == ("a1", "2001:db8:a1::1"), stage)
                    }
                }
                try everything("not moved")
                for source in sources {
                    #expect(
                        try box.result(of: ["ping", "-c1", "-W5", "-I", source, peer]).exitCode == 0, "from \(source)")
                }
                let begin = try pair.rehome()
                try everything("moved")
                #expect(try pair.straysOutsideFailure(try echo.stop(), begin).isEmpty)
            }
        }

        // MARK: Full tunnels

        private static let tunnelMark = "51820"

        /// What `wg-quick up` does for a tunnel that takes everything, with a device of another kind.
        private func raiseTunnel(on pair: Pair, to exit: Namespace) throws {
            let host = pair.a.namespace
            try join(host, "wg0", to: exit, "wg0")
            try host.run("ip", "link", "set", "wg0", "arp", "off")
            try host.run("ip", "addr", "add", "fd00:3::2/128", "dev", "wg0", "nodad")
            try host.run("ip", "-6", "route", "add", "::/0", "dev", "wg0", "table", Self.tunnelMark)
            try host.run("ip", "-6", "rule", "add", "not", "fwmark", Self.tunnelMark, "table", Self.tunnelMark)
            try host.run("ip", "-6", "rule", "add", "table", "main", "suppress_prefixlength", "0")
        }

        private func lowerTunnel(on pair: Pair) throws {
            let host = pair.a.namespace
            try host.run("ip", "-6", "rule", "del", "table", Self.tunnelMark)
            try host.run("ip", "-6", "rule", "del", "table", "main", "suppress_prefixlength", "0")
            try host.run("ip", "link", "del", "wg0")
        }

        private func isUnprotected(_ pair: Pair) throws -> Bool {
            try pair.a.status().warnings.contains { $0.hasPrefix("not protected: full tunnel") }
        }

        /// Unmarked packets take the tunnel, whatever their source; marked ones and those for the office do not.
        private func expectEverythingInTunnel(_ pair: Pair, _ stage: Comment) throws {
            let host = pair.a.namespace
            for device in ["a1", "a2"] {
                let source = pair.locator(device).description
                #expect(try way(host, "2001:db8:77::1", "from", source).device == "wg0", stage)
                #expect(
                    try way(host, "2001:db8:77::1", "from", source, "mark", Self.tunnelMark).device == device, stage)
                #expect(try way(host, "2001:db8:cc::1", "from", source).device == "lan", stage)
            }
        }

        @Test(arguments: [false, true])
        func `A full tunnel takes everything, and nothing of the daemon leaves beside it`(isThereFirst: Bool) throws {
            let laboratory = try Laboratory()
            defer { laboratory.close() }
            let pair = try Pair(laboratory, a: quick, b: quick)
            do {
                _ = try addOffice(to: pair)
                let exit = try laboratory.namespace("exit")
                if isThereFirst { try raiseTunnel(on: pair, to: exit) }
                try pair.start()
                if isThereFirst {
                    #expect(try isUnprotected(pair))
                    try expectEverythingInTunnel(pair, "there first")
                    let refusal = try pair.a.namespace.result(of: [
                        try Executable.control.path, "establish", pair.ulidOfA.description, pair.ulidOfB.description,
                        "--socket", pair.a.socket,
                    ])
                    #expect(refusal.exitCode != 0)
                    try lowerTunnel(on: pair)
                    try laboratory.wait(until: "protection") { try !isUnprotected(pair) }
                }
                let echo = try pair.startSession()
                try pair.rehome()
                try raiseTunnel(on: pair, to: exit)
                try laboratory.wait(until: "a warning") { try isUnprotected(pair) }
                let wires = try ["a1", "a2"].map { device in
                    try Capture(
                        laboratory, in: pair.topology.internet, device: device,
                        filter: "ip6 proto 140 and (src host \(pair.locator("a1")) or src host \(pair.locator("a2")))")
                }
                try expectEverythingInTunnel(pair, "there later")
                let context = try #require(try pair.contextOfA())
                #expect(context.obstacle?.hasPrefix("not protected: full tunnel") == true)
                let tag = context.summary.tag.description
                #expect(try pair.a.control(["explain", tag]).contains("not protected: full tunnel (wg0)"))
                let into = try Capture(
                    laboratory, in: exit, device: "wg0",
                    filter: "src host \(pair.ulidOfA) and dst host \(pair.ulidOfB)")
                try laboratory.wait(until: "the moved session in the tunnel") { try !into.packets().isEmpty }
                try laboratory.wait(until: "control messages that are kept back") {
                    try pair.a.status().drops["full_tunnel", default: 0] > 0
                }
                for wire in wires { #expect(try wire.packets().isEmpty, "\(wire.device)") }
                _ = try echo.stop()
            } catch {
                Issue.record("\(error)\n\(pair.lastWords())")
            }
        }

        @Test func `With tunnel = outside a moved session goes on beside a full tunnel, and all else is in it`() throws
        {
            var settings = quick
            settings.sections[""] = ["tunnel = \"outside\""]
            try withPair(settings, b: quick) { pair in
                _ = try addOffice(to: pair)
                let exit = try pair.laboratory.namespace("exit")
                let echo = try pair.startSession()
                try pair.rehome()
                try raiseTunnel(on: pair, to: exit)
                let (source, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
                try pair.laboratory.wait(until: "rules ahead of those of the tunnel") {
                    try way(pair.a.namespace, peer, "from", source).device != "wg0"
                }
                let since = Clock.now
                try expectEverythingInTunnel(pair, "outside")
                #expect(try !isUnprotected(pair))
                #expect(try #require(try pair.contextOfA()).obstacle == nil)
                try pair.laboratory.pass(seconds: 3)
                #expect(try way(pair.a.namespace, peer, "from", source).device != "wg0")
                try lowerTunnel(on: pair)
                try pair.laboratory.wait(until: "the rules to be where they were") {
                    let rules = try pair.a.namespace.run("ip", "-6", "rule", "show")
                    return rules.contains("100:\tfrom all lookup 6140")
                        && rules.components(separatedBy: "lookup 6140 ").count == 2
                }
                let record = try echo.stop()
                #expect(record.losses.allSatisfy { $0 < since }, "lost in the tunnel")
                #expect(record.sent.contains { $0 > since })
            }
        }

        @Test func `A default route of main over a device that is no uplink is a full tunnel if it is the best`() throws
        {
            try withPair { pair in
                let host = pair.a.namespace
                _ = try addOffice(to: pair)
                let (source, other) = (pair.locator("a1").description, "2001:db8:77::1")
                try host.run("ip", "-6", "route", "add", "default", "via", "fd00:1::2", "dev", "lan", "metric", "5000")
                #expect(try way(host, other, "from", source).device == "a1")
                #expect(try !isUnprotected(pair))
                try host.run("ip", "-6", "route", "add", "default", "via", "fd00:1::2", "dev", "lan", "metric", "50")
                try pair.laboratory.wait(until: "all to go there") {
                    try isUnprotected(pair) && way(host, other, "from", source).device == "lan"
                }
                try host.run("ip", "-6", "route", "del", "default", "dev", "lan", "metric", "50")
                try pair.laboratory.wait(until: "providers to be used again") {
                    try !isUnprotected(pair) && way(host, other, "from", source).device == "a1"
                }
                let echo = try pair.startSession()
                #expect(try echo.stop().losses.isEmpty)
            }
        }
    }
}
