import Foundation
import Netlink
import Shim6Wire
import Testing

/// XFRM states and policies in route optimisation mode. What needs a kernel with MIP6 is shown in the guest.
@Suite(.asRoot, .freshNamespace)
struct RehomingTests {
    private static let priorities: ClosedRange<UInt32> = 6138...6142
    private static let request: UInt32 = 6140

    private let network: TestNetwork
    private let socket: RehomingSocket
    private let here: IPv6Address
    private let there: IPv6Address
    private let locator: IPv6Address

    init() throws {
        network = try TestNetwork()
        socket = try RehomingSocket()
        here = try address("2001:db8:a1::10")
        there = try address("2001:db8:b1::20")
        locator = try address("2001:db8:b2::20")
    }

    private var state: RehomingState {
        RehomingState(source: here, destination: there, header: .routing, careOf: locator, request: Self.request)
    }

    private func policy(rehoming: Bool) -> RehomingPolicy {
        var policy = RehomingPolicy(
            source: IPv6Prefix(here, length: 128), destination: IPv6Prefix(there, length: 128), direction: .outgoing,
            priority: 6140)
        guard rehoming else { return policy }
        policy.templates = [RehomingState.Header.routing, .destinationOptions].map {
            RehomingPolicy.Template(source: here, destination: there, header: $0, request: Self.request)
        }
        return policy
    }

    private func shown() throws -> String { try network.run("ip -s -6 xfrm policy show") }

    @Test func `A state is asked for octet by octet as the kernel wants it`() throws {
        let octets = try socket.octets(of: [.add(state)])
        // Header of 16 octets, struct xfrm_usersa_info of 224, care-of address of 4 + 16.
        #expect(octets.count == 16 + 224 + 20)
        #expect(Array(octets[0..<6]) == [4, 1, 0, 0, 0x10, 0])
        let info = Array(octets[16..<240])
        #expect(info[40] == 10 && info[41] == 0, "family of the selector")
        #expect(Array(info[56..<72]) == there.octets)
        #expect(info[76] == 43, "protocol")
        #expect(Array(info[80..<96]) == here.octets)
        #expect(Array(info[96..<128]).allSatisfy { $0 == 0xff }, "no limits")
        #expect(Array(info[208..<212]) == [0xfc, 0x17, 0, 0], "request id 6140")
        #expect(Array(info[212..<214]) == [10, 0] && info[214] == 2 && info[216] == 0, "family, mode, flags")
        #expect(Array(octets[240..<244]) == [20, 0, 14, 0])
        #expect(Array(octets[244...]) == locator.octets)
    }

    @Test func `A wildcard carries its flag, and a deletion the addresses`() throws {
        var wildcard = state
        wildcard.isWildcard = true
        #expect(try socket.octets(of: [.update(wildcard)])[16 + 216] == 8)
        let octets = try socket.octets(of: [.delete(state)])
        #expect(octets[4] == 0x11)
        #expect(Array(octets[16..<32]) == there.octets)
        #expect(Array(octets.suffix(16)) == here.octets)
    }

    @Test func `Several requests stand one behind the other`() throws {
        let first = try socket.octets(of: [.add(state)])
        let second = try socket.octets(of: [.putPolicy(policy(rehoming: true))])
        #expect(try socket.octets(of: [.add(state), .putPolicy(policy(rehoming: true))]) == first + second)
        // Nothing is left of what was gathered before.
        #expect(try socket.octets(of: []) == [])
    }

    @Test func `Policies have their templates, their type and their mark`() throws {
        try socket.apply([.addPolicy(policy(rehoming: true))])
        let text = try shown()
        #expect(text.contains("src 2001:db8:a1::10/128 dst 2001:db8:b1::20/128"))
        #expect(text.contains("dir out action allow"))
        #expect(text.contains("priority 6140") && text.contains("ptype sub"))
        let templates = text.components(separatedBy: "tmpl src 2001:db8:a1::10 dst 2001:db8:b1::20").dropFirst()
        #expect(templates.count == 2)
        #expect(templates.first?.contains("proto route2") == true && templates.last?.contains("proto hao") == true)
        #expect(templates.allSatisfy { $0.contains("reqid 6140") && $0.contains("mode ro") && $0.contains("required") })
        try socket.apply([.putPolicy(policy(rehoming: false))])
        #expect(try !shown().contains("tmpl"))
        try socket.apply([.deletePolicy(policy(rehoming: false))])
        #expect(try shown() == "")
    }

    @Test func `A policy for a next header and an ICMPv6 type selects just that`() throws {
        var exempt = RehomingPolicy(source: nil, destination: nil, direction: .outgoing, priority: 6138)
        exempt.nextHeader = 58
        exempt.icmpType = 135
        try socket.apply([.addPolicy(exempt)])
        #expect(try shown().contains("proto ipv6-icmp type 135"))
        try socket.apply([.deletePolicy(exempt)])
        #expect(try shown() == "")
    }

    @Test func `What is refused is told, and the rest of the requests is carried out`() throws {
        try network.run("ip xfrm policy add src 2001:db8:a1::10 dst 2001:db8:b1::20 dir out ptype sub priority 7")
        let before = try shown()
        var other = policy(rehoming: false)
        other.destination = IPv6Prefix(locator, length: 128)
        #expect(refusal { try socket.apply([.addPolicy(policy(rehoming: false)), .addPolicy(other)]) } == EEXIST)
        #expect(try socket.policyUses(priorities: Self.priorities).map(\.destination) == [other.destination])
        // To delete what is not there is no refusal.
        try socket.apply([.deletePolicy(other), .deletePolicy(other)])
        #expect(try shown() == before)
    }

    @Test func `A flush takes ours of both types of marks and leaves those of others`() throws {
        try network.run("ip xfrm policy add src 2001:db8:a1::10 dst 2001:db8:b1::20 dir out priority 6140")
        try network.run("ip xfrm policy add src 2001:db8:a1::11 dst 2001:db8:b1::20 dir out ptype sub priority 6143")
        try network.run(
            "ip xfrm policy add src 2001:db8:a1::12 dst 2001:db8:b1::20 dir out ptype sub priority 6140 "
                + "tmpl proto esp mode transport")
        let before = try shown()
        try socket.apply([.addPolicy(policy(rehoming: true))])
        for number in 1...200 {
            var one = policy(rehoming: number % 2 == 0)
            one.source = IPv6Prefix(IPv6Address(high: here.high, low: UInt64(1000 + number)), length: 128)
            one.priority = Self.priorities.lowerBound + UInt32(number % 5)
            try socket.apply([.addPolicy(one)])
        }
        #expect(try RehomingSocket().flush(request: Self.request, priorities: Self.priorities) == 201)
        #expect(try RehomingSocket().flush(request: Self.request, priorities: Self.priorities) == 0)
        #expect(try shown() == before)
    }

    @Test func `An optional template lets a packet pass and tells of it once`() throws {
        let events = try XFRMEvents()
        let other = try OtherNamespace()
        _ = try network.veth()
        try network.run("ip link set dev b netns \(other.path)")
        try network.run("ip -6 addr add 2001:db8:a1::10/64 dev a nodad")
        try other.run {
            try network.run("ip link set dev b up")
            try network.run("ip -6 addr add 2001:db8:a1::20/64 dev b nodad")
        }
        var watch = RehomingPolicy(source: nil, destination: nil, direction: .outgoing, priority: 6142)
        let unspecified = IPv6Address(high: 0, low: 0)
        watch.templates = [
            RehomingPolicy.Template(
                source: unspecified, destination: unspecified, header: .destinationOptions, request: Self.request,
                isOptional: true)
        ]
        try socket.apply([.addPolicy(watch)])
        #expect(try network.run("ping -6 -q -i 0.2 -c 3 2001:db8:a1::20").contains("3 received"))
        guard case .changes(let list) = try events.read() else { Issue.record("lost"); return }
        let peer = try address("2001:db8:a1::20")
        // Of the session's first packet, or of the route that ping looked up before with a UDP socket: one or the other.
        let told = list.filter { event in
            [17, 58].contains {
                event == .acquire(source: here, destination: peer, nextHeader: $0, priority: 6142)
            }
        }
        #expect(told.count == 1, "\(list)")
    }

    @Test func `An idle policy that lets rehomed packets in is still ours`() throws {
        let policies = try IdlePolicies(priority: 6140, rehoming: Self.request)
        try policies.add(source: there, destination: here, seconds: 600)
        let text = try shown()
        #expect(text.contains("proto hao") && text.contains("proto route2") && text.contains("level use"))
        #expect(try policies.list().map(\.source) == [there])
        try policies.delete(source: there, destination: here)
        #expect(try shown() == "")
    }

    @Test func `Counters of XFRM are read by the kernel's names`() throws {
        let counters = XFRMStatistics.read()
        if FileManager.default.fileExists(atPath: "/proc/thread-self/net/xfrm_stat") {
            #expect(counters["XfrmInNoPols"] == 0 && counters["XfrmOutPolBlock"] == 0)
        }
    }
}
