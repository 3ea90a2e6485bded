import Foundation
import Shim6Wire

/// Captures on all uplinks, taken in the Internet: what was really on the wire.
public final class WireWatch {
    private let control: [String: Capture]
    private let payload: [String: Capture]

    public init(_ topology: Topology) throws {
        func captures(_ filter: String, length: Int) throws -> [String: Capture] {
            var captures: [String: Capture] = [:]
            for uplink in topology.uplinks {
                captures[uplink.device] = try Capture(
                    topology.laboratory, in: topology.internet, device: uplink.device, filter: filter, length: length)
            }
            return captures
        }
        // The top bit of the third octet tells payload from control messages.
        control = try captures("ip6 proto 140 and ip6[42] & 0x80 == 0", length: 2048)
        payload = try captures("(ip6 proto 140 and ip6[42] & 0x80 != 0) or ip6 proto 43", length: 128)
    }

    /// The payload with an extension header, of whatever data path, that passed a device, from one locator to another, since a moment.
    public func payload(
        on device: String, _ pair: LocatorPair, since begin: Clock.Moment
    ) throws -> [CapturedPacket] {
        try payload[device, default: unknown(device)].packets().filter {
            $0.at >= begin && $0.source == pair.source && $0.destination == pair.destination
        }
    }

    /// The control messages that passed a device, decoded by the project.
    public func controlMessages(on device: String) throws -> [CapturedPacket] {
        try control[device, default: unknown(device)].packets()
    }

    /// Compares what Wireshark says of every control message with the project's own reading.
    ///
    /// - Returns: how many messages there were, and a line for each that is wrong.
    public func check() throws -> (messages: Int, wrong: [String]) {
        var count = 0
        var wrong: [String] = []
        for (device, capture) in control.sorted(by: { $0.key < $1.key }) {
            let packets = try capture.packets()
            let verdicts = try Dissection.controlMessages(in: capture.file)
            // The capture goes on: tshark may have seen more.
            guard verdicts.count >= packets.count else {
                wrong.append("\(device): tshark knows \(verdicts.count) of \(packets.count) messages")
                continue
            }
            count += packets.count
            for (packet, verdict) in zip(packets, verdicts) {
                if let fault = fault(of: packet, verdict) { wrong.append("\(device): \(fault)") }
            }
        }
        return (count, wrong)
    }

    private func fault(of packet: CapturedPacket, _ verdict: Dissection) -> String? {
        let name = "type \(verdict.type) from \(packet.source)"
        guard verdict.isChecksumGood else { return "\(name): the checksum is wrong" }
        guard packet.payload.count == packet.payloadLength, (verdict.length + 1) * 8 == packet.payloadLength else {
            return "\(name): Hdr Ext Len \(verdict.length) in a packet of \(packet.payloadLength) octets"
        }
        do {
            let view = try MessageView(packet.payload)
            let message = try ControlMessage(view)
            return Int(message.type.rawValue) == verdict.type ? nil : "\(name): read as \(message.type)"
        } catch {
            return "\(name): \(error)"
        }
    }

    private func unknown(_ device: String) -> Capture { preconditionFailure("no capture on \(device)") }
}
