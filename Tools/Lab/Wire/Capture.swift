import Foundation
import Shim6Wire

/// A packet as it was on the wire.
public struct CapturedPacket: Sendable {
    public var at: Clock.Moment
    public var source: IPv6Address
    public var destination: IPv6Address
    public var flowLabel: UInt32
    public var nextHeader: UInt8
    /// From the IPv6 payload on; cut short where the capture was told so.
    public var payload: [UInt8]
    /// The length that the IPv6 header states.
    public var payloadLength: Int

    /// The payload extension header, if the packet has one.
    public var isShim6Payload: Bool { nextHeader == 140 && payload.count >= 8 && payload[2] & 0x80 != 0 }
    public var isShim6Control: Bool { nextHeader == 140 && payload.count >= 8 && payload[2] & 0x80 == 0 }
    /// The ULIDs in a type 2 routing header and a Home Address option behind it, if the packet has them as the `xfrm` data
    /// path makes them.
    public var homeAddresses: LocatorPair? {
        guard nextHeader == 43, payload.count >= 48, payload[0] == 60, payload[2] == 2, payload[30] == 201,
            let destination = IPv6Address(octets: payload[8..<24]), let source = IPv6Address(octets: payload[32..<48])
        else { return nil }
        return LocatorPair(source: source, destination: destination)
    }
    /// The receiver context tag of a payload extension header.
    public var tag: UInt64? {
        guard isShim6Payload else { return nil }
        return payload[2..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } & 0x7fff_ffff_ffff
    }
}

/// A running tcpdump on one device.
public final class Capture {
    public let file: String
    public let device: String
    private let program: Program

    /// Starts and returns when packets are being caught.
    ///
    /// - Parameters:
    ///   - filter: of tcpdump; all of Shim6 by default.
    ///   - length: octets kept of each packet; control messages need all of theirs.
    public init(
        _ laboratory: Laboratory, in namespace: Namespace, device: String, filter: String = "ip6 proto 140",
        length: Int = 2048
    ) throws {
        self.device = device
        let base = "\(namespace.name)-\(device)-\(Clock.now.nanoseconds)"
        file = laboratory.path(base + ".pcap")
        // Without its usual change of user: the directory is root's. And without the second that it lets packets wait,
        // which are lost when it ends.
        program = try laboratory.start(
            [
                "tcpdump", "-n", "-Z", "root", "-i", device, "--immediate-mode", "-U", "-B", "8192", "-s", "\(length)",
                "-w",
                file, filter,
            ], in: namespace, log: base + ".log")
        let program = program
        try laboratory.wait(until: "tcpdump on \(device)") {
            guard program.isRunning else { throw LabError("tcpdump: \(program.text)") }
            return program.text.contains("listening on")
        }
    }

    /// Stops the capture. What it caught stays readable.
    public func stop() {
        program.end(with: SIGINT)
    }

    /// Everything caught so far that is IPv6.
    public func packets() throws -> [CapturedPacket] {
        let octets = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        return CaptureFile.packets(in: octets, offset: Clock.sinceEpoch)
    }
}

/// The file format of tcpdump: a header of 24 octets, then each packet behind one of 16, in this machine's byte order.
enum CaptureFile {
    static func packets(in octets: [UInt8], offset: Clock.Span) -> [CapturedPacket] {
        var packets: [CapturedPacket] = []
        var place = 24
        while place + 16 <= octets.count {
            let seconds = number(octets, place)
            let microseconds = number(octets, place + 4)
            let length = number(octets, place + 8)
            let end = place + 16 + length
            guard end <= octets.count else { break }
            let epoch = Clock.Moment(nanoseconds: UInt64(seconds) * 1_000_000_000 + UInt64(microseconds) * 1000)
            if let packet = packet(octets[(place + 16)..<end], at: epoch + offset) { packets.append(packet) }
            place = end
        }
        return packets
    }

    private static func number(_ octets: [UInt8], _ place: Int) -> Int {
        octets[place..<(place + 4)].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// An IPv6 packet behind an Ethernet header, or without one as on a tun device.
    private static func packet(_ frame: ArraySlice<UInt8>, at moment: Clock.Moment) -> CapturedPacket? {
        let ethernet = 14
        var rest = frame
        if frame.count > ethernet, frame.dropFirst(12).prefix(2).elementsEqual([0x86, 0xdd]) {
            rest = frame.dropFirst(ethernet)
        }
        guard rest.count >= 40, let first = rest.first, first >> 4 == 6 else { return nil }
        let header = Array(rest.prefix(40))
        guard let source = IPv6Address(octets: header[8..<24]),
            let destination = IPv6Address(octets: header[24..<40])
        else { return nil }
        let flowLabel = header[1..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0xfffff
        return CapturedPacket(
            at: moment, source: source, destination: destination, flowLabel: flowLabel, nextHeader: header[6],
            payload: Array(rest.dropFirst(40)), payloadLength: Int(header[4]) << 8 | Int(header[5]))
    }
}
