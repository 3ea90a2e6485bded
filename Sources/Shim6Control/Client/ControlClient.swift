import Glibc

/// A connection to a daemon's control socket that blocks its caller.
///
/// Use it from one thread at a time. It closes when it goes away.
public final class ControlClient {
    private let descriptor: Int32
    private let path: String
    private let timeout: Int
    private var received: [UInt8] = []
    /// Where the next line begins in `received`, and up to where it is known to have no newline.
    private var start = 0
    private var scanned = 0
    private var chunk = [UInt8](repeating: 0, count: 65_536)
    private var lastId: UInt64 = 0

    /// Replies above this are taken for nonsense, octets.
    private static let maximumLineLength = 1 << 28

    /// Connects. `timeout` is for every later wait for a reply, seconds, but for commands that take as long as they take.
    public init(path: String, timeout: Int = 30) throws(ControlClientError) {
        self.path = path
        self.timeout = timeout
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .unreachable(path: path, errno: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .unreachable(path: path, errno: errno) }
        let result = withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let reason = errno
            close(descriptor)
            switch reason {
            case EACCES, EPERM: throw .accessRefused(path: path)
            case _: throw .unreachable(path: path, errno: reason)
            }
        }
    }

    deinit {
        close(descriptor)
    }

    /// Asks and waits for the answer.
    public func send(_ command: Command) throws(ControlClientError) -> Response {
        lastId += 1
        guard let line = try? ControlLine.encode(Request(id: lastId, command: command)) else {
            throw .command(CommandError(.badArgument, "\(command.name): an argument is no number of the protocol"))
        }
        guard line.count < ControlProtocol.maximumRequestLength else {
            let message = "a request has at most \(ControlProtocol.maximumRequestLength) octets"
            throw .command(CommandError(.badArgument, message))
        }
        wait(atMost: command.isUnbounded ? 0 : timeout)
        try write(line + [UInt8(ascii: "\n")])
        guard let answer = try nextLine() else { throw .closed }
        guard let reply = try? ControlLine.decode(Reply.self, from: answer) else { throw .nonsense }
        switch reply.outcome {
        case .failure(let error): throw .command(error)
        case .success(let response):
            guard reply.id == lastId else { throw .nonsense }
            return response
        }
    }

    /// Starts to follow the events. Returns the recent ones; `nextEvent` has the later ones. Send no other command then.
    public func follow() throws(ControlClientError) -> [EventRecord] {
        guard case .events(let list) = try send(.events(follow: true)) else { throw .nonsense }
        wait(atMost: 0)
        return list.events
    }

    /// Waits for the next event. Nil when the daemon has closed the connection.
    public func nextEvent() throws(ControlClientError) -> EventRecord? {
        guard let line = try nextLine() else { return nil }
        guard let event = try? ControlLine.decode(EventLine.self, from: line).event else { throw .nonsense }
        return event
    }

    /// 0 for as long as it takes.
    private func wait(atMost seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    private func write(_ octets: [UInt8]) throws(ControlClientError) {
        var rest = octets[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 {
                if errno == EINTR { continue }
                // What the daemon said before it closed, that it has too many clients for example, may still be read.
                if errno == EPIPE || errno == ECONNRESET { return }
                throw .unreachable(path: path, errno: errno)
            }
            rest = rest.dropFirst(count)
        }
    }

    /// The next line, without its newline; nil at the end.
    private func nextLine() throws(ControlClientError) -> ArraySlice<UInt8>? {
        while true {
            if let end = received[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { (start, scanned) = (end + 1, end + 1) }
                return received[start..<end]
            }
            received.removeSubrange(..<start)
            (start, scanned) = (0, received.count)
            guard received.count < ControlClient.maximumLineLength else { throw .nonsense }
            let count = recv(descriptor, &chunk, chunk.count, 0)
            if count == 0 { return nil }
            if count < 0 {
                switch errno {
                case EINTR: continue
                case EAGAIN: throw .timedOut
                case ECONNRESET: return nil
                case let reason: throw .unreachable(path: path, errno: reason)
                }
            }
            received += chunk[..<count]
        }
    }
}

/// Why a daemon could not be asked, or did not do what was asked.
public enum ControlClientError: Error, Equatable, CustomStringConvertible {
    /// Nobody answers on the socket.
    case unreachable(path: String, errno: Int32)
    /// The mode of the socket file forbids it.
    case accessRefused(path: String)
    /// The daemon refused the command.
    case command(CommandError)
    case timedOut
    /// The daemon closed the connection before it answered.
    case closed
    /// What came back is not the control protocol.
    case nonsense

    public var description: String {
        switch self {
        case .unreachable(let path, ENOENT), .unreachable(let path, ECONNREFUSED):
            "\(path.printable): no daemon answers there; is shim6d running?"
        case .unreachable(let path, let errno): "\(path.printable): \(String(cString: strerror(errno)))"
        case .accessRefused(let path):
            "\(path.printable): access refused; root and the group of the socket may connect"
        case .command(let error): error.message.printable
        case .timedOut: "the daemon does not answer"
        case .closed: "the daemon closed the connection"
        case .nonsense: "the answer is not of this version of the control protocol"
        }
    }
}

extension String {
    /// Without anything that would break a line, or move a terminal's cursor.
    fileprivate var printable: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? "?" : $0 }))
    }
}
