import KernelRows
import Netlink
import Shim6Wire
import Testing

@testable import Shim6Daemon

/// Which routes of `main` packets with a source of one provider take.
@Suite struct OperatorRoutesTests {
    private let first: UInt32 = 11
    private let second: UInt32 = 12
    private let lan: UInt32 = 13
    private let boot: UInt8 = 3

    private func prefix(_ text: String) throws -> IPv6Prefix { try #require(IPv6Prefix(text)) }

    private func route(
        _ destination: String?, _ interface: UInt32?, by origin: UInt8 = Route.byKernel, via gateway: String? = nil,
        metric: UInt32 = 1024, table: UInt32 = Route.mainTable, type: UInt8 = Route.unicast
    ) throws -> Route {
        Route(
            to: try destination.map(prefix), via: try gateway.map { try #require(IPv6Address($0)) },
            interface: interface, table: table, metric: metric, protocol: origin, type: type)
    }

    private func detours(_ routes: [Route], of interface: UInt32? = 11) -> [String] {
        OperatorRoutes(routes, uplinks: [first, second]).detours(of: interface)
            .map { "\($0.destination)\($0.isHole ? " hole" : "")" }
    }

    @Test func `Only what the kernel or a router made for another uplink is gone around`() throws {
        let routes = [
            try route("2001:db8:a1::/64", first), try route("2001:db8:a2::/64", second),
            try route("2001:db8:e::/48", second, by: Route.byRouter), try route("fe80::/64", second),
            try route("2001:db8:c::/48", second, by: boot), try route("fd00::/64", lan),
            try route("fd01::/64", lan, by: Route.byRouter), try route(nil, second, by: Route.byRouter),
            try route("2001:db8:d::/48", nil, by: boot, type: Route.unreachable),
            try route("2001:db8:f::/48", second, table: 77),
            try route("2001:db8:9::/48", second, by: Mark.protocolNumber),
        ]
        #expect(detours(routes) == ["2001:db8:e::/48", "2001:db8:a2::/64"])
        #expect(detours(routes, of: second) == ["2001:db8:a1::/64"])
        // While its interface is gone, all others are others.
        #expect(detours(routes, of: nil) == ["2001:db8:e::/48", "2001:db8:a1::/64", "2001:db8:a2::/64"])
    }

    @Test func `The more specific route wins, however often one lies inside another`() throws {
        let routes = [
            try route("2001:db8::/32", second, by: Route.byRouter), try route("2001:db8:a1::/64", first),
            try route("2001:db8:c::/48", lan, by: boot), try route("2001:db8:c:1::/64", lan, by: boot),
            try route("2001:db8:c:2::/64", second), try route("2001:db8:c:2::7/128", lan, by: boot),
            try route("2001:db8:d::/48", nil, by: boot, type: Route.blackhole),
            try route("2001:db8:e::/48", second), try route("2001:db9::/48", lan, by: boot),
        ]
        #expect(
            detours(routes.shuffled()) == [
                "2001:db8::/32", "2001:db8:c::/48 hole", "2001:db8:c:2::/64", "2001:db8:c:2::7/128 hole",
                "2001:db8:d::/48 hole", "2001:db8:a1::/64 hole",
            ])
    }

    @Test func `Of routes to one prefix the best metric counts`() throws {
        func both(_ metric: UInt32) throws -> [Route] {
            [
                try route("2001:db8:a2::/64", second, metric: 256),
                try route("2001:db8:a2::/64", lan, by: boot, metric: metric),
            ]
        }
        #expect(detours(try both(100)) == [])
        #expect(detours(try both(1024)) == ["2001:db8:a2::/64"])
        #expect(detours(try both(256)) == ["2001:db8:a2::/64"])
        #expect(detours(try both(256).reversed()) == ["2001:db8:a2::/64"])
    }

    @Test func `Every prefix of a large table is judged as if it were alone`() throws {
        let foreign = [try route("2001:db8:a2::/64", second), try route("2001:db8:8000::/33", second)]
        let many = try (0..<10_000).map { try route("2001:db8:\(String($0 * 6, radix: 16))::/48", lan, by: boot) }
        let found = OperatorRoutes(many + foreign, uplinks: [first, second]).detours(of: first)
        let inside = many.filter { ($0.destination?.address.high ?? 0) & 0x8000_0000 != 0 }
        #expect(Set(found.filter(\.isHole).map(\.destination)) == Set(inside.compactMap(\.destination)))
        #expect(
            found.filter { !$0.isHole }.map(\.destination)
                == foreign.reversed().compactMap(\.destination).sorted { $0 < $1 })
    }

    @Test func `The operator's routes over an uplink are copied for what asks for it`() throws {
        let routes = [
            try route("2001:db8:c::/48", second, by: boot, via: "2001:db8:a2::2", metric: 512),
            // A next hop of each interface.
            try route("2001:db8:d::/48", lan, by: boot, via: "fd00::2"),
            try route("2001:db8:d::/48", second, by: boot, via: "2001:db8:a2::3"),
            try route("2001:db8:a2::/64", second), try route("2001:db8:e::/48", second, by: Route.byRouter),
            try route(nil, second, by: boot), try route("fe80::/64", second, by: boot),
        ]
        let copies = OperatorRoutes(routes, uplinks: [first, second]).copies(over: second, to: 6142)
        #expect(
            copies == [
                try route(
                    "2001:db8:c::/48", second, by: Mark.protocolNumber, via: "2001:db8:a2::2", metric: 512,
                    table: 6142),
                try route("2001:db8:d::/48", second, by: Mark.protocolNumber, via: "2001:db8:a2::3", table: 6142),
            ])
    }

    // MARK: Full tunnels

    private let kernelRules = [
        Rule(priority: 0, table: 255, protocol: Route.byKernel),
        Rule(priority: 32_766, table: Route.mainTable, protocol: Route.byKernel),
    ]

    private func tunnel(_ rules: [Rule] = [], _ routes: [Route]) -> FullTunnel? {
        FullTunnel.find(
            rules: (kernelRules + rules).sorted { $0.priority < $1.priority }, routes: routes, uplinks: [first, second])
    }

    @Test func `wg-quick's rules make a full tunnel`() throws {
        let rules = [
            Rule(priority: 97, table: Route.mainTable, protocol: boot, suppressedLength: 0),
            Rule(priority: 98, mark: 51_820, markMask: .max, table: 51_820, protocol: boot, isInverted: true),
        ]
        let uplinkRoute = try route(nil, first, by: boot)
        let routes = [uplinkRoute, try route(nil, lan, by: boot, table: 51_820)]
        #expect(tunnel(rules, routes) == .device(lan))
        // Rules or routes alone, or a tunnel whose device is an uplink, are none.
        #expect(tunnel([], routes) == nil)
        #expect(tunnel(rules, [uplinkRoute]) == nil)
        #expect(tunnel(rules, [uplinkRoute, try route(nil, second, by: boot, table: 51_820)]) == nil)
        // For marked packets only.
        var marked = rules
        marked[1].isInverted = false
        #expect(tunnel(marked, routes) == nil)
        // What refuses everything else.
        #expect(
            tunnel(rules, [uplinkRoute, try route(nil, nil, by: boot, table: 51_820, type: Route.unreachable)])
                == .refused)
    }

    @Test func `A rule for some packets only makes none`() throws {
        let routes = [try route(nil, first, by: boot), try route(nil, lan, by: boot, table: 77)]
        let everything = Rule(priority: 90, table: 77, protocol: boot)
        #expect(tunnel([everything], routes) == .device(lan))
        var users = everything
        users.hasOtherSelectors = true
        let some = [
            users, Rule(priority: 90, from: try prefix("2001:db8:77::/64"), table: 77, protocol: boot),
            Rule(priority: 90, to: try prefix("2001:db8:77::/64"), table: 77, protocol: boot),
            Rule(priority: 90, incoming: "br0", table: 77, protocol: boot),
            Rule(priority: 90, outgoing: "a1", table: 77, protocol: boot),
            Rule(priority: 90, nextHeader: 6, table: 77, protocol: boot),
            Rule(priority: 90, mark: 1, markMask: 1, table: 77, protocol: boot),
            Rule(priority: 90, table: 77, protocol: Mark.protocolNumber),
        ]
        for rule in some { #expect(tunnel([rule], routes) == nil, "\(rule)") }
    }

    @Test func `A default route of main over another device makes one if it is the best and no router's`() throws {
        let uplink = try route(nil, first, by: Route.byRouter)
        #expect(tunnel([], [uplink, try route(nil, lan, by: boot, metric: 50)]) == .device(lan))
        #expect(tunnel([], [uplink, try route(nil, lan, by: boot, metric: 2000)]) == nil)
        #expect(tunnel([], [uplink, try route(nil, lan, by: boot)]) == nil)
        #expect(tunnel([], [uplink, try route(nil, lan, by: Route.byRouter, metric: 50)]) == nil)
        #expect(tunnel([], [uplink, try route(nil, nil, by: boot, metric: 50, type: Route.prohibit)]) == .refused)
        #expect(tunnel([], [try route(nil, 1, metric: .max, type: Route.unreachable)]) == nil)
        #expect(tunnel([], []) == nil)
    }

    @Test func `Halves of the Internet are as good as all of it`() throws {
        let uplink = try route(nil, first, by: boot)
        func over(_ destinations: String...) throws -> [Route] {
            try [uplink] + destinations.map { try route($0, lan, by: boot) }
        }
        #expect(tunnel([], try over("::/1", "8000::/1")) == .device(lan))
        #expect(tunnel([], try over("2000::/3")) == .device(lan))
        #expect(tunnel([], try over("2000::/4", "3000::/4")) == .device(lan))
        #expect(tunnel([], try over("2000::/4")) == nil)
        #expect(tunnel([], try over("8000::/1")) == nil)
        #expect(tunnel([], try over("2000::/3") + [try route("2000::/5", second, by: boot)]) == nil)
    }

    // MARK: Rules

    @Test func `Everything but what asks for an uplink goes behind all rules of others, and only what this host sends`()
        throws
    {
        let source = try prefix("2001:db8:a1::/64")
        let rules = SourceRules.all(of: [([source], "a1", 6141)], bound: 102, keepsDefault: false)
        #expect(rules.allSatisfy { $0.protocol == Mark.protocolNumber && SourceRules.contain($0) })
        for rule in rules where rule.outgoing == nil { #expect(rule.priority >= 32_765 && rule.incoming == "lo") }
        #expect(rules.filter { $0.outgoing == "a1" }.map(\.priority) == [102])
        #expect(rules.first { $0.table == Route.mainTable }?.suppressedLength == 0)
        let open = SourceRules.all(of: [([source], "a1", 6141)], bound: nil, keepsDefault: true)
        #expect(open.allSatisfy { $0.outgoing == nil && $0.suppressedLength == nil } && open.count == rules.count - 1)
        #expect(SourceRules.all(of: [([], "a1", 6141)], bound: 102, keepsDefault: false).isEmpty)
    }

    @Test func `The rules for rehomed pairs make way for a tunnel, or stand ahead of it`() {
        let tunnel = kernelRules + [Rule(priority: 97, table: 51_820, protocol: boot)]
        func place(_ rules: [Rule], _ hasTunnel: Bool, _ outside: Bool) -> UInt32? {
            SourceRules.steeringPriority(rules, hasTunnel: hasTunnel, leavesOutside: outside)
        }
        #expect(place(tunnel, false, false) == 99)
        #expect(place(tunnel, true, false) == nil)
        #expect(place(tunnel, true, true) == 93)
        // wg-quick was there before the daemon.
        #expect(place(kernelRules + [Rule(priority: 32_764, table: 51_820, protocol: boot)], true, true) == 99)
        // No room.
        #expect(place(kernelRules + [Rule(priority: 3, table: 51_820, protocol: boot)], true, true) == 99)
    }
}
