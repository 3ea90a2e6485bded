import Foundation

struct SocketFailure: Error, CustomStringConvertible {
    var description: String
}

/// A stream socket for tests, which can also be rude.
final class TestSocket {
    private let descriptor: Int32
    private var received: [UInt8] = []

    /// Seconds to wait for what must come.
    private static let patience = 20.0

    /// A Unix socket.
    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        try connect(withUnsafeBytes(of: &address) { Array($0) })
    }

    /// TCP to ::1.
    init(port: UInt16) throws {
        descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_addr = in6addr_loopback
        try connect(withUnsafeBytes(of: &address) { Array($0) })
    }

    deinit {
        close(descriptor)
    }

    private func connect(_ address: [UInt8]) throws {
        let result = address.withUnsafeBytes { octets in
            octets.withMemoryRebound(to: sockaddr.self) {
                Glibc.connect(descriptor, $0.baseAddress, socklen_t(octets.count))
            }
        }
        guard result == 0 else { throw SocketFailure(description: "connect: \(String(cString: strerror(errno)))") }
    }

    /// Returns how much the kernel took.
    @discardableResult
    func send(_ text: String) -> Int {
        Glibc.send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL))
    }

    /// Sends as often as the kernel takes the whole at once, at most `limit` times. Returns how often.
    func sendWithoutWaiting(_ text: String, limit: Int) -> Int {
        for count in 0..<limit {
            let taken = Glibc.send(
                descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            if taken != text.utf8.count { return count }
        }
        return limit
    }

    func endOutput() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Makes close() send a reset, as a machine does that lost its memory.
    func closeRudely() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }

    /// A small window, so that a client that does not read is noticed soon.
    func shrinkReceiveBuffer() {
        var size: Int32 = 4096
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout.size(ofValue: size)))
    }

    /// Reads up to and with `mark`.
    func read(through mark: String) throws -> String {
        let mark = Array(mark.utf8)
        let deadline = Date.now.addingTimeInterval(TestSocket.patience)
        while true {
            if let range = received.firstRange(of: mark) {
                defer { received.removeSubrange(..<range.upperBound) }
                return String(decoding: received[..<range.upperBound], as: UTF8.self)
            }
            guard try fill(until: deadline) else {
                throw SocketFailure(
                    description: "closed after \(String(decoding: received, as: UTF8.self).debugDescription)")
            }
        }
    }

    /// A line without its end.
    func line() throws -> String {
        try read(through: "\n").trimmingCharacters(in: .newlines)
    }

    /// Everything up to the end of the connection.
    func readToEnd() throws -> String {
        let deadline = Date.now.addingTimeInterval(TestSocket.patience)
        while try fill(until: deadline) {}
        defer { received = [] }
        return String(decoding: received, as: UTF8.self)
    }

    private func fill(until deadline: Date) throws -> Bool {
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let wait = Int32(max(0, deadline.timeIntervalSinceNow * 1000))
        guard poll(&poller, 1, wait) > 0 else {
            throw SocketFailure(
                description: "nothing after \(String(decoding: received, as: UTF8.self).debugDescription)")
        }
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &chunk, chunk.count, 0)
        if count > 0 { received += chunk[..<count] }
        return count > 0
    }
}
