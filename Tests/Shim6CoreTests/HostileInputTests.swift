import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Hostile input")
struct HostileInputTests {
    /// A whole life of a context: every message type that hosts send today.
    private func exchange() -> Pair {
        var configuration = HostConfiguration()
        configuration.reap.sendTimeout = .seconds(2)
        let pair = Pair(configuration: configuration)
        pair.establish()
        pair.announce([.a1, .a2, .a3], by: .a)
        pair.run(for: .seconds(5), every: .milliseconds(100)) { pair.payload(from: .a) }
        pair.isCut = { $0.source == .a1 || $0.destination == .a1 }
        pair.run(for: .seconds(10), every: .milliseconds(100)) {
            pair.payload(from: .a)
            pair.payload(from: .b)
        }
        return pair
    }

    @Test("The exchange that the mutations start from has every message type of today")
    func types() {
        let types: Set<MessageType?> = [
            .i1, .r1, .i2, .r2, .updateRequest, .updateAcknowledgement, .keepalive, .probe,
        ]
        #expect(Set(exchange().log.map(\.type)) == types)
    }

    @Test(
        "Mutated messages never trap and never move payload to a foreign address",
        arguments: 1...24 as ClosedRange<UInt64>)
    func mutations(seed: UInt64) {
        let known: Set<IPv6Address> = [.a1, .a2, .a3, .b1, .b2]
        let packets = exchange().log.map(\.packet)
        let pair = exchange()
        var random = Seeded(seed)
        for _ in 0..<1500 {
            guard var packet = packets.randomElement(using: &random) else { continue }
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                guard !packet.octets.isEmpty else { break }
                let index = Int.random(in: 0..<packet.octets.count, using: &random)
                switch UInt.random(in: 0..<6, using: &random) {
                case 0: packet.octets[index] = UInt8.random(in: 0...255, using: &random)
                case 1: packet.octets[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: packet.octets.removeLast(Int.random(in: 0...min(16, packet.octets.count), using: &random))
                case 3: packet.octets.insert(contentsOf: [UInt8](repeating: 0xff, count: 8), at: index)
                case 4: packet.octets[min(1, packet.octets.count - 1)] = UInt8.random(in: 0...255, using: &random)
                default: swap(&packet.source, &packet.destination)
                }
            }
            if Bool.random(using: &random) { packet.octets.repairChecksum() }
            pair.deliver(packet, to: Bool.random(using: &random) ? .a : .b)
            pair.post(
                .parameterProblem(quoted: packet.octets, source: packet.source, destination: packet.destination),
                to: .a)
        }
        pair.run(for: .seconds(5))
        for node in [pair.a, pair.b] {
            #expect(
                node.entries.values.allSatisfy {
                    known.contains($0.outgoing.source) && known.contains($0.outgoing.destination)
                })
            #expect(node.host.contexts.count <= 4)
            #expect(node.host.counters.drops.values.reduce(0, +) > 500)
        }
    }

    @Test("Random octets never trap", arguments: 1...8 as ClosedRange<UInt64>)
    func noise(seed: UInt64) {
        let pair = exchange()
        var random = Seeded(seed)
        let before = pair.b.context
        for _ in 0..<2000 {
            var octets = (0..<Int.random(in: 0...120, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            if octets.count >= 8 {
                octets[1] = UInt8.random(in: 0...UInt8(octets.count / 8), using: &random)
                octets[2] = MessageType.allCases.randomElement(using: &random)?.rawValue ?? 1
                octets[3] = 0
                octets.repairChecksum()
            }
            pair.deliver(Node.Packet(octets: octets, source: .a1, destination: .b1), to: .b)
        }
        #expect(pair.b.context?.peerTag == before?.peerTag)
        #expect(pair.b.context?.peerLocators == before?.peerLocators)
    }

    @Test(
        "What fails the first checks is counted by its reason and looked at no further",
        .requirement("5533-12.3-01", "5533-12.3-02", "5533-12.3-03", "5533-5.3-06"))
    func firstChecks() throws {
        let pair = Pair()
        let good = try ControlMessage.i1(I1(initiatorTag: .ofA, initiatorNonce: 1)).encoded()
        func deliver(
            _ reason: ParseError.Reason, from source: IPv6Address = .a1, to destination: IPv6Address = .b1,
            _ change: (inout [UInt8]) -> Void = { _ in }
        ) {
            var octets = good
            change(&octets)
            pair.deliver(Node.Packet(octets: octets, source: source, destination: destination), to: .b)
            #expect(pair.b.drops(.parse(reason)) == 1, "\(reason)")
        }
        deliver(.truncated) { $0.removeLast(9) }
        deliver(.pastEnd) { $0.removeLast(1) }
        deliver(.checksum) { $0[12] ^= 1 }
        deliver(.wrongKind) { $0[2] |= 0x80 }
        deliver(.notShim6) { $0[3] |= 1 }
        deliver(.tooShort) {
            $0[1] = 0
            $0.repairChecksum()
        }
        deliver(.unknownMessageType) {
            $0[2] = 100
            $0.repairChecksum()
        }
        deliver(.multicastAddress, from: IPv6Address(high: 0xff02_0000_0000_0000, low: 1))
        deliver(.unspecifiedAddress, from: IPv6Address(high: 0, low: 0))
        #expect(pair.log.map(\.type) == [.error])
        #expect(pair.b.host.counters.messagesIn.isEmpty)
        #expect(pair.b.host.counters.drops.values.reduce(0, +) == 9)
    }

    @Test("A message with an unknown critical option is not processed", .requirement("5533-5.15-14"))
    func criticalOption() throws {
        let pair = Pair()
        pair.establish()
        let tag = try #require(pair.b.context?.localTag)
        var octets = try ControlMessage.updateRequest(UpdateRequest(receiverTag: tag, requestNonce: 1)).encoded()
        octets += [0x7f, 0xff, 0, 4, 0, 0, 0, 0]
        octets[1] += 1
        octets.repairChecksum()
        pair.deliver(Node.Packet(octets: octets, source: .a1, destination: .b1), to: .b)
        #expect(pair.b.drops(.parse(.unrecognisedCriticalOption)) == 1)
        #expect(pair.sent(.updateAcknowledgement).isEmpty)
        octets[17] &= 0xfe
        octets.repairChecksum()
        pair.deliver(Node.Packet(octets: octets, source: .a1, destination: .b1), to: .b)
        #expect(pair.sent(.updateAcknowledgement).count == 1)
    }

}
