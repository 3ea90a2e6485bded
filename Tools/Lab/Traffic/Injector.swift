import Foundation
import Shim6Wire

/// Sends packets as they are, IPv6 header included: what a hostile or broken neighbour can put on the wire.
public enum Injector {
    /// A packet with next header 140.
    public static func packet(
        from source: IPv6Address, to destination: IPv6Address, _ payload: [UInt8], nextHeader: UInt8 = 140
    ) -> [UInt8] {
        let length = UInt16(truncatingIfNeeded: payload.count)
        let header: [UInt8] = [0x60, 0, 0, 0, UInt8(length >> 8), UInt8(length & 0xff), nextHeader, 64]
        return header + source.octets + destination.octets + payload
    }

    /// Hands the packets to the kernel, which sends them on by their destination.
    public static func send(_ packets: [[UInt8]]) throws {
        let descriptor = socket(AF_INET6, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(IPPROTO_RAW))
        guard descriptor >= 0 else { throw Socket.failure("raw socket") }
        defer { close(descriptor) }
        for packet in packets where packet.count >= 40 {
            var name = sockaddr_in6()
            name.sin6_family = sa_family_t(AF_INET6)
            withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: packet[24..<40]) }
            let sent = withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(descriptor, packet, packet.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
            guard sent == packet.count else { throw Socket.failure("send") }
        }
    }
}

extension Namespace {
    /// Sends packets from inside this namespace.
    public func inject(_ packets: [[UInt8]]) throws {
        let text = packets.map { $0.map { String(format: "%02x", $0) }.joined() }
        try run([try Executable.lab.path, "inject"] + text)
    }
}
