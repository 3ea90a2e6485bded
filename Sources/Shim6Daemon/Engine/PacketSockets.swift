import DataPath
import Logging
import Netlink
import Shim6Wire

/// The raw sockets: control messages and ICMPv6 errors in, control messages and errors for this host itself out.
final class PacketSockets {
    private let shim6: RawSocket
    private let icmp: RawSocket
    private let counters: EngineCounters
    private let log: Logger
    /// Batches of packets that one pass takes from a socket: a flood must not keep timers waiting.
    private static let batchesInPass = 16

    init(counters: EngineCounters, log: Logger) throws {
        shim6 = try RawSocket(nextHeader: NextHeader.shim6)
        icmp = try RawSocket(nextHeader: NextHeader.icmpv6)
        self.counters = counters
        self.log = log
    }

    var descriptors: [Int32] { [shim6.descriptor, icmp.descriptor] }

    /// Returns whether there are no more control messages.
    func readMessages(_ body: (RawPacket) -> Void) -> Bool {
        forEachPacket(from: shim6) { packet in
            if packet.isTruncated { counters.truncated += 1 } else { body(packet) }
        }
    }

    func readErrors(_ body: (ICMPv6Error) -> Void) {
        _ = forEachPacket(from: icmp) { packet in ICMPv6Error(packet.octets).map(body) }
    }

    /// Returns whether there are no more.
    private func forEachPacket(from socket: RawSocket, _ body: (RawPacket) -> Void) -> Bool {
        do {
            for _ in 0..<Self.batchesInPass {
                let packets = try socket.receive()
                if packets.isEmpty { return true }
                packets.forEach(body)
            }
        } catch {
            counters.receiveErrors += 1
            log.debug("\(error)")
        }
        return false
    }

    func send(_ octets: [UInt8], over pair: LocatorPair, interface: UInt32) throws {
        try shim6.send(octets, from: pair.source, to: pair.destination, interface: interface)
    }

    func send(_ message: LocalMessage) throws {
        try icmp.send(message.error.encoded, from: message.ulid, to: message.ulid)
    }
}
