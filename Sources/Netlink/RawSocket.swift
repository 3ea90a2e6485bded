import CNetlink
import Glibc
import Shim6Wire

/// A packet from a raw socket.
public struct RawPacket: Hashable, Sendable {
    /// What is behind the IPv6 header and its extension headers.
    public var octets: [UInt8]
    public var source: IPv6Address
    public var destination: IPv6Address
    /// Index of the interface it came in on.
    public var interface: UInt32
    /// It was longer than the socket has room for.
    public var isTruncated: Bool

    public init(
        octets: [UInt8], source: IPv6Address, destination: IPv6Address, interface: UInt32, isTruncated: Bool = false
    ) {
        self.octets = octets
        self.source = source
        self.destination = destination
        self.interface = interface
        self.isTruncated = isTruncated
    }
}

/// Packets with one next header, received whatever they are addressed to on this host, and sent with source address and
/// interface chosen for each.
public final class RawSocket {
    /// Nonblocking; readable when there is something to receive.
    public let descriptor: Int32
    private let sender: Int32
    private let batch: OpaquePointer

    /// - Parameters:
    ///   - nextHeader: 58, ICMPv6, receives only Destination Unreachable, Packet Too Big, Time Exceeded and Parameter
    ///     Problem; the kernel fills in the checksum of what is sent.
    ///   - size: octets of the longest packet that is received whole.
    ///   - count: packets received at once.
    ///   - buffer: octets, for receiving and for sending.
    public init(nextHeader: UInt8, size: Int = 2_304, count: Int = 64, buffer: Int32 = 4 << 20) throws(KernelError) {
        let request = "open a raw socket for next header \(nextHeader)"
        guard let batch = cnl_batch_create(count, size) else { throw KernelError(number: ENOMEM, request: request) }
        let receiver = cnl_raw_open(nextHeader, buffer)
        let sender = receiver < 0 ? receiver : cnl_raw_open_sender(nextHeader, buffer)
        guard sender >= 0 else {
            if receiver >= 0 { close(receiver) }
            cnl_batch_destroy(batch)
            throw KernelError(number: -sender, request: request)
        }
        self.batch = batch
        self.sender = sender
        descriptor = receiver
    }

    deinit {
        close(descriptor)
        close(sender)
        cnl_batch_destroy(batch)
    }

    /// What is waiting, at most as many as the socket was made for; empty if nothing is.
    public func receive() throws(KernelError) -> [RawPacket] {
        let count = cnl_batch_receive(batch, descriptor)
        guard count != -EAGAIN else { return [] }
        try checked(count, "receive from a raw socket")
        return (0..<Int(count)).map { position in
            let packet = cnl_batch_packet(batch, position)
            return RawPacket(
                octets: Array(UnsafeBufferPointer(start: packet.octets, count: packet.length)),
                source: IPv6Address(packet.source), destination: IPv6Address(packet.destination),
                interface: packet.interface, isTruncated: packet.truncated)
        }
    }

    /// Sends one packet. `octets` begin behind the IPv6 header.
    ///
    /// With an interface only routes of that interface are used; nil leaves the choice to the routing table.
    /// Throws EADDRNOTAVAIL if the host has not `source`, EAGAIN if the buffer is full, ENETUNREACH, EHOSTUNREACH,
    /// ENODEV, ENETDOWN and so on as the kernel has it.
    public func send(
        _ octets: [UInt8], from source: IPv6Address, to destination: IPv6Address, interface: UInt32? = nil
    ) throws(KernelError) {
        var (from, to) = (source.flat, destination.flat)
        let result = cnl_raw_send(sender, octets, octets.count, &from, &to, interface ?? 0)
        try checked(result, "send from \(source) to \(destination)")
    }
}

/// As long as this lives, the kernel heeds Packet Too Big about packets with a next header: it lowers the MTU of the route
/// between the addresses in question. Without a socket for it, it does not.
public final class HeedingSocket {
    private let descriptor: Int32

    public init(nextHeader: UInt8) throws(KernelError) {
        descriptor = try checked(
            cnl_raw_open_heeding(nextHeader), "open a raw socket for errors about next header \(nextHeader)")
    }

    deinit {
        close(descriptor)
    }
}
