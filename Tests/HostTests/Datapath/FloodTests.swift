import Foundation
import Lab
import Requirements
import Shim6Control
import Shim6Wire
import Steering
import Synchronization
import Testing

extension HostTests {
    /// I1 messages from everywhere and nowhere, as many as one processor can make.
    @Suite struct FloodTests {
        @Test func `A handshake completes at the first try while forged I1s keep a processor busy`() throws {
            try withPair { pair in
                let capture = try Capture(
                    pair.laboratory, in: pair.topology.internet, device: "b1", filter: "icmp6 and ip6[40] == 4")
                let flood = try Flood(from: pair.topology.internet, to: pair.ulidOfB)
                defer { flood.stop() }
                try pair.laboratory.wait(until: "the flood to reach its limit") {
                    try pair.b.status().drops.contains { $0.key.hasSuffix("strangers_i1_rate") && $0.value > 10_000 }
                }
                let tables = try pair.b.contexts().count
                let echo = try pair.startSession()
                #expect(try pair.b.contexts().count == tables + 1)
                // A second I1 would have gone out after four seconds.
                #expect(try pair.a.status().counters["out_i1", default: 0] <= 1)
                #expect(flood.isRunning)
                flood.stop()
                capture.stop()
                // The kernel never says that this host speaks no Shim6.
                #expect(try capture.packets().isEmpty)
                _ = try echo.stop()
            }
        }
    }
}

/// A thread that sends I1 messages, each from another /48.
private final class Flood: Sendable {
    private let descriptor: Int32
    private let goesOn = Atomic(true)
    private let done = DispatchSemaphore(value: 0)

    var isRunning: Bool { goesOn.load(ordering: .relaxed) }

    init(from namespace: Namespace, to target: IPv6Address) throws {
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

    func stop() {
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
