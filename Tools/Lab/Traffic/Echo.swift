import Foundation

/// UDP packets at an even pace, sent back by the other end: what an application sees of a failure.
public enum Echo {
    public static let port: UInt16 = 7007

    /// Sends every datagram back, for ever. Bound to one address, so that the answers come from there.
    public static func serve(on address: String, port: UInt16 = Echo.port, device: String? = nil) throws -> Never {
        let socket = try Socket(.datagram)
        if let device { try socket.bind(toDevice: device) }
        try socket.bind(to: address, port: port)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true { socket.returnDatagram(buffer: &buffer) }
    }

    /// What became of each packet. Times are moments of the monotonic clock in nanoseconds.
    public struct Record: Codable, Sendable {
        /// When the packet with this sequence number was sent.
        public var sent: [Clock.Moment] = []
        /// When its echo came back; 0 if it never did.
        public var received: [Clock.Moment] = []

        /// The packets that were not answered, by the moment of their sending.
        public var losses: [Clock.Moment] {
            zip(sent, received).filter { $1.nanoseconds == 0 }.map(\.0)
        }

        /// The longest time without an echo that touches the time from `start` to `end`. If no echo came any more it
        /// lasts until the last packet was sent.
        public func longestGap(from start: Clock.Moment, to end: Clock.Moment) -> Gap? {
            let arrivals = (received.filter { $0.nanoseconds != 0 } + sent.suffix(1)).sorted()
            return zip(arrivals, arrivals.dropFirst())
                .filter { $1 >= start && $0 <= end }
                .map { Gap(from: $0, to: $1) }
                .max { $0.length < $1.length }
        }
    }

    /// Sends `rate` packets a second until SIGTERM, waits a moment for the last echoes, and gives the record.
    public static func run(
        from local: String, to peer: String, port: UInt16 = Echo.port, rate: Int, device: String? = nil
    ) throws -> Record {
        Interruption.catchSignals()
        let socket = try Socket(.datagram)
        if let device { try socket.bind(toDevice: device) }
        try socket.bind(to: local, port: 0)
        try socket.connect(to: peer, port: port)
        let interval = Clock.Span.seconds(1 / Double(rate))
        var record = Record()
        var next = Clock.now
        while !Interruption.isPending {
            let now = Clock.now
            if now < next {
                take(from: socket, into: &record, until: next)
                continue
            }
            let sequence = UInt32(record.sent.count)
            record.sent.append(now)
            record.received.append(Clock.Moment(nanoseconds: 0))
            _ = socket.sendOnce(packet(sequence))
            next = next + interval
        }
        let end = Clock.now + .seconds(0.5)
        while Clock.now < end { take(from: socket, into: &record, until: end) }
        return record
    }

    private static func packet(_ sequence: UInt32) -> [UInt8] {
        withUnsafeBytes(of: sequence.bigEndian) { Array($0) } + [UInt8](repeating: 0x55, count: 60)
    }

    private static func take(from socket: Socket, into record: inout Record, until moment: Clock.Moment) {
        let milliseconds = Int32(((moment - Clock.now).seconds * 1000).rounded(.up))
        guard socket.isReadable(within: milliseconds), let octets = socket.receive(), octets.count >= 4 else { return }
        let sequence = octets.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        if sequence < record.sent.count, record.received[sequence].nanoseconds == 0 {
            record.received[sequence] = Clock.now
        }
    }
}

/// A time in which an application got nothing.
public struct Gap: Codable, Sendable {
    public var from: Clock.Moment
    public var to: Clock.Moment
    public var length: Clock.Span { to - from }

    public init(from: Clock.Moment, to: Clock.Moment) {
        self.from = from
        self.to = to
    }
}
