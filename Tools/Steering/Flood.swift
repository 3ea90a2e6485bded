import Foundation
import Lab
import Shim6Wire
import Synchronization

/// A thread that sends packets from forged sources, as many as one processor can make.
public final class Flood: Sendable {
    private let descriptor: Int32
    private let goesOn = Atomic(true)
    private let done = DispatchSemaphore(value: 0)

    public var isRunning: Bool { goesOn.load(ordering: .relaxed) }

    /// I1 messages, each from another /48.
    public convenience init(from namespace: Namespace, to target: IPv6Address) throws {
        let i1 = try ControlMessage.i1(
            I1(initiatorTag: ContextTag(truncating: 77), initiatorNonce: 99)
        ).encoded()
        try self.init(from: namespace, to: target, [Injector.packet(from: Flood.source, to: target, i1)])
    }

    /// The octets of an IPv6 header that make another /48 of a source, and those that make another /64 of the same.
    public static let sites = 9..<14
    public static let subnets = 14..<16
    public static let source = IPv6Address(high: 0x2600_0000_0000_0000, low: 1)

    /// Begins to send these packets, over and over, each time with other octets at `varying`.
    public init(
        from namespace: Namespace, to target: IPv6Address, _ packets: [[UInt8]], varying: Range<Int> = sites
    ) throws {
        descriptor = try namespace.inside {
            let descriptor = socket(
                AF_INET6, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(IPPROTO_RAW))
            guard descriptor >= 0 else { throw Socket.failure("raw socket") }
            return descriptor
        }
        Thread.detachNewThread { [self] in send(packets, varying, to: target) }
    }

    public func stop() {
        guard goesOn.exchange(false, ordering: .relaxed) else { return }
        done.wait()
        close(descriptor)
    }

    private func send(_ packets: [[UInt8]], _ varying: Range<Int>, to target: IPv6Address) {
        var packets = packets
        var octets = [UInt8](repeating: 0, count: varying.count)
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: target.octets) }
        var generator = SystemRandomNumberGenerator()
        while isRunning {
            for index in octets.indices { octets[index] = .random(in: 0...255, using: &generator) }
            for index in packets.indices {
                packets[index].replaceSubrange(varying, with: octets)
                withUnsafePointer(to: &name) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        _ = sendto(
                            descriptor, packets[index], packets[index].count, 0, $0,
                            socklen_t(MemoryLayout<sockaddr_in6>.size))
                    }
                }
            }
        }
        done.signal()
    }
}
