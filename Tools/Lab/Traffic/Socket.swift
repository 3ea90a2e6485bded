import Foundation

/// An IPv6 socket with the few calls that the lab's traffic needs. Every failure throws `LabError` with the call's name.
public final class Socket: Sendable {
    public enum Kind: Sendable {
        case stream
        case datagram
        /// MPTCP.
        case multipath

        fileprivate var raw: Int32 {
            switch self {
            case .stream, .multipath: Int32(SOCK_STREAM.rawValue)
            case .datagram: Int32(SOCK_DGRAM.rawValue)
            }
        }
    }

    public let descriptor: Int32

    public init(_ kind: Kind) throws {
        let multipath: Int32 = 262
        descriptor = socket(
            AF_INET6, kind.raw | Int32(SOCK_CLOEXEC.rawValue), kind == .multipath ? multipath : 0)
        guard descriptor >= 0 else { throw Self.failure("socket") }
    }

    /// Takes over a socket of any other kind.
    public init(adopting descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    public static func failure(_ call: String) -> LabError {
        LabError("\(call): \(String(cString: strerror(errno)))")
    }

    public func bind(to address: String, port: UInt16) throws {
        try withAddress(address, port) { pointer, length in
            guard Glibc.bind(descriptor, pointer, length) == 0 else { throw Self.failure("bind to \(address)") }
        }
    }

    public func connect(to address: String, port: UInt16) throws {
        try withAddress(address, port) { pointer, length in
            guard Glibc.connect(descriptor, pointer, length) == 0 else { throw Self.failure("connect to \(address)") }
        }
    }

    public func listen() throws {
        try set(SOL_SOCKET, SO_REUSEADDR, 1)
        guard Glibc.listen(descriptor, 16) == 0 else { throw Self.failure("listen") }
    }

    public func accept() throws -> Socket {
        let client = Glibc.accept(descriptor, nil, nil)
        guard client >= 0 else { throw Self.failure("accept") }
        return Socket(adopting: client)
    }

    public func set(_ level: Int32, _ option: Int32, _ octets: [UInt8]) throws {
        guard setsockopt(descriptor, level, option, octets, socklen_t(octets.count)) == 0 else {
            throw Self.failure("setsockopt \(level) \(option)")
        }
    }

    public func set(_ level: Int32, _ option: Int32, _ value: Int32) throws {
        var value = value
        guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw Self.failure("setsockopt \(level) \(option)")
        }
    }

    /// SO_BINDTODEVICE: nothing arrives that did not come in by this device.
    public func bind(toDevice device: String) throws {
        guard setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, device, socklen_t(device.utf8.count)) == 0 else {
            throw Self.failure("setsockopt SO_BINDTODEVICE \(device)")
        }
    }

    /// Waits until there is something to read (or the peer has gone), for at most `milliseconds`.
    public func isReadable(within milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, max(0, milliseconds)) > 0
    }

    /// Sends all of `octets`.
    public func send(_ octets: [UInt8]) throws {
        var sent = 0
        while sent < octets.count {
            let count = octets[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure("send") }
            sent += count
        }
    }

    /// Sends one datagram, or one train of datagrams that the kernel cuts up (UDP_SEGMENT).
    public func sendOnce(_ octets: [UInt8]) -> Bool {
        octets.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, 0) } == octets.count
    }

    /// What there is, at most `limit` octets; empty at the end of a stream; nil after an error, which for a connected
    /// UDP socket may be an ICMPv6 error that came earlier.
    public func receive(upTo limit: Int = 65_536) -> [UInt8]? {
        var failed = false
        let octets = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            let received = recv(descriptor, buffer.baseAddress, limit, 0)
            failed = received < 0
            count = max(0, received)
        }
        return failed ? nil : octets
    }

    /// Waits for one datagram and sends it back to where it came from. False if `waits` is and there was none.
    @discardableResult
    public func returnDatagram(buffer: inout [UInt8], waits: Bool = true) -> Bool {
        var peer = sockaddr_in6()
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let flags = waits ? 0 : Int32(MSG_DONTWAIT)
        return withUnsafeMutablePointer(to: &peer) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                buffer.withUnsafeMutableBytes { octets in
                    let count = recvfrom(descriptor, octets.baseAddress, octets.count, flags, name, &length)
                    if count >= 0 { _ = sendto(descriptor, octets.baseAddress, count, 0, name, length) }
                    return count >= 0
                }
            }
        }
    }

    /// Fills `buffer` with the datagram that waits, and gives its length; nil if none does.
    public func receiveAtOnce(into buffer: inout [UInt8]) -> Int? {
        let count = buffer.withUnsafeMutableBytes {
            recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
        }
        return count >= 0 ? count : nil
    }

    /// The sockets that have something to read, waiting for one at most `milliseconds`.
    public static func readable(of sockets: [Socket], within milliseconds: Int32) -> [Int] {
        var entries = sockets.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        guard poll(&entries, nfds_t(entries.count), max(0, milliseconds)) > 0 else { return [] }
        return entries.indices.filter { entries[$0].revents != 0 }
    }

    /// A place to send datagrams to.
    public struct Destination: Sendable {
        fileprivate let name: sockaddr_in6
    }

    public static func destination(_ address: String, port: UInt16) throws -> Destination {
        Destination(name: try name(address, port))
    }

    /// Sends one datagram from a socket that is not connected.
    public func send(_ octets: [UInt8], to destination: Destination) {
        var name = destination.name
        withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                octets.withUnsafeBytes {
                    _ = sendto(
                        descriptor, $0.baseAddress, $0.count, 0, pointer, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
    }

    private static func name(_ address: String, _ port: UInt16) throws -> sockaddr_in6 {
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = port.bigEndian
        guard inet_pton(AF_INET6, address, &name.sin6_addr) == 1 else { throw LabError("no IPv6 address: \(address)") }
        return name
    }

    private func withAddress<Value>(
        _ address: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Value
    ) throws -> Value {
        var name = try Self.name(address, port)
        return try withUnsafePointer(to: &name) {
            try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }
}
