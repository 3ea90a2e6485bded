import Foundation
import Glibc
import Netlink
import Shim6Wire
import Testing

/// Sessions of sockets, questions to hosts beyond, and the kernel's choice of sources, with a host on the other end of a link.
@Suite(.asRoot, .freshNamespace)
struct SessionTests {
    let network: TestNetwork
    let other: OtherNamespace
    let link: UInt32
    let near: IPv6Address
    let second: IPv6Address
    let far: IPv6Address

    init() throws {
        network = try TestNetwork()
        other = try OtherNamespace()
        try network.run("ip link add name a type veth peer name b netns \(other.path)")
        try network.run("ip link set dev a up")
        for suffix in ["a", "c"] { try network.run("ip -6 addr add 2001:db8:1::\(suffix)/64 dev a nodad") }
        try other.run { [network] in
            try network.run("ip link set dev b up")
            try network.run("ip -6 addr add 2001:db8:1::b/64 dev b nodad")
        }
        link = try network.index("a")
        (near, second, far) = (
            try address("2001:db8:1::a"), try address("2001:db8:1::c"), try address("2001:db8:1::b")
        )
    }

    @Test func `An Echo Request from each address is answered, and other identifiers are not heard`() throws {
        let (socket, deaf) = (try EchoSocket(identifier: 0xBEEF), try EchoSocket(identifier: 0xBEE0))
        let echoes = [near, second].map {
            EchoSocket.Echo(source: $0, destination: far, sequence: 0xFF01, nonce: 0x8000_0000_0000_0001)
        }
        for echo in echoes { try socket.send(echo, interface: link) }
        var replies: [EchoSocket.Echo] = []
        _ = try eventually {
            replies += try socket.receive()
            return replies.count >= 2 ? true : nil
        }
        #expect(Set(replies) == Set(echoes) && replies.count == 2)
        #expect(try deaf.receive().isEmpty)
        let stranger = EchoSocket.Echo(source: far, destination: near, sequence: 1, nonce: 1)
        #expect(throws: KernelError.self) { try socket.send(stranger, interface: link) }
    }

    @Test func `Sessions of TCP are answered once the peer has answered, those of UDP never`() throws {
        let sockets = try SessionSocket()
        #expect(try sockets.sessions().isEmpty)
        func connected(_ type: __socket_type, from source: IPv6Address, to port: UInt16) throws -> Int32 {
            let descriptor = socket(AF_INET6, Int32(type.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            try #require(descriptor >= 0)
            var from = name(source, 0)
            try #require(with(&from) { bind(descriptor, $0, $1) } == 0)
            var to = name(far, port)
            let result = with(&to) { connect(descriptor, $0, $1) }
            try #require(result == 0 || errno == EINPROGRESS)
            return descriptor
        }
        let listener = try other.run {
            let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
            var here = name(far, 7000)
            try #require(with(&here) { bind(descriptor, $0, $1) } == 0 && listen(descriptor, 1) == 0)
            return descriptor
        }
        let descriptors = [
            listener, try connected(SOCK_STREAM, from: near, to: 7000),
            try connected(SOCK_DGRAM, from: second, to: 7000),
        ]
        defer { for descriptor in descriptors { close(descriptor) } }
        let expected: Set = [
            SocketSession(local: near, peer: far, isAnswered: true),
            SocketSession(local: second, peer: far, isAnswered: false),
        ]
        #expect(try eventually { try sockets.sessions() == expected ? true : nil } == true)
        // Nobody answers there.
        try other.run { [network] in try network.run("ip link set dev b down") }
        let waiting = try connected(SOCK_STREAM, from: second, to: 7001)
        defer { close(waiting) }
        #expect(try sockets.sessions().contains(SocketSession(local: second, peer: far, isAnswered: false)))
    }

    private func made(_ type: __socket_type, _ number: Int32 = 0, from source: IPv6Address, to peer: IPv6Address? = nil)
        throws -> Int32
    {
        let descriptor = socket(AF_INET6, Int32(type.rawValue), number)
        try #require(descriptor >= 0)
        var from = name(source, 0)
        try #require(with(&from) { bind(descriptor, $0, $1) } == 0)
        guard let peer else { return descriptor }
        var to = name(peer, 7000)
        try #require(with(&to) { connect(descriptor, $0, $1) } == 0)
        return descriptor
    }

    @Test func `One look tells which pairs have sessions, and which addresses sockets use`() throws {
        let sockets = try SessionSocket()
        #expect(try sockets.table() == SocketTable())
        let listener = try other.run {
            let descriptor = try made(SOCK_STREAM, from: far)
            try #require(listen(descriptor, 8) == 0)
            return (descriptor, try portNumber(of: descriptor))
        }
        let tcp = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        var from = name(near, 0)
        var to = name(far, listener.1)
        try #require(with(&from) { bind(tcp, $0, $1) } == 0 && with(&to) { connect(tcp, $0, $1) } == 0)
        let listening = try made(SOCK_STREAM, from: second)
        try #require(listen(listening, 1) == 0)
        let others = [
            listener.0, listening, try made(SOCK_DGRAM, from: near, to: far), try made(SOCK_DGRAM, from: second),
            try made(SOCK_RAW, 253, from: near, to: far),
        ]
        defer { for descriptor in others { close(descriptor) } }
        let raw: SocketTable.Protocols = try sockets.table().protocols(using: near).intersection(.raw)
        var table = try sockets.table()
        #expect(table.sessions == [SocketTable.Pair(local: near, peer: far): raw.union([.tcp, .udp])])
        #expect(table.localAddresses == [near: raw.union([.tcp, .udp]), second: [.tcp, .udp]])
        #expect(table.withoutPeer == [second: [.tcp, .udp]])
        #expect(table.protocols(using: far) == [])
        // The peer has not ended its side yet: what it sends is still for this socket.
        close(tcp)
        table = try sockets.table()
        #expect(table.sessions.values.first == raw.union([.tcp, .udp]))
    }

    @Test func `IPv4 by mapped addresses, and sockets without an address, use none`() throws {
        let sockets = try SessionSocket()
        let mapped = IPv6Address(high: 0, low: 0xFFFF_7F00_0001)
        let descriptors = [
            try made(SOCK_DGRAM, from: mapped, to: mapped), try made(SOCK_DGRAM, from: IPv6Address(high: 0, low: 0)),
        ]
        defer { for descriptor in descriptors { close(descriptor) } }
        #expect(try sockets.table() == SocketTable())
    }

    @Test func `The source of new sessions is the one that the kernel takes`() throws {
        let routes = try RouteSocket()
        let beyond = try address("2001:db8:2::1")
        #expect(throws: KernelError.self) { try routes.source(to: beyond, interface: link) }
        try network.run("ip -6 route add default via 2001:db8:1::b dev a")
        for (suffix, deprecated) in [("a", "c"), ("c", "a")] {
            try network.run("ip -6 addr change 2001:db8:1::\(suffix)/64 dev a preferred_lft forever valid_lft forever")
            try network.run("ip -6 addr change 2001:db8:1::\(deprecated)/64 dev a preferred_lft 0 valid_lft forever")
            #expect(try routes.source(to: beyond, interface: link).description == "2001:db8:1::\(suffix)")
        }
    }
}

private func name(_ address: IPv6Address, _ port: UInt16) -> sockaddr_in6 {
    var name = sockaddr_in6()
    name.sin6_family = sa_family_t(AF_INET6)
    name.sin6_port = port.bigEndian
    withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address.octets) }
    return name
}

private func portNumber(of descriptor: Int32) throws -> UInt16 {
    var own = sockaddr_in6()
    var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let result = withUnsafeMutablePointer(to: &own) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    try #require(result == 0)
    return UInt16(bigEndian: own.sin6_port)
}

private func with(_ name: inout sockaddr_in6, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
    withUnsafePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in6>.size)) }
    }
}
