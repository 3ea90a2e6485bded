import Glibc
import Netlink
import Requirements
import Shim6Wire
import Testing

@Suite(.asRoot, .freshNamespace)
struct PolicyTests {
    let network: TestNetwork
    let policies: IdlePolicies
    let here: IPv6Address
    let there: IPv6Address

    init() throws {
        network = try TestNetwork()
        policies = try IdlePolicies(priority: 0x5336_0001)
        here = try address("2001:db8:a1::10")
        there = try address("2001:db8:b1::20")
    }

    /// Policies as the ip command lists them, without whitespace at line ends.
    private func shown() throws -> String { try network.run("ip -6 xfrm policy show") }

    private func foreignPolicies() throws {
        let pair = "src 2001:db8:b1::20/128 dst 2001:db8:a1::10/128 dir in"
        try network.run("ip xfrm policy add \(pair) priority 7 tmpl proto esp mode transport level required")
        try network.run("ip xfrm policy add src 2001:db8:b1::21 dst 2001:db8:a1::10 dir in ptype sub priority 7")
        try network.run(
            "ip xfrm policy add src 2001:db8:b1::20 dst 2001:db8:a1::10 dir out ptype sub priority 1396047873")
        try network.run(
            "ip xfrm policy add src 2001:db8:b1::20 dst 2001:db8:a1::10 proto tcp dir in ptype sub priority 1396047873")
        try network.run("ip xfrm policy add src 2001:db8:b1::22 dst 2001:db8:a1::10 dir in priority 1396047873")
    }

    @Test func `A policy is inbound, of the sub type, allows everything and is found again`() throws {
        try policies.add(source: there, destination: here, seconds: 600)
        let found = try policies.list()
        #expect(found.map(\.source) == [there])
        #expect(found.map(\.destination) == [here])
        #expect(found.map(\.seconds) == [600])
        let text = try network.run("ip -s -6 xfrm policy show")
        #expect(text.contains("src 2001:db8:b1::20/128 dst 2001:db8:a1::10/128"))
        #expect(text.contains("dir in action allow"))
        #expect(text.contains("priority 1396047873"))
        #expect(text.contains("ptype sub"))
        #expect(text.contains("expire use: soft 0(sec), hard 600(sec)"))
        #expect(!text.contains("tmpl"))
    }

    @Test func `A second policy for the pair is refused, whosever the first is`() throws {
        try policies.add(source: there, destination: here, seconds: 600)
        #expect(refusal { try policies.add(source: there, destination: here, seconds: 5) } == EEXIST)
        #expect(try policies.list().map(\.seconds) == [600])
        try policies.delete(source: there, destination: here)
        try network.run("ip xfrm policy add src 2001:db8:b1::20 dst 2001:db8:a1::10 dir in ptype sub priority 7")
        let before = try shown()
        #expect(refusal { try policies.add(source: there, destination: here, seconds: 5) } == EEXIST)
        #expect(try shown() == before)
    }

    @Test func `Many policies are added at once, and those that are refused are told with their reason`() throws {
        let wanted = try (0..<300).map {
            IdlePolicy(source: try address("2001:db8:b1::\(String($0, radix: 16))"), destination: here, seconds: 60)
        }
        for taken in [0, 127, 128, 299] {
            try policies.add(source: wanted[taken].source, destination: here, seconds: 5)
        }
        let refused = policies.add(wanted)
        #expect(refused.mapValues(\.number) == [0: EEXIST, 127: EEXIST, 128: EEXIST, 299: EEXIST])
        let found = try policies.list()
        #expect(Set(found.map(\.source)) == Set(wanted.map(\.source)))
        #expect(found.count(where: { $0.seconds == 60 }) == 296)
        #expect(policies.add([]).isEmpty)
    }

    @Test func `Policies of others stand beside ours and are never touched`() throws {
        try foreignPolicies()
        let before = try shown()
        try policies.add(source: there, destination: here, seconds: 600)
        #expect(try shown() != before)
        #expect(try policies.list().map(\.source) == [there])
        try policies.delete(source: there, destination: here)
        #expect(try shown() == before)
        try policies.add(source: there, destination: here, seconds: 600)
        #expect(try policies.flush() == 1)
        #expect(try policies.flush() == 0)
        #expect(try shown() == before)
    }

    @Test func `Deleting tells what is not there and what is not ours`() throws {
        try foreignPolicies()
        let before = try shown()
        // For this pair there is a main policy with templates, and sub policies outbound and for TCP.
        #expect(refusal { try policies.delete(source: there, destination: here) } == ENOENT)
        let other = try address("2001:db8:b1::21")
        #expect(refusal { try policies.delete(source: other, destination: here) } == EPERM)
        #expect(try shown() == before)
        try network.run(
            "ip xfrm policy add src 2001:db8:b1::23 dst 2001:db8:a1::10 dir in ptype sub priority 1396047873 "
                + "tmpl proto esp mode transport")
        let withTemplate = try address("2001:db8:b1::23")
        #expect(refusal { try policies.delete(source: withTemplate, destination: here) } == EPERM)
        #expect(try policies.list() == [])
    }

    @Test func `Policies left by an earlier run are found by their mark alone`() throws {
        for number in 1...300 {
            let peer = IPv6Address(high: there.high, low: UInt64(number))
            try policies.add(source: peer, destination: here, seconds: 600)
        }
        let later = try IdlePolicies(priority: policies.priority)
        #expect(try later.list().count == 300)
        #expect(try IdlePolicies(priority: 1).list() == [])
        #expect(try later.flush() == 300)
        #expect(try shown() == "")
    }

    @Test func `A policy of ours that expires is told and gone, one of others is not told`() throws {
        let expiries = try IdleExpiries(priority: policies.priority)
        try network.run(
            "ip xfrm policy add src 2001:db8:b1::21 dst 2001:db8:a1::10 dir in ptype sub priority 7 "
                + "limit time-use-hard 1")
        try policies.add(source: there, destination: here, seconds: 1)
        var expired: [IdlePolicy] = []
        for _ in 0..<20 where try expired.isEmpty || !shown().isEmpty {
            if case .changes(let more) = try expiries.read(waiting: 1_000) { expired += more }
        }
        #expect(expired.map(\.source) == [there])
        #expect(expired.map(\.destination) == [here])
        #expect(try shown() == "")
        #expect(try policies.list() == [])
    }

    @Test func `A warning that a policy will expire is no expiry`() throws {
        let expiries = try IdleExpiries(priority: policies.priority)
        try network.run(
            "ip xfrm policy add src 2001:db8:b1::20 dst 2001:db8:a1::10 dir in ptype sub priority 1396047873 "
                + "limit time-use-soft 1 limit time-use-hard 3")
        var expired: [IdlePolicy] = []
        _ = try eventually {
            if case .changes(let more) = try expiries.read() { expired += more }
            return try policies.list().isEmpty ? true : nil
        }
        if case .changes(let more) = try expiries.read(waiting: 1_000) { expired += more }
        #expect(expired.map(\.source) == [there])
    }

    @Test(.requirement("5533-9-03", "5533-6.1-06"))
    func `Packets put the expiry off until they stop`() throws {
        let other = try OtherNamespace()
        _ = try network.veth()
        try network.run("ip link set dev b netns \(other.path)")
        try network.run("ip -6 addr add 2001:db8:a1::10/64 dev a nodad")
        try other.run {
            try network.run("ip link set dev b up")
            try network.run("ip -6 addr add 2001:db8:a1::20/64 dev b nodad")
        }
        let (busy, silent) = (try address("2001:db8:a1::20"), try address("2001:db8:a1::21"))
        let expiries = try IdleExpiries(priority: policies.priority)
        // The busy one is there first, so without its packets it would go first.
        try policies.add(source: busy, destination: here, seconds: 3)
        try policies.add(source: silent, destination: here, seconds: 3)
        let output = try other.run { try network.run("ping -6 -q -i 0.2 -c 20 2001:db8:a1::10") }
        #expect(output.contains("20 received"))
        var expired: [IdlePolicy] = []
        for _ in 0..<60 where expired.count < 2 {
            if case .changes(let more) = try expiries.read(waiting: 1_000) { expired += more }
        }
        #expect(expired.map(\.source) == [silent, busy])
        #expect(try policies.list() == [])
    }

    @Test func `Lost expiries are told, and a list shows what is left`() throws {
        let expiries = try IdleExpiries(priority: policies.priority, receiveBuffer: 2_048)
        for number in 1...200 {
            let peer = IPv6Address(high: there.high, low: UInt64(number))
            try policies.add(source: peer, destination: here, seconds: number == 200 ? 600 : 1)
        }
        let left = try eventually {
            let left = try policies.list()
            return left.count == 1 ? left : nil
        }
        #expect(left?.map(\.source.low) == [200])
        guard case .lost = try expiries.read() else { Issue.record("199 expiries fitted into 2 KiB"); return }
        guard case .changes(let more) = try expiries.read() else { Issue.record("lost again"); return }
        #expect(more == [])
    }

    @Test func `Waiting for an expiry ends without one`() throws {
        let expiries = try IdleExpiries(priority: policies.priority)
        guard case .changes(let none) = try expiries.read(waiting: 10) else { Issue.record("lost"); return }
        #expect(none == [])
    }
}
