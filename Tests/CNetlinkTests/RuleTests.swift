import Glibc
import Netlink
import Shim6Wire
import Testing

@Suite(.asRoot, .freshNamespace)
struct RuleTests {
    let network: TestNetwork
    let routes: RouteSocket
    let mark: UInt8 = 114

    init() throws {
        network = try TestNetwork()
        routes = try RouteSocket()
    }

    private func ours() throws -> [Rule] { try routes.rules().filter { $0.protocol == mark } }

    @Test func `A rule keeps everything that was asked for`() throws {
        let rule = Rule(
            priority: 100, from: try prefix("2001:db8:a1::/64"), to: try prefix("2001:db8:b1::/64"), incoming: "lo",
            outgoing: "a", mark: 0x10, markMask: 0xf0, nextHeader: 17, table: 6_140, protocol: mark)
        try routes.add(rule)
        #expect(try ours() == [rule])
        let shown = try network.run("ip -6 rule show")
        #expect(shown.contains("100:\tfrom 2001:db8:a1::/64 to 2001:db8:b1::/64 fwmark 0x10/0xf0 iif lo"))
        #expect(shown.contains("lookup 6140 proto 114"))
        #expect(refusal { try routes.add(rule) } == EEXIST)
        try routes.delete(rule)
        #expect(try ours() == [])
        #expect(refusal { try routes.delete(rule) } == ENOENT)
    }

    @Test func `A rule goes on with another one, and a flush takes both`() throws {
        let place = Rule(priority: 101, protocol: mark, action: .none)
        let jump = Rule(priority: 99, outgoing: "a", protocol: mark, action: .goTo, target: 101)
        try routes.add(place)
        try routes.add(jump)
        #expect(try ours() == [jump, place])
        let shown = try network.run("ip -6 rule show")
        #expect(shown.contains("99:\tfrom all oif a") && shown.contains("goto 101 proto 114"))
        #expect(try routes.flushRules(protocol: mark) == 2)
        #expect(try ours() == [])
    }

    @Test func `A rule can leave short routes out`() throws {
        let rule = Rule(priority: 101, incoming: "lo", table: Route.mainTable, protocol: mark, suppressedLength: 0)
        try routes.add(rule)
        #expect(try ours() == [rule])
        #expect(
            try network.run("ip -6 rule show").contains(
                "101:\tfrom all iif lo lookup main suppress_prefixlength 0 proto 114"))
        try routes.delete(rule)
        #expect(try ours() == [])
    }

    @Test func `It is told that a rule selects by users, ports or traffic classes`() throws {
        try network.run("ip -6 rule add priority 101 uidrange 1-2 lookup 7 protocol 114")
        try network.run("ip -6 rule add priority 102 ipproto tcp dport 22 lookup 7 protocol 114")
        try network.run("ip -6 rule add priority 103 dsfield 0x10 lookup 7 protocol 114")
        try network.run("ip -6 rule add priority 104 lookup 7 protocol 114")
        #expect(try ours().map(\.hasOtherSelectors) == [true, true, true, false])
    }

    @Test func `The kernel's own rules are listed`() throws {
        let rules = try routes.rules()
        #expect(rules.contains { $0.priority == 0 && $0.table == 255 && $0.source == nil })
        #expect(rules.contains { $0.priority == 32_766 && $0.table == Route.mainTable })
    }

    @Test func `The same rule of somebody else is not deleted`() throws {
        try network.run("ip -6 rule add priority 100 from 2001:db8:a1::/64 lookup 6140 protocol 99")
        let rule = Rule(priority: 100, from: try prefix("2001:db8:a1::/64"), table: 6_140, protocol: mark)
        #expect(refusal { try routes.delete(rule) } == ENOENT)
        #expect(try routes.rules().contains { $0.protocol == 99 })
    }

    @Test func `A rule can be for what is not selected`() throws {
        let rule = Rule(priority: 9, from: try prefix("2001:db8::/32"), table: 7, protocol: mark, isInverted: true)
        try routes.add(rule)
        #expect(try network.run("ip -6 rule show").contains("9:\tnot from 2001:db8::/32 lookup 7 proto 114"))
        #expect(try ours() == [rule])
    }

    @Test func `A name that no interface can have is refused, not cut`() throws {
        let rule = Rule(priority: 9, incoming: "sixteen-letters-", table: 7, protocol: mark)
        #expect(refusal { try routes.add(rule) } == EINVAL)
    }

    @Test func `Flushing takes our rules and nobody else's`() throws {
        let before = try routes.rules()
        try routes.add(Rule(priority: 100, table: 6_140, protocol: mark))
        try routes.add(Rule(priority: 101, from: try prefix("2001:db8:a1::/64"), table: 1, protocol: mark))
        try routes.add(Rule(priority: 102, outgoing: "a", mark: 1, markMask: 1, table: 2, protocol: mark))
        try network.run("ip -6 rule add priority 100 lookup 6140 protocol 99")
        #expect(try routes.flushRules(protocol: mark) == 3)
        #expect(try routes.rules().filter { $0.protocol != 99 } == before)
        #expect(try routes.rules().filter { $0.protocol == 99 }.count == 1)
        #expect(refusal { try routes.flushRules(protocol: 0) } == EINVAL)
    }
}
