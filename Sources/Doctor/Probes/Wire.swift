import CLinux
import Glibc
import Netlink
import Shim6Wire

/// Sends probes through this host's stack, so that its own rules see them, and watches what becomes of them: by a tap
/// on all interfaces, outside of all filters of packets, and by sockets, behind these. Nothing of it outlives the process.
final class Wire {
    struct Request {
        var packet: ProbePacket
        /// The interface whose routes are taken; nil leaves that to the routing table.
        var interface: UInt32?
    }

    /// The first half of the nonces of this run.
    let signature = UInt16.random(in: 1...UInt16.max)
    private var counter: UInt16 = 0
    private let tap: Int32
    private let sockets: [(nextHeader: UInt8, descriptor: Int32)]
    private var packets: [UInt32: ProbePacket] = [:]
    private var trails: [UInt32: Trail] = [:]
    /// Where routers and others have looked for addresses of this host: indexes of interfaces.
    private(set) var solicitations: [IPv6Address: Set<UInt32>] = [:]
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    private let loopback = if_nametoindex("lo")

    init() throws(KernelError) {
        tap = try Self.openTap()
        var sockets: [(nextHeader: UInt8, descriptor: Int32)] = []
        for nextHeader in [NextHeader.icmpv6, NextHeader.shim6] {
            let opened = socket(AF_INET6, Self.raw, Int32(nextHeader))
            guard opened >= 0 else { throw KernelError(number: errno, request: "open a raw socket") }
            sockets.append((nextHeader, opened))
        }
        self.sockets = sockets
    }

    deinit {
        close(tap)
        for socket in sockets { close(socket.descriptor) }
    }

    func nonce() -> UInt32 {
        counter &+= 1
        return UInt32(signature) << 16 | UInt32(counter)
    }

    // MARK: Sending and watching

    /// Sends each until it is done, `tries` times at most, and returns their trails.
    func exchange(
        _ requests: [Request], tries: Int = 3, pause: Duration = .milliseconds(400),
        isDone: (ProbePacket, Trail) -> Bool
    ) -> [Trail] {
        exchange(requests.map(\.packet), tries: tries, pause: pause, isDone: isDone) { packet in
            let request = requests.first { $0.packet == packet }
            send(packet, interface: request?.interface)
        }
    }

    /// The same with another way to send, which is called for each packet.
    func exchange(
        _ packets: [ProbePacket], tries: Int = 3, pause: Duration = .milliseconds(400),
        isDone: (ProbePacket, Trail) -> Bool, send: (ProbePacket) -> Void
    ) -> [Trail] {
        for packet in packets {
            self.packets[packet.nonce] = packet
            trails[packet.nonce] = Trail()
        }
        func open() -> [ProbePacket] { packets.filter { !isDone($0, trails[$0.nonce] ?? Trail()) } }
        for _ in 0..<tries {
            let open = open()
            guard !open.isEmpty else { break }
            for packet in open { send(packet) }
            watch(for: pause) { packets.allSatisfy { isDone($0, trails[$0.nonce] ?? Trail()) } }
        }
        return packets.map { trails[$0.nonce] ?? Trail() }
    }

    /// Sends a packet through the stack, with a source that the host may not have.
    func send(_ packet: ProbePacket, interface: UInt32?) {
        let failure = attempt(packet, interface: interface)
        // What the stack does not take once it may take later, as long as it waits for a neighbour.
        trails[packet.nonce]?.refusal = failure == 0 ? nil : failure
    }

    private func attempt(_ packet: ProbePacket, interface: UInt32?) -> Int32 {
        let sender = socket(AF_INET6, Self.raw, Int32(IPPROTO_RAW))
        guard sender >= 0 else { return errno }
        defer { close(sender) }
        var (yes, index) = (Int32(1), Int32(interface ?? 0))
        let size = socklen_t(MemoryLayout<Int32>.size)
        guard setsockopt(sender, Int32(IPPROTO_IPV6), IPV6_FREEBIND, &yes, size) == 0,
            interface == nil || setsockopt(sender, SOL_SOCKET, Self.bindToIndex, &index, size) == 0
        else { return errno }
        // The port is how a raw socket is told which protocol to look for routes for.
        let octets = packet.octets
        let sent = withAddress(packet.source, port: 0) { bind(sender, $0, $1) }
        guard sent == 0 else { return errno }
        let result = withAddress(packet.destination, port: UInt16(packet.nextHeader)) {
            sendto(sender, octets, octets.count, 0, $0, $1)
        }
        return result < 0 ? errno : 0
    }

    /// Reads what comes until `isDone` or the time is over.
    private func watch(for time: Duration, isDone: () -> Bool) {
        let end = ContinuousClock.now + time
        var descriptors = ([tap] + sockets.map(\.descriptor)).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        while !isDone() {
            let left = (end - .now).components
            let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
            guard milliseconds > 0 else { return }
            guard poll(&descriptors, nfds_t(descriptors.count), Int32(milliseconds)) > 0 else { continue }
            readTap()
            for socket in sockets { read(socket.descriptor, nextHeader: socket.nextHeader) }
        }
    }

    // MARK: What was seen

    private func readTap() {
        var from = sockaddr_ll()
        while true {
            var length = socklen_t(MemoryLayout<sockaddr_ll>.size)
            let count = withUnsafeMutablePointer(to: &from) { from in
                from.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    recvfrom(tap, &buffer, buffer.count, Int32(MSG_DONTWAIT), $0, &length)
                }
            }
            guard count > 0 else { return }
            guard let seen = IPv6Packet(Array(buffer[..<count])) else { continue }
            note(seen, interface: UInt32(from.sll_ifindex), isOutgoing: from.sll_pkttype == UInt8(PACKET_OUTGOING))
        }
    }

    private func note(_ seen: IPv6Packet, interface: UInt32, isOutgoing: Bool) {
        if !isOutgoing, let target = Self.solicited(by: seen) { solicitations[target, default: []].insert(interface) }
        guard interface != loopback, let nonce = nonce(in: seen.payload), let packet = packets[nonce] else { return }
        if seen.header.addresses == packet.addresses, seen.header.nextHeader == packet.nextHeader {
            if isOutgoing {
                trails[nonce]?.left.insert(interface)
            } else {
                trails[nonce]?.arrived.insert(interface)
            }
        } else if !isOutgoing, let kind = Answer.kind(nextHeader: seen.header.nextHeader, octets: seen.payload) {
            trails[nonce]?.answers.insert(Answer(kind: kind, from: seen.header.source, interface: interface))
        }
    }

    private func read(_ descriptor: Int32, nextHeader: UInt8) {
        while case let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT)), count > 0 {
            let octets = Array(buffer[..<count])
            guard let nonce = nonce(in: octets), let packet = packets[nonce] else { continue }
            if packet.form == ProbePacket.Form.unasked {
                trails[nonce]?.isDelivered = true
            } else if let kind = Answer.kind(nextHeader: nextHeader, octets: octets) {
                trails[nonce]?.delivered.insert(kind)
            }
        }
    }

    /// The address that a Neighbor Solicitation asks for (RFC 4861, section 4.3).
    private static func solicited(by packet: IPv6Packet) -> IPv6Address? {
        guard packet.header.nextHeader == NextHeader.icmpv6, packet.payload.count >= 24, packet.payload[0] == 135 else {
            return nil
        }
        return IPv6Address(octets: packet.payload[8..<24])
    }

    /// The nonce of one of our packets, wherever it is.
    private func nonce(in octets: [UInt8]) -> UInt32? {
        let (first, second) = (UInt8(signature >> 8), UInt8(signature & 0xff))
        for place in octets.indices.dropLast(3) where octets[place] == first && octets[place + 1] == second {
            let nonce = UInt32(signature) << 16 | UInt32(octets[place + 2]) << 8 | UInt32(octets[place + 3])
            if packets[nonce] != nil { return nonce }
        }
        return nil
    }

    // MARK: Sockets

    private static let raw = Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    /// ETH_P_ALL
    private static let allProtocols: UInt16 = 3
    /// SO_BINDTOIFINDEX
    private static let bindToIndex: Int32 = 62

    /// Sees all IPv6 packets with ICMPv6 or Shim6 behind the IPv6 header, in and out.
    private static func openTap() throws(KernelError) -> Int32 {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        // Bound to no protocol it sees nothing, until it has its filter.
        let tap = socket(AF_PACKET, type, 0)
        guard tap >= 0 else { throw KernelError(number: errno, request: "open a packet socket") }
        var instructions = [
            sock_filter(code: 0x30, jt: 0, jf: 0, k: 0),  // the first octet
            sock_filter(code: 0x54, jt: 0, jf: 0, k: 0xf0),
            sock_filter(code: 0x15, jt: 0, jf: 4, k: 0x60),  // version 6
            sock_filter(code: 0x30, jt: 0, jf: 0, k: UInt32(IPv6Header.nextHeaderOffset)),
            sock_filter(code: 0x15, jt: 1, jf: 0, k: UInt32(NextHeader.icmpv6)),
            sock_filter(code: 0x15, jt: 0, jf: 1, k: UInt32(NextHeader.shim6)),
            sock_filter(code: 0x06, jt: 0, jf: 0, k: .max),
            sock_filter(code: 0x06, jt: 0, jf: 0, k: 0),
        ]
        let filtered = instructions.withUnsafeMutableBufferPointer { filter in
            var program = sock_fprog(len: UInt16(filter.count), filter: filter.baseAddress)
            return setsockopt(tap, SOL_SOCKET, SO_ATTACH_FILTER, &program, socklen_t(MemoryLayout<sock_fprog>.size))
        }
        var address = sockaddr_ll()
        address.sll_family = UInt16(AF_PACKET)
        address.sll_protocol = allProtocols.bigEndian
        let bound = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(tap, $0, socklen_t(MemoryLayout<sockaddr_ll>.size))
            }
        }
        guard filtered == 0, bound == 0 else {
            let failure = KernelError(number: errno, request: "watch the interfaces")
            close(tap)
            throw failure
        }
        return tap
    }

    private func withAddress<Result>(
        _ address: IPv6Address, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var flat = sockaddr_in6()
        flat.sin6_family = UInt16(AF_INET6)
        flat.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &flat.sin6_addr) { $0.copyBytes(from: address.octets) }
        return withUnsafePointer(to: &flat) { flat in
            flat.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }
}
