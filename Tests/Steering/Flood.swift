import Foundation
import Lab
import Shim6Wire
import Synchronization

/// A thread that sends I1 messages, each from another /48, as many as one processor can make.
public final class Flood: Sendable {
    private let descriptor: Int32
    private let goesOn = Atomic(true)
    private let done = DispatchSemaphore(value: 0)

    public var isRunning: Bool { goesOn.load(ordering: .relaxed) }

    /// Begins.
    public init(from namespace: Namespace, to target: IPv6Address) throws {
        descriptor = try namespace.inside {
            let descriptor = socket(
                AF_INET6, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(IPPROTO_RAW))
            guard descriptor >= 0 else { throw Socket.failure("raw socket") }
            return descriptor
        }
        let i1 = try ControlMessage.i1(
            I1(initiatorTag: ContextTag(truncating: 77), initiatorNonce: 99)
        ).encoded()
        let packet = Injector.packet(from: IPv6Address(high: 0x2600_0000_0000_0000, low: 1), to: target, i1)
        Thread.detachNewThread { [self] in send(packet, to: target) }
    }

    public func stop() {
        guard goesOn.exchange(false, ordering: .relaxed) else { return }
        done.wait()
        close(descriptor)
    }

    private func send(_ packet: [UInt8], to target: IPv6Address) {
        var packet = packet
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: target.octets) }
        var generator = SystemRandomNumberGenerator()
        while isRunning {
            // The source is at offset 8.
            for index in 9..<14 { packet[index] = .random(in: 0...255, using: &generator) }
            withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    _ = sendto(descriptor, packet, packet.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        }
        done.signal()
    }
}
