import Foundation
import Lab
import Steering

/// Traffic between two sockets of this process in two hosts.
extension SteeredPair {
    /// Two UDP sockets between the ULIDs.
    func datagramSockets(
        port: UInt16, device: String? = nil, mark: Int32? = nil
    ) throws -> (a: Socket, b: Socket) {
        let left = try a.namespace.inside {
            let socket = try Socket(.datagram)
            if let device { try socket.bind(toDevice: device) }
            if let mark { try socket.set(SOL_SOCKET, SO_MARK, mark) }
            try socket.bind(to: "\(a1)", port: port)
            try socket.connect(to: "\(b1)", port: port)
            return socket
        }
        let right = try b.namespace.inside {
            let socket = try Socket(.datagram)
            try socket.bind(to: "\(b1)", port: port)
            try socket.connect(to: "\(a1)", port: port)
            return socket
        }
        for socket in [left, right] { try socket.set(SOL_SOCKET, SO_RCVBUF, 4 << 20) }
        return (left, right)
    }

    /// How many of `count` datagrams of `length` octets arrive whole.
    func deliver(_ count: Int, of length: Int, from sender: Socket, to receiver: Socket) -> Int {
        var arrived = 0
        for number in 0..<count {
            let octets = pattern(length, number)
            guard sender.sendOnce(octets) else { continue }
            while receiver.isReadable(within: 1000), let received = receiver.receive() {
                if received == octets {
                    arrived += 1
                    break
                }
            }
        }
        return arrived
    }

    /// A connected pair of TCP sockets between the ULIDs.
    func streams(port: UInt16, device: String? = nil) throws -> (a: Socket, b: Socket) {
        let listener = try b.namespace.inside {
            let socket = try Socket(.stream)
            try socket.bind(to: "\(b1)", port: port)
            try socket.listen()
            return socket
        }
        let client = try a.namespace.inside {
            let socket = try Socket(.stream)
            if let device {
                try socket.bind(toDevice: device)
                // There is no daemon to tell it that a full segment by itself, as TCP sends it again, does not fit.
                try socket.set(Int32(IPPROTO_TCP), TCP_MAXSEG, 1400)
            }
            try socket.bind(to: "\(a1)", port: 0)
            try socket.connect(to: "\(b1)", port: port)
            return socket
        }
        return (client, try listener.accept())
    }

    /// Sends `length` octets and gives back whether the same came out at the other end.
    func carry(_ length: Int, from sender: Socket, to receiver: Socket, within seconds: Double = 60) throws -> Bool {
        let octets = pattern(length, length)
        let deadline = Clock.now + .seconds(seconds)
        var received: [UInt8] = []
        received.reserveCapacity(length)
        var sent = 0
        while received.count < length {
            guard Clock.now < deadline else { return false }
            if sent < length {
                let part = octets[sent..<min(sent + 65_536, length)]
                let count = part.withUnsafeBytes {
                    send(sender.descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT | MSG_NOSIGNAL))
                }
                if count > 0 { sent += count } else if errno != EAGAIN { throw Socket.failure("send") }
            }
            while receiver.isReadable(within: sent < length ? 0 : 100), let more = receiver.receive(), !more.isEmpty {
                received += more
            }
        }
        return received == octets
    }

    private func pattern(_ length: Int, _ seed: Int) -> [UInt8] {
        var state = UInt64(truncatingIfNeeded: seed) &+ 88_172_645_463_325_252
        return (0..<length).map { _ in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state)
        }
    }
}

extension SteeredPair {
    /// Sends a control message from A's ULID to B's, as a daemon with a raw socket does.
    func sendControl(_ octets: [UInt8]) throws {
        try a.namespace.inside {
            let descriptor = socket(AF_INET6, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 140)
            guard descriptor >= 0 else { throw Socket.failure("socket") }
            defer { close(descriptor) }
            for (address, call) in [(a1, Glibc.bind), (b1, Glibc.connect)] {
                var name = sockaddr_in6()
                name.sin6_family = sa_family_t(AF_INET6)
                guard inet_pton(AF_INET6, "\(address)", &name.sin6_addr) == 1 else { throw LabError("no address") }
                let code = withUnsafePointer(to: &name) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        call(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                    }
                }
                guard code == 0 else { throw Socket.failure("bind or connect") }
            }
            let sent = octets.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
            guard sent == octets.count else { throw Socket.failure("send") }
        }
    }
}
