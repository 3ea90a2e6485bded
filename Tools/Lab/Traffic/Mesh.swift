import Foundation

/// UDP between every address of one host and every address of another, each pair at the same even pace and sent back by
/// the other end: many sessions with few programs.
public enum Mesh {
    public static let port: UInt16 = 7011
    private static let length = 100

    /// Sends every datagram back, for ever.
    public static func serve(on addresses: [String]) throws -> Never {
        let sockets = try sockets(addresses)
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            for index in Socket.readable(of: sockets, within: 1000) {
                while sockets[index].returnDatagram(buffer: &buffer, waits: false) {}
            }
        }
    }

    public struct Record: Codable, Sendable {
        /// Every time of more than 200 ms without an echo, by pair: the local addresses' order first, then the peers'.
        public var gaps: [[Gap]]

        /// The longest time without an echo of each pair that touches the time from `start` on.
        public func longestGaps(from start: Clock.Moment) -> [Double] {
            gaps.map { $0.filter { $0.to >= start }.map(\.length.seconds).max() ?? 0 }
        }
    }

    /// Sends `rate` packets a second over each pair until SIGTERM.
    public static func run(from locals: [String], to peers: [String], rate: Int) throws -> Record {
        Interruption.catchSignals()
        let sockets = try sockets(locals)
        let destinations = try peers.map { try Socket.destination($0, port: port) }
        let count = locals.count * peers.count
        let leastGap = Clock.Span.seconds(0.2)
        let begin = Clock.now
        var last = [Clock.Moment](repeating: begin, count: count)
        var record = Record(gaps: [[Gap]](repeating: [], count: count))
        var buffer = [UInt8](repeating: 0, count: 2048)
        var sent = 0
        while !Interruption.isPending {
            let due = Int((Clock.now - begin).seconds * Double(rate * count))
            while sent < due {
                let pair = sent % count
                let octets =
                    withUnsafeBytes(of: UInt32(pair).bigEndian, Array.init) + [UInt8](repeating: 0, count: length - 4)
                sockets[pair / peers.count].send(octets, to: destinations[pair % peers.count])
                sent += 1
            }
            for index in Socket.readable(of: sockets, within: 1) {
                while let length = sockets[index].receiveAtOnce(into: &buffer) {
                    let pair = buffer.prefix(4).reduce(0) { $0 << 8 | Int($1) }
                    guard length == Self.length, pair < count else { continue }
                    let now = Clock.now
                    if now - last[pair] > leastGap { record.gaps[pair].append(Gap(from: last[pair], to: now)) }
                    last[pair] = now
                }
            }
        }
        let end = Clock.now
        for pair in 0..<count where end - last[pair] > leastGap {
            record.gaps[pair].append(Gap(from: last[pair], to: end))
        }
        return record
    }

    private static func sockets(_ addresses: [String]) throws -> [Socket] {
        try addresses.map { address in
            let socket = try Socket(.datagram)
            try socket.bind(to: address, port: port)
            // A burst of all pairs fits.
            try socket.set(SOL_SOCKET, SO_RCVBUF, 1 << 20)
            return socket
        }
    }
}
