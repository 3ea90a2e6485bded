import Foundation

/// Traffic that tests sizes: everything sent must come back octet for octet.
public enum Bulk {
    public static let port: UInt16 = 7008

    /// Octets that differ from place to place, so that a lost, doubled or moved piece shows.
    static func pattern(_ count: Int, seed: Int) -> [UInt8] {
        var state = UInt32(truncatingIfNeeded: seed &* 2_654_435_761 | 1)
        return (0..<count).map { _ in
            state ^= state << 13
            state ^= state >> 17
            state ^= state << 5
            return UInt8(truncatingIfNeeded: state)
        }
    }

    public struct Tally: Codable, Sendable, Equatable {
        public var sent: Int
        public var intact: Int

        public init(sent: Int, intact: Int) {
            self.sent = sent
            self.intact = intact
        }
    }

    /// Sends `count` datagrams of `size` octets one after the other to the echo server and counts those that come back
    /// as they were. With `train` above 1, that many datagrams leave in one call (UDP_SEGMENT).
    public static func datagrams(
        from local: String, to peer: String, size: Int, count: Int, train: Int = 1
    ) throws -> Tally {
        let socket = try Socket(.datagram)
        try socket.bind(to: local, port: 0)
        try socket.connect(to: peer, port: Echo.port)
        try socket.set(SOL_SOCKET, SO_RCVBUF, 4_000_000)
        let udpSegment: Int32 = 103
        if train > 1 { try socket.set(Int32(IPPROTO_UDP), udpSegment, Int32(size)) }
        var tally = Tally(sent: 0, intact: 0)
        for round in 0..<count {
            let datagrams = (0..<train).map { pattern(size, seed: round * train + $0 + 1) }
            tally.sent += train
            guard socket.sendOnce(Array(datagrams.joined())) else { continue }
            var missing = Set(datagrams)
            while !missing.isEmpty, socket.isReadable(within: 1000) {
                if let echo = socket.receive(), missing.remove(echo) != nil { tally.intact += 1 }
            }
        }
        return tally
    }

    /// Sends back everything that a TCP client sends, one client after the other, for ever.
    public static func serve(on address: String) throws -> Never {
        let listener = try Socket(.stream)
        try listener.set(SOL_SOCKET, SO_REUSEADDR, 1)
        try listener.bind(to: address, port: port)
        try listener.listen()
        while true {
            let client = try listener.accept()
            let thread = Thread {
                while let octets = client.receive(), !octets.isEmpty {
                    guard (try? client.send(octets)) != nil else { return }
                }
            }
            thread.start()
        }
    }

    /// Sends `count` bursts of `size` octets over one TCP connection and counts those that come back as they were.
    public static func bursts(
        from local: String, to peer: String, size: Int, count: Int, patience: Int32 = 20_000
    ) throws -> Tally {
        let socket = try Socket(.stream)
        try socket.bind(to: local, port: 0)
        try socket.connect(to: peer, port: port)
        var tally = Tally(sent: 0, intact: 0)
        for round in 0..<count {
            let burst = pattern(size, seed: round + 1)
            tally.sent += 1
            // Both sides' buffers together hold less than a large burst: it is read back while it is still being sent.
            let sender = Thread { try? socket.send(burst) }
            sender.start()
            var echo: [UInt8] = []
            while echo.count < size, socket.isReadable(within: patience) {
                guard let octets = socket.receive(), !octets.isEmpty else { break }
                echo += octets
            }
            if echo == burst { tally.intact += 1 }
        }
        return tally
    }
}
