import Glibc
import Netlink
import Requirements
import Shim6Wire
import Testing

/// Two hosts with two links between them.
@Suite(.asRoot, .freshNamespace)
struct RawSocketTests {
    let network: TestNetwork
    let other: OtherNamespace
    let near: RawSocket
    let far: RawSocket
    let nearLinks: [UInt32]
    let farLinks: [UInt32]

    init() throws {
        network = try TestNetwork()
        other = try OtherNamespace()
        for number in 1...2 {
            try network.run("ip link add name a\(number) type veth peer name b\(number) netns \(other.path)")
            try network.run("ip link set dev a\(number) up")
            try network.run("ip -6 addr add 2001:db8:\(number)::a/64 dev a\(number) nodad")
            try other.run { [network] in
                try network.run("ip link set dev b\(number) up")
                try network.run("ip -6 addr add 2001:db8:\(number)::b/64 dev b\(number) nodad")
            }
        }
        try other.run { [network] in try network.run("ip link set dev lo up") }
        near = try RawSocket(nextHeader: 140)
        far = try other.run { try RawSocket(nextHeader: 140, size: 512, count: 4) }
        nearLinks = try ["a1", "a2"].map(network.index)
        farLinks = try other.run { [network] in try ["b1", "b2"].map(network.index) }
    }

    private func receive(_ socket: RawSocket, count: Int = 1) throws -> [RawPacket] {
        var packets: [RawPacket] = []
        _ = try eventually {
            packets += try socket.receive()
            return packets.count >= count ? true : nil
        }
        return packets
    }

    @Test(.requirement("5533-5-01"))
    func `A packet arrives with its octets, addresses and interface`() throws {
        for number in 0..<2 {
            let (from, to) = (try address("2001:db8:\(number + 1)::a"), try address("2001:db8:\(number + 1)::b"))
            let octets: [UInt8] = [59, 0, 1, UInt8(number), 0xde, 0xad, 0xbe, 0xef]
            try near.send(octets, from: from, to: to, interface: nearLinks[number])
            let packets = try receive(far)
            #expect(
                packets == [
                    RawPacket(
                        octets: octets, source: from, destination: to, interface: farLinks[number],
                        isTruncated: false)
                ])
        }
    }

    @Test func `Hop limit is 64 and octets are not changed`() throws {
        let captured = try other.run {
            let descriptor = socket(AF_INET6, Int32(SOCK_RAW.rawValue), 140)
            var on: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_IPV6), 51, &on, socklen_t(MemoryLayout.size(ofValue: on)))
            return descriptor
        }
        defer { close(captured) }
        try near.send(
            [UInt8](repeating: 0, count: 16), from: try address("2001:db8:1::a"), to: try address("2001:db8:1::b"),
            interface: nearLinks[0])
        #expect(try receive(far).map(\.octets) == [[UInt8](repeating: 0, count: 16)])
        #expect(hopLimit(captured) == 64)
    }

    @Test func `The source is chosen for each packet, the interface by the routing table if none is given`() throws {
        try network.run("ip -6 addr add 2001:db8:1::a2/64 dev a1 nodad")
        let to = try address("2001:db8:1::b")
        for source in ["2001:db8:1::a2", "2001:db8:1::a", "2001:db8:2::a"] {
            try near.send([59, 0, 1, 0, 0, 0, 0, 0], from: try address(source), to: to)
            let packet = try #require(try receive(far).first)
            #expect(packet.source.description == source)
            #expect(packet.interface == farLinks[0])
        }
    }

    @Test func `The chosen interface is used though a better route goes elsewhere`() throws {
        // As when the payload of this pair is steered to another device.
        try network.run("ip -6 rule add priority 100 lookup 6140")
        try network.run("ip -6 route add 2001:db8:1::b/128 from 2001:db8:1::a/128 dev a2 table 6140")
        try near.send(
            [59, 0, 1, 0, 0, 0, 0, 0], from: try address("2001:db8:1::a"), to: try address("2001:db8:1::b"),
            interface: nearLinks[0])
        #expect(try receive(far).map(\.interface) == [farLinks[0]])
    }

    @Test func `An address can be the source on an interface that has it not`() throws {
        try other.run { [network] in try network.run("ip -6 route add 2001:db8:1::a/128 dev b2") }
        let (from, to) = (try address("2001:db8:1::a"), try address("2001:db8:2::b"))
        try near.send([59, 0, 1, 0, 0, 0, 0, 0], from: from, to: to, interface: nearLinks[1])
        let packet = try #require(try receive(far).first)
        #expect(packet.source == from)
        #expect(packet.interface == farLinks[1])
    }

    @Test func `What cannot be sent is refused with its reason`() throws {
        let octets: [UInt8] = [59, 0, 1, 0, 0, 0, 0, 0]
        let (from, to) = (try address("2001:db8:1::a"), try address("2001:db8:1::b"))
        let (strange, far) = (try address("2001:db8:9::1"), try address("2001:db8:f::1"))
        #expect(refusal { try near.send(octets, from: strange, to: to, interface: nearLinks[0]) } == EADDRNOTAVAIL)
        #expect(refusal { try near.send(octets, from: strange, to: to) } == EADDRNOTAVAIL)
        #expect(refusal { try near.send(octets, from: from, to: to, interface: 9_999) } == ENODEV)
        #expect(refusal { try near.send(octets, from: from, to: far, interface: nearLinks[0]) } == ENETUNREACH)
        #expect(refusal { try near.send(octets, from: from, to: to, interface: nearLinks[1]) } == ENETUNREACH)
        try network.run("ip -6 route add unreachable 2001:db8:f::/48")
        #expect(refusal { try near.send(octets, from: from, to: far) } == EHOSTUNREACH)
        let huge = [UInt8](repeating: 0, count: 70_000)
        #expect(refusal { try near.send(huge, from: from, to: to, interface: nearLinks[0]) } == EMSGSIZE)
        try network.run("ip link set dev a1 down")
        #expect(refusal { try near.send(octets, from: from, to: to, interface: nearLinks[0]) } != nil)
        // A refusal leaves nothing behind that could spoil the next packet.
        try near.send(
            octets, from: try address("2001:db8:2::a"), to: try address("2001:db8:2::b"), interface: nearLinks[1])
        #expect(try receive(self.far).map(\.interface) == [farLinks[1]])
    }

    @Test func `A packet longer than the room is cut and marked, the next one is whole`() throws {
        let (from, to) = (try address("2001:db8:1::a"), try address("2001:db8:1::b"))
        let long = (0..<600).map { UInt8(truncatingIfNeeded: $0) }
        for octets in [long, Array(long.prefix(512)), [1, 2, 3]] {
            try near.send(octets, from: from, to: to, interface: nearLinks[0])
        }
        let packets = try receive(far, count: 3)
        #expect(packets.map(\.octets) == [Array(long.prefix(512)), Array(long.prefix(512)), [1, 2, 3]])
        #expect(packets.map(\.isTruncated) == [true, false, false])
    }

    @Test func `Many packets come in batches and in order`() throws {
        let (from, to) = (try address("2001:db8:1::a"), try address("2001:db8:1::b"))
        for number in 0..<10 { try near.send([UInt8(number)], from: from, to: to, interface: nearLinks[0]) }
        let first = try #require(
            try eventually {
                let packets = try far.receive()
                return packets.isEmpty ? nil : packets
            })
        #expect(first.count <= 4)
        let rest = try receive(far, count: 10 - first.count)
        #expect((first + rest).map(\.octets) == (0..<10).map { [UInt8($0)] })
        #expect(try far.receive() == [])
    }

    @Test func `A receiver that is full does not make the kernel deny the protocol`() throws {
        let (from, to) = (try address("2001:db8:1::a"), try address("2001:db8:1::b"))
        let errors = try RawSocket(nextHeader: 58)
        let small = try other.run { try RawSocket(nextHeader: 141, size: 512, count: 4, buffer: 2_048) }
        // What it last sent elsewhere must not matter.
        try small.send(
            [0], from: try address("2001:db8:2::b"), to: try address("2001:db8:2::a"), interface: farLinks[1])
        let sender = try RawSocket(nextHeader: 141)
        for number in 0..<100 { try sender.send([UInt8(number)], from: from, to: to, interface: nearLinks[0]) }
        let first = try receive(small)
        #expect(first.first?.octets == [0])
        var count = first.count
        while case let more = try small.receive(), !more.isEmpty { count += more.count }
        #expect(count < 100, "100 packets fitted into 2 KiB")
        // A ping answered after them shows that the kernel is through with them.
        try network.run("ping -6 -c 1 -W 5 2001:db8:1::b")
        #expect(try errors.receive() == [])
    }

    @Test func `The sending side receives nothing, however much comes in`() throws {
        let (from, to) = (try address("2001:db8:1::a"), try address("2001:db8:1::b"))
        try far.send([7], from: to, to: from, interface: farLinks[0])
        try near.send([8], from: from, to: to, interface: nearLinks[0])
        #expect(try receive(near).map(\.octets) == [[7]])
        #expect(try receive(far).map(\.octets) == [[8]])
        let waiting = try network.run("cat /proc/net/raw6").split(separator: "\n").dropFirst()
        // The column of octets that wait to be sent and to be read, in hexadecimal.
        #expect(waiting.count == 2)
        #expect(waiting.allSatisfy { $0.contains(" 00000000:00000000 ") })
    }

    @Test func `Only ICMPv6 errors are received, and a locally made Packet Too Big is taken by the stack`() throws {
        let errors = try RawSocket(nextHeader: 58)
        let (from, to) = (try address("2001:db8:1::a"), try address("2001:db8:1::b"))
        try network.run("ping -6 -c 1 -W 5 2001:db8:1::b")
        #expect(try errors.receive() == [])
        // The route exception is only made for a packet that a socket of this host could have sent.
        let client = socket(AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(client) }
        try connect(client, to: to, port: 9_999)
        var name = sockaddr_in6()
        var length = socklen_t(MemoryLayout.size(ofValue: name))
        withUnsafeMutablePointer(to: &name) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(client, $0, &length) }
        }
        let port = UInt16(bigEndian: name.sin6_port)
        let quoted: [UInt8] =
            [0x60, 0, 0, 0, 0, 8, 17, 64] + from.octets + to.octets
            + [UInt8(port >> 8), UInt8(port & 0xff), 0x27, 0x0f, 0, 8, 0, 0]
        let tooBig: [UInt8] = [2, 0, 0, 0, 0, 0, 0x05, 0xa0] + quoted
        // Nobody's policies concern it.
        try network.run("ip xfrm policy add src ::/0 dst ::/0 proto ipv6-icmp dir out action block")
        try errors.send(tooBig, from: from, to: from)
        let heard = try receive(errors)
        #expect(heard.map(\.source) == [from])
        #expect(heard.first.map { [$0.octets[0]] + $0.octets[4..<8] } == [2, 0, 0, 0x05, 0xa0])
        // The kernel filled in the checksum.
        #expect(heard.first.map { $0.octets[2] != 0 || $0.octets[3] != 0 } == true)
        #expect(try network.run("ip -6 route get 2001:db8:1::b from 2001:db8:1::a").contains("mtu 1440"))
    }

    @Test func `A closed port answers with an error that is heard`() throws {
        let errors = try RawSocket(nextHeader: 58)
        let client = socket(AF_INET6, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(client) }
        try connect(client, to: try address("2001:db8:1::b"), port: 9_999)
        #expect(send(client, "x", 1, 0) == 1)
        let packet = try #require(try receive(errors).first)
        #expect(packet.octets.prefix(2) == [1, 4])
        #expect(packet.source.description == "2001:db8:1::b")
        #expect(packet.interface == nearLinks[0])
    }

    private func connect(_ descriptor: Int32, to address: IPv6Address, port: UInt16) throws {
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address.octets) }
        let size = socklen_t(MemoryLayout.size(ofValue: name))
        let result = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(descriptor, $0, size) }
        }
        try #require(result == 0)
    }

    /// Of the next packet on a socket that was asked to tell it.
    private func hopLimit(_ descriptor: Int32) -> Int32? {
        var control = [UInt8](repeating: 0, count: 64)
        return control.withUnsafeMutableBytes { room in
            var header = msghdr()
            header.msg_control = room.baseAddress
            header.msg_controllen = room.count
            guard recvmsg(descriptor, &header, 0) >= 0, header.msg_controllen >= 20 else { return nil }
            // A cmsghdr is 16 octets: length, level, type.
            return room.load(fromByteOffset: 16, as: Int32.self)
        }
    }
}
