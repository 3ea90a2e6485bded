import Foundation
import Lab
import Requirements
import Steering
import Testing

extension HostTests {
    /// IPsec stands above the shim: it knows the ULIDs only (RFC 5533, section 16.1).
    @Suite struct IPsecTests {
        @Test(.requirement("5533-16.1-01"), arguments: [50, 51] as [UInt8])
        func `What ESP and AH have made for the ULIDs travels untouched behind the payload header`(kind: UInt8) throws {
            let pair = try SteeredPair()
            try pair.moveA(pair.a2, pair.b2)
            let receiver = try pair.b.namespace.inside {
                let descriptor = socket(
                    AF_INET6, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Int32(kind))
                guard descriptor >= 0 else { throw Socket.failure("raw socket") }
                return Socket(adopting: descriptor)
            }
            try receiver.bind(to: "\(pair.b1)", port: 0)
            try receiver.connect(to: "\(pair.a1)", port: 0)
            let capture = try Capture(pair.laboratory, in: pair.topology.internet, device: "b2", filter: "ip6")
            // AH (RFC 4302) with a check value of 12 octets in front of UDP; ESP (RFC 4303) is opaque behind its first
            // two words.
            let start: [UInt8] = kind == 51 ? [17, 4, 0, 0] : []
            let made =
                start + [0x61, 0x40, 0x61, 0x41, 0, 0, 0, 1] + (0..<600).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            try pair.a.namespace.inject([
                Injector.packet(from: pair.a1, to: pair.b1, made, nextHeader: kind)
            ])
            try #require(receiver.isReadable(within: 2000))
            #expect(receiver.receive() == made)
            try pair.laboratory.pass(seconds: 0.3)
            capture.stop()
            let seen = try capture.packets().filter { $0.source == pair.a2 && $0.destination == pair.b2 }
            let packet = try #require(seen.first)
            #expect(seen.count == 1 && packet.tag == SteeredPair.tagB.rawValue)
            #expect(packet.payload.first == kind)
            #expect(packet.payload.dropFirst(8) == made[...])
        }

        @Test(.requirement("5533-16.1-01"), arguments: ["out", "in"])
        func `IPsec policies of either host see the ULIDs of rehomed packets`(direction: String) throws {
            let pair = try SteeredPair()
            try pair.moveA(pair.a2, pair.b2)
            let host = direction == "out" ? pair.a.namespace : pair.b.namespace
            let sockets = try pair.datagramSockets(port: 5302)
            func policy(_ verb: String, _ source: Any, _ destination: Any) throws {
                let selector = ["src", "\(source)/128", "dst", "\(destination)/128", "dir", direction]
                let action = verb == "add" ? ["action", "block"] : []
                try host.run(["ip", "xfrm", "policy", verb] + selector + action)
            }
            func arriving() -> Int { pair.deliver(2, of: 100, from: sockets.a, to: sockets.b) }
            // On the way out the kernel looks for policies also when it looks for the next hop, by the locators.
            if direction == "in" { try policy("add", pair.a2, pair.b2) }
            #expect(arriving() == 2)
            try policy("add", pair.a1, pair.b1)
            #expect(arriving() == 0)
            try policy("delete", pair.a1, pair.b1)
            #expect(arriving() == 2)
        }
    }
}
