import CNetlink
import Glibc
import Shim6Wire

/// Sends ICMPv6 Echo Requests from addresses and by interfaces of its owner's choice, and receives the replies
/// (RFC 4443, section 4).
public final class EchoSocket {
    /// One Echo Request, or the reply to it.
    public struct Echo: Hashable, Sendable {
        public var source: IPv6Address
        public var destination: IPv6Address
        public var sequence: UInt16
        /// What nobody knows who has not seen the request.
        public var nonce: UInt64

        public init(source: IPv6Address, destination: IPv6Address, sequence: UInt16, nonce: UInt64) {
            self.source = source
            self.destination = destination
            self.sequence = sequence
            self.nonce = nonce
        }
    }

    private static let request: UInt8 = 128
    /// A request is 16 octets; replies are as long.
    private static let length = 16

    /// Nonblocking; readable when there are replies.
    public let descriptor: Int32
    private let identifier: UInt16
    private let batch: OpaquePointer

    public init(identifier: UInt16) throws(KernelError) {
        let request = "open a socket for ICMPv6 Echo"
        guard let batch = cnl_batch_create(16, Self.length) else { throw KernelError(number: ENOMEM, request: request) }
        let opened = cnl_echo_open(identifier)
        guard opened >= 0 else {
            cnl_batch_destroy(batch)
            throw KernelError(number: -opened, request: request)
        }
        descriptor = opened
        self.identifier = identifier
        self.batch = batch
    }

    deinit {
        close(descriptor)
        cnl_batch_destroy(batch)
    }

    public func send(_ echo: Echo, interface: UInt32) throws(KernelError) {
        let octets =
            [Self.request, 0, 0, 0, UInt8(identifier >> 8), UInt8(truncatingIfNeeded: identifier)]
            + [UInt8(echo.sequence >> 8), UInt8(truncatingIfNeeded: echo.sequence)]
            + (0..<8).map { UInt8(truncatingIfNeeded: echo.nonce >> (56 - 8 * $0)) }
        var (from, to) = (echo.source.flat, echo.destination.flat)
        let result = cnl_raw_send(descriptor, octets, octets.count, &from, &to, interface)
        try checked(result, "send an Echo Request from \(echo.source) to \(echo.destination)")
    }

    /// Some of the replies that are waiting; empty if there are none. Each has the source and destination of its request.
    public func receive() throws(KernelError) -> [Echo] {
        let count = cnl_batch_receive(batch, descriptor)
        guard count != -EAGAIN else { return [] }
        try checked(count, "receive Echo Replies")
        return (0..<Int(count)).compactMap { position in
            let packet = cnl_batch_packet(batch, position)
            guard packet.length == Self.length, !packet.truncated else { return nil }
            let octets = UnsafeBufferPointer(start: packet.octets, count: packet.length)
            return Echo(
                source: IPv6Address(packet.destination), destination: IPv6Address(packet.source),
                sequence: UInt16(octets[6]) << 8 | UInt16(octets[7]),
                nonce: octets[8...].reduce(0) { $0 << 8 | UInt64($1) })
        }
    }
}
