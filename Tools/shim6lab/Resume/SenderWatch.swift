import ArgumentParser
import Foundation
import Lab
import Netlink
import Shim6Control
import Shim6Wire
import Synchronization

/// Runs beside the stream's server. It follows what TCP sends and the daemon's events, and when outgoing payload has
/// moved it can hand the stack ICMPv6 errors that make TCP undo the back-off of its timer (RFC 6069).
struct SenderWatch: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follows a TCP stream through a switch until SIGTERM, and can tell its sender to go on.")

    /// How many errors at a time.
    enum Errors: String, ExpressibleByArgument, Sendable {
        case none
        case one
        /// One for each time that the first unanswered segment was sent again, since each undoes one step.
        case each
    }

    /// What was seen of one failure.
    struct Record: Codable {
        /// When the daemon told of the switch: octets sent and not answered, and where the next ones begin.
        var outstanding: Int?
        var next: UInt32?
        /// How often the first of them had been sent again by then.
        var repeats: Int?
        /// Errors that were handed over.
        var errors = 0
        /// Milliseconds from the daemon's decision to the first of them.
        var lag: Double?
    }

    @Option(help: "The control socket of the daemon.") var socket: String
    @Option var local: String
    @Option var peer: String
    @Option var errors = Errors.none

    /// What it says on standard error when it is at work.
    static let ready = "following"
    /// The daemon waits about as long, after both have moved, before it sends what it has kept once more.
    private static let second: UInt32 = 5_000

    func run() throws {
        Interruption.catchSignals()
        guard let local = IPv6Address(local), let peer = IPv6Address(peer) else {
            throw ValidationError("not an IPv6 address")
        }
        let sender = WatchedSender()
        let tap = try PacketTap()
        let (path, errors) = (socket, errors)
        let follower = Thread {
            do {
                let client = try ControlClient(path: path)
                let icmp = try RawSocket(nextHeader: 58)
                _ = try client.follow()
                FileHandle.standardError.write(Data((Self.ready + "\n").utf8))
                while let event = try client.nextEvent() {
                    guard event.ulids == ULIDPair(local: local, peer: peer) else { continue }
                    if event.kind == .reachability, event.toState == "operational" {
                        usleep(Self.second)
                    } else if event.kind != .switched {
                        continue
                    }
                    sender.tell(errors, icmp, at: local, since: event.at)
                }
            } catch {
                FileHandle.standardError.write(Data("\(error)\n".utf8))
            }
        }
        follower.start()
        while !Interruption.isPending {
            if let packet = tap.next(within: 100) { sender.note(packet) }
        }
        try printJSON(sender.record)
    }
}

/// What is known of the stream's sender, by what it sends and what it is answered.
private final class WatchedSender: Sendable {
    private struct State {
        var clientPort: UInt16?
        /// The first octet without an answer, and the next new one.
        var unanswered: UInt32 = 0
        var next: UInt32 = 0
        /// Packets out that have not been answered, by where they begin, and how often they went out.
        var packets: [UInt32: (octets: [UInt8], count: Int)] = [:]
        var record = SenderWatch.Record()
    }
    private let state = Mutex(State())

    var record: SenderWatch.Record { state.withLock(\.record) }

    /// A packet that passed an interface.
    func note(_ packet: [UInt8]) {
        guard packet.count > 40, packet[0] >> 4 == 6,
            let segment = Segment(
                packet[40...], nextHeader: packet[6], length: Int(packet[4]) << 8 | Int(packet[5]))
        else { return }
        state.withLock { state in
            if segment.opens, segment.isFromServer {
                state.clientPort = segment.clientPort
                state.unanswered = segment.sequence &+ 1
                state.next = state.unanswered
                state.packets = [:]
            }
            guard segment.clientPort == state.clientPort else { return }
            if segment.isFromServer, segment.length > 0 {
                let end = segment.sequence &+ UInt32(segment.length)
                if end.distance(fromEarlier: state.next) > 0 { state.next = end }
                let count = state.packets[segment.sequence]?.count ?? 0
                state.packets[segment.sequence] = (packet, count + 1)
            } else if !segment.isFromServer,
                segment.acknowledgement.distance(fromEarlier: state.unanswered) > 0
            {
                state.unanswered = segment.acknowledgement
                state.packets = state.packets.filter { $0.key.distance(fromEarlier: segment.acknowledgement) >= 0 }
            }
        }
    }

    /// Outgoing payload is on a path that works. Hands over as many errors as it should, a millisecond apart, while they
    /// can mean anything.
    func tell(_ errors: SenderWatch.Errors, _ socket: RawSocket, at ulid: IPv6Address, since decision: Moment) {
        let begin = state.withLock { state in
            let repeats = (state.packets[state.unanswered]?.count ?? 1) - 1
            if state.record.next == nil {
                state.record.outstanding = state.next.distance(fromEarlier: state.unanswered)
                state.record.next = state.next
                state.record.repeats = repeats
            }
            return (place: state.unanswered, repeats: repeats)
        }
        let count =
            switch errors {
            case .none: 0
            case .one: 1
            case .each: max(1, begin.repeats)
            }
        for number in 0..<count {
            if number > 0 { usleep(1_000) }
            let packet = state.withLock { $0.unanswered == begin.place ? $0.packets[begin.place]?.octets : nil }
            guard let packet else { return }
            // Destination Unreachable, no route (RFC 4443, section 3.1), not longer than the least MTU.
            let error = [1] + [UInt8](repeating: 0, count: 7) + packet.prefix(1232)
            guard (try? socket.send(error, from: ulid, to: ulid)) != nil else { return }
            let lag = Double(Clock.now.nanoseconds - decision.monotonicNs) / 1e6
            state.withLock { state in
                state.record.errors += 1
                if state.record.lag == nil { state.record.lag = lag }
            }
        }
    }
}

/// Every packet that passes an interface of this network namespace, in or out, from the network header on.
private final class PacketTap {
    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 2048)

    init() throws {
        let everything = Int32(UInt16(3).bigEndian)
        descriptor = socket(AF_PACKET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), everything)
        guard descriptor >= 0 else { throw Socket.failure("packet socket") }
    }

    deinit { close(descriptor) }

    /// The beginning of the next one; nil if none came for so many milliseconds.
    func next(within milliseconds: Int32) -> [UInt8]? {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, milliseconds) > 0 else { return nil }
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return count > 0 ? Array(buffer[..<count]) : nil
    }
}
