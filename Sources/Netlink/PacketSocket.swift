import CNetlink
import Glibc

/// Sends whole IPv6 packets by an interface, whatever the routes. Receives nothing.
public final class PacketSocket {
    private let descriptor: Int32

    public init() throws(KernelError) {
        // Protocol 0: no packet comes in.
        descriptor = socket(AF_PACKET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard descriptor >= 0 else { throw KernelError(number: errno, request: "open a packet socket") }
    }

    deinit { close(descriptor) }

    /// - Parameter octets: from the IPv6 header on.
    public func send(_ octets: [UInt8], interface: UInt32) throws(KernelError) {
        let sent = cnl_packet_send(descriptor, interface, octets, octets.count)
        guard sent == 0 else { throw KernelError(number: -sent, request: "send a packet by interface \(interface)") }
    }
}
