import Foundation

/// A TCP stream at an even pace, and the times in which its receiver got nothing.
public enum Stream {
    public static let port: UInt16 = 7009

    private static let message = 1200
    private static let pace = Clock.Span.seconds(0.002)

    /// Sends 1,200 octets every 2 ms to the one client that comes; in a dialogue 2 ms after its answer to the ones before.
    public static func serve(on address: String, _ kind: Socket.Kind = .stream, isDialogue: Bool = false) throws {
        let listener = try Socket(kind)
        try listener.set(SOL_SOCKET, SO_REUSEADDR, 1)
        try listener.bind(to: address, port: port)
        try listener.listen()
        let client = try listener.accept()
        let chunk = [UInt8](repeating: 0x55, count: message)
        var next = Clock.now
        while true {
            try client.send(chunk)
            if isDialogue {
                guard let answer = client.receive(), !answer.isEmpty else { return }
                next = Clock.now
            }
            next = next + pace
            let rest = next - Clock.now
            if rest > .zero { usleep(UInt32(rest.nanoseconds / 1000)) }
        }
    }

    public struct Record: Codable, Sendable {
        /// A shorter one is none.
        public static let leastGap = Clock.Span.seconds(0.005)
        public var octets: Int = 0
        /// Every time of more than 5 ms without an octet.
        public var gaps: [Gap] = []

        public func longestGap(from start: Clock.Moment, to end: Clock.Moment) -> Gap? {
            gaps.filter { $0.to >= start && $0.from <= end }.max { $0.length < $1.length }
        }
    }

    /// Receives until SIGTERM or the end of the stream; in a dialogue answers each message with an octet.
    public static func run(
        from local: String, to peer: String, _ kind: Socket.Kind = .stream, isDialogue: Bool = false
    ) throws -> Record {
        Interruption.catchSignals()
        let socket = try Socket(kind)
        try socket.bind(to: local, port: 0)
        try socket.connect(to: peer, port: port)
        let leastGap = Record.leastGap
        var record = Record()
        var last = Clock.now
        while !Interruption.isPending {
            guard socket.isReadable(within: 100) else { continue }
            guard let octets = socket.receive(), !octets.isEmpty else { break }
            let now = Clock.now
            if now - last > leastGap { record.gaps.append(Gap(from: last, to: now)) }
            record.octets += octets.count
            if isDialogue, record.octets % message == 0 { try socket.send([0x55]) }
            last = now
        }
        if Clock.now - last > leastGap { record.gaps.append(Gap(from: last, to: Clock.now)) }
        return record
    }
}
