import Glibc
import Netlink
import Shim6Wire
import Testing

@Suite(.asRoot, .freshNamespace)
struct RouteTests {
    let network: TestNetwork
    let routes: RouteSocket
    let link: UInt32
    let mark: UInt8 = 114
    let table: UInt32 = 6_140

    init() throws {
        network = try TestNetwork()
        routes = try RouteSocket()
        link = try network.veth()
        try network.run("ip -6 addr add 2001:db8:a1::10/64 dev a nodad")
    }

    private func inTable() throws -> [Route] { try routes.routes().filter { $0.table == table } }

    private func steering() throws -> Route {
        Route(
            to: try prefix("2001:db8:b1::1/128"), from: try prefix("2001:db8:a1::10/128"), interface: link,
            table: table, metric: 512, mtu: 1_492, protocol: mark)
    }

    @Test func `A route for one source keeps everything that was asked for`() throws {
        let route = try steering()
        try routes.add(route)
        #expect(try inTable() == [route])
        #expect(try inTable().map(\.key) == [route.key])
        let shown = try network.run("ip -6 route show table 6140")
        #expect(shown.contains("2001:db8:b1::1 from 2001:db8:a1::10 dev a proto 114 metric 512 mtu 1492"))
        #expect(refusal { try routes.add(route) } == EEXIST)
    }

    @Test func `A default route through a gateway gets the kernel's metric`() throws {
        let gateway = try address("2001:db8:a1::1")
        try routes.add(Route(to: nil, via: gateway, interface: link, table: table, protocol: mark))
        let found = try #require(try inTable().first)
        #expect(found.destination == nil)
        #expect(found.gateway == gateway)
        #expect(found.metric == 1_024)
        #expect(found.mtu == nil)
        #expect(try network.run("ip -6 route show table 6140").contains("default via 2001:db8:a1::1 dev a proto 114"))
    }

    @Test func `Replacing takes the place of the route with the same key`() throws {
        var route = try steering()
        try routes.replace(route)
        route.mtu = 1_392
        try routes.replace(route)
        #expect(try inTable() == [route])
        route.metric = 4_294_967_295
        try routes.replace(route)
        #expect(try inTable().count == 2)
    }

    @Test func `The same route of somebody else is not deleted`() throws {
        try network.run("ip -6 route add 2001:db8:b1::1 from 2001:db8:a1::10 dev a table 6140 metric 512 proto 99")
        #expect(refusal { try routes.delete(try steering()) } == ESRCH)
        #expect(try inTable().map(\.protocol) == [99])
    }

    @Test func `A route is deleted by its key whatever its MTU`() throws {
        var route = try steering()
        try routes.add(route)
        route.mtu = nil
        route.metric = nil
        try routes.delete(route)
        #expect(try inTable() == [])
        #expect(refusal { try routes.delete(route) } == ESRCH)
    }

    @Test func `A route through a gateway that cannot be reached is refused with the kernel's reason`() throws {
        let route = Route(to: nil, via: try address("2001:db8:ff::1"), interface: link, table: table, protocol: mark)
        #expect(refusal { try routes.add(route) } == EHOSTUNREACH)
    }

    @Test func `A multipath route is one row a next hop`() throws {
        let hops = "nexthop via 2001:db8:a1::1 dev a nexthop via 2001:db8:a1::2 dev a"
        try network.run("ip -6 route add 2001:db8:c::/48 table 6140 \(hops)")
        let gateways = try inTable().compactMap { $0.gateway?.description }
        #expect(gateways.sorted() == ["2001:db8:a1::1", "2001:db8:a1::2"])
        #expect(try inTable().allSatisfy { $0.destination?.description == "2001:db8:c::/48" && $0.interface == link })
    }

    @Test func `An unreachable route needs no interface`() throws {
        let route = Route(
            to: try prefix("2001:db8:dead::/48"), interface: nil, table: table, metric: 7, protocol: mark,
            type: Route.unreachable)
        try routes.add(route)
        #expect(try inTable().first?.type == Route.unreachable)
        try routes.delete(route)
        #expect(try inTable() == [])
    }

    @Test func `Flushing takes our routes in every table and nobody else's`() throws {
        try routes.add(try steering())
        try routes.add(
            Route(to: try prefix("2001:db8:b2::/64"), interface: link, metric: 5, protocol: mark))
        let hops = "nexthop via 2001:db8:a1::1 dev a nexthop via 2001:db8:a1::2 dev a"
        try network.run("ip -6 route add 2001:db8:c::/48 table 77 proto 114 \(hops)")
        try network.run("ip -6 route add 2001:db8:b1::1 from 2001:db8:a1::10 dev a table 6140 metric 513 proto 99")
        let foreign = try routes.routes().filter { $0.protocol != mark }
        #expect(try routes.flushRoutes(protocol: mark) >= 3)
        #expect(try routes.routes() == foreign)
        #expect(foreign.contains { $0.table == table })
        #expect(try routes.flushRoutes(protocol: mark) == 0)
        #expect(refusal { try routes.flushRoutes(protocol: 0) } == EINVAL)
    }

    @Test func `A neighbour is listed with its state`() throws {
        try network.run("ip -6 neigh add 2001:db8:a1::1 dev a lladdr 02:00:00:00:00:01 nud permanent router")
        let found = try #require(try routes.neighbours().first { $0.address.description == "2001:db8:a1::1" })
        #expect(found.interface == link)
        #expect(found.state == .permanent)
        #expect(found.isRouter)
    }
}
