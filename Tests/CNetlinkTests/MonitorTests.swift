import Glibc
import Netlink
import Requirements
import Shim6Wire
import Testing

@Suite(.asRoot, .freshNamespace)
struct MonitorTests {
    let network: TestNetwork
    let routes: RouteSocket

    init() throws {
        network = try TestNetwork()
        routes = try RouteSocket()
    }

    /// Reads on until a change is there for each of the questions.
    private func wait(_ monitor: RouteMonitor, for questions: ((KernelChange) -> Bool)...) throws -> [Bool] {
        var seen = questions.map { _ in false }
        _ = try eventually {
            guard case .changes(let changes) = try monitor.read() else { return nil as Bool? }
            for (position, question) in questions.enumerated() where changes.contains(where: question) {
                seen[position] = true
            }
            return seen.allSatisfy { $0 } ? true : nil
        }
        return seen
    }

    @Test(.requirement("5534-3.1-06", "5534-3.2-02"))
    func `Links, addresses, routes, rules and neighbours are told as they come and go`() throws {
        let monitor = try RouteMonitor()
        let link = try network.veth()
        let ours = InterfaceAddress(
            try address("2001:db8:a1::10"), prefixLength: 64, interface: link, flags: .noDetection)
        let route = Route(to: try prefix("2001:db8:b::/48"), interface: link, table: 6_140, metric: 9, protocol: 114)
        let rule = Rule(priority: 100, table: 6_140, protocol: 114)
        try routes.add(ours)
        try routes.add(route)
        try routes.add(rule)
        try network.run("ip -6 neigh add 2001:db8:a1::1 dev a lladdr 02:00:00:00:00:01 nud permanent")
        let came = try wait(
            monitor,
            for: { if case .link(let row) = $0.row { row.name == "a" && row.isUp && !$0.isRemoval } else { false } },
            { if case .address(let row) = $0.row { row.address == ours.address && !$0.isRemoval } else { false } },
            { $0.row == .route(route) && !$0.isRemoval }, { $0.row == .rule(rule) && !$0.isRemoval },
            { if case .neighbour(let row) = $0.row { row.state == .permanent && !$0.isRemoval } else { false } })
        #expect(came == [true, true, true, true, true])
        try routes.delete(rule)
        try routes.delete(route)
        try routes.delete(ours)
        try network.run("ip -6 neigh del 2001:db8:a1::1 dev a")
        try routes.deleteLink(interface: link)
        let went = try wait(
            monitor,
            for: { if case .link(let row) = $0.row { row.index == link && $0.isRemoval } else { false } },
            { if case .address(let row) = $0.row { row.address == ours.address && $0.isRemoval } else { false } },
            { if case .route(let row) = $0.row { row.key == route.key && $0.isRemoval } else { false } },
            { $0.row == .rule(rule) && $0.isRemoval },
            { if case .neighbour(let row) = $0.row { row.interface == link && $0.isRemoval } else { false } })
        #expect(went == [true, true, true, true, true])
    }

    @Test func `A port that leaves a bridge is no link that is gone`() throws {
        _ = try network.veth()
        try network.run("ip link add name br0 type bridge")
        try network.run("ip link set dev a master br0")
        let monitor = try RouteMonitor()
        try network.run("ip link set dev a nomaster")
        try network.run("ip link set dev b down")
        var changes: [KernelChange] = []
        _ = try eventually {
            if case .changes(let more) = try monitor.read() { changes += more }
            return changes.contains { if case .link(let row) = $0.row { row.name == "b" && !row.isUp } else { false } }
                ? true : nil
        }
        #expect(changes.contains { if case .link(let row) = $0.row { row.name == "a" } else { false } })
        #expect(!changes.contains { if case .link = $0.row { $0.isRemoval } else { false } })
    }

    @Test func `Nothing to read is no changes`() throws {
        let monitor = try RouteMonitor()
        guard case .changes(let changes) = try monitor.read() else { Issue.record("lost"); return }
        #expect(changes == [])
    }

    @Test func `After an overrun a dump is complete and later changes follow it`() throws {
        let link = try network.veth()
        let monitor = try RouteMonitor(receiveBuffer: 2_048)
        func route(_ number: Int) throws -> Route {
            Route(
                to: try prefix("2001:db8:b:\(String(number, radix: 16))::/64"), interface: link, table: 6_140,
                metric: 9, protocol: 114)
        }
        for number in 1...200 { try routes.add(try route(number)) }
        guard case .lost = try monitor.read() else {
            Issue.record("200 changes fitted into 2 KiB")
            return
        }
        let known = Set(try routes.routes().filter { $0.table == 6_140 })
        #expect(known.count == 200)
        guard case .changes(let stale) = try monitor.read() else { Issue.record("lost again"); return }
        #expect(stale == [], "changes from before the dump are gone")
        let gone = try route(7)
        try routes.delete(gone)
        #expect(try wait(monitor, for: { $0.row == .route(gone) && $0.isRemoval }) == [true])
    }

    @Test func `A qdisc or filter that comes or goes is told of with its interface`() throws {
        let link = try network.veth()
        let monitor = try RouteMonitor()
        for command in [
            "tc qdisc add dev a clsact",
            "tc filter add dev a ingress pref 7 protocol ipv6 u32 match u32 0 0 classid 1:1",
            "tc filter del dev a ingress pref 7", "tc qdisc del dev a clsact",
        ] {
            try network.run(command)
            #expect(try wait(monitor, for: { $0.row == .filters(link) }) == [true], "\(command)")
        }
    }
}
