import Shim6Wire
import Testing

@testable import Doctor

/// What probes are on the wire, and what answers mean.
@Suite struct ProbeTests {
    private static let source = IPv6Address(high: 0x2001_0db8_00a1_0000, low: 1)
    private static let peer = IPv6Address(high: 0x2001_0db8_00b1_0000, low: 2)

    private func probe(_ form: ProbePacket.Form, hopLimit: UInt8 = 64, length: Int = 0) -> ProbePacket {
        ProbePacket(
            form: form, source: Self.source, destination: Self.peer, nonce: 0x1234_0007, hopLimit: hopLimit,
            length: length)
    }

    @Test func `A ping has a checksum that is right and the length that is wanted`() throws {
        let packet = try #require(IPv6Packet(probe(.ping, length: 1301).octets))
        #expect(packet.encoded.count == 1301)
        #expect(packet.header.payloadLength == 1261)
        var checksum = InternetChecksum()
        checksum.addPseudoHeader(packet.header, length: packet.payload.count, protocol: NextHeader.icmpv6)
        checksum.add(packet.payload[...])
        #expect(checksum.value == 0)
        #expect(packet.payload[0] == 128)
    }

    @Test func `Control messages are an I1 and an R1 that receivers take`() throws {
        for (form, type) in [(ProbePacket.Form.control, MessageType.i1), (.unasked, .r1)] {
            let packet = try #require(IPv6Packet(probe(form, hopLimit: 3).octets))
            #expect(packet.header.hopLimit == 3 && packet.header.nextHeader == NextHeader.shim6)
            let message = try ControlMessage(MessageView(packet.payload))
            #expect(message.type == type)
        }
    }

    @Test func `Payload is a payload extension header and nothing behind it`() throws {
        let packet = try #require(IPv6Packet(probe(.payload, length: 1288).octets))
        #expect(packet.encoded.count == 1288)
        #expect(try PayloadHeader(packet.payload).nextHeader == NextHeader.none)
    }

    @Test func `What is quoted of a probe has its nonce in one place only`() {
        for form in [ProbePacket.Form.ping, .control, .payload, .unasked] {
            let octets = probe(form, length: 64).octets
            let header = octets.prefix(IPv6Header.length)
            #expect(!zip(header, header.dropFirst()).contains { $0 == (0x12, 0x34) }, "\(form)")
            #expect(zip(octets, octets.dropFirst()).contains { $0 == (0x12, 0x34) }, "\(form)")
        }
    }

    @Test func `Answers are told apart`() {
        func kind(_ octets: [UInt8]) -> Answer.Kind? {
            Answer.kind(nextHeader: NextHeader.icmpv6, octets: octets + [UInt8](repeating: 0, count: 48))
        }
        #expect(kind([129, 0]) == .echoReply)
        #expect(kind([3, 0]) == .timeExceeded)
        #expect(kind([1, 5]) == .unreachable(code: 5))
        #expect(kind([2, 0, 0, 0, 0, 0, 5, 0]) == .tooBig(mtu: 1280))
        #expect(kind([4, 1]) == .unknownProtocol)
        #expect(kind([4, 2]) == .otherError)
        // Requests are none.
        #expect(kind([128, 0]) == nil)
        let message = probe(.unasked).octets.dropFirst(IPv6Header.length)
        #expect(Answer.kind(nextHeader: NextHeader.shim6, octets: Array(message)) == .message(.r1))
        #expect(Answer.kind(nextHeader: NextHeader.shim6, octets: [1, 2]) == nil)
        #expect(Answer.kind(nextHeader: NextHeader.icmpv6, octets: []) == nil)
    }

    // MARK: Where probes end

    private func router(_ hop: UInt8) -> IPv6Address { IPv6Address(high: 0x2001_0db8_0000_0000, low: UInt64(hop)) }

    private func steps(_ hops: ClosedRange<UInt8>, then last: Answer.Kind? = nil) -> PathChecks.Steps {
        var steps: PathChecks.Steps = [:]
        for hop in hops { steps[hop] = Answer(kind: .timeExceeded, from: router(hop), interface: 2) }
        if let last { steps[hops.upperBound + 1] = Answer(kind: last, from: Self.peer, interface: 2) }
        return steps
    }

    private func silence(_ steps: PathChecks.Steps, _ pings: PathChecks.Steps, pingAnswered: Bool = true) -> String {
        PathChecks.silence("protocol 140", steps, pings: pings, pingAnswered: pingAnswered, peer: Self.peer)
    }

    @Test func `The last hop that answered and the first that did not are named`() {
        let pings = steps(1...4, then: .echoReply)
        #expect(
            silence(steps(1...2), pings)
                == "protocol 140 gets no answer, pings do; the last that answered is 2001:db8::2 (hop 2), the first "
                + "that did not 2001:db8::3 (hop 3)")
        #expect(silence(steps(1...4), pings).hasSuffix("the first that did not 2001:db8:b1::2 (hop 5)"))
        #expect(silence([:], pings).hasSuffix("not even the first router answers"))
        #expect(
            silence(steps(1...2), steps(1...2), pingAnswered: false)
                == "nothing comes back; the last that answered is 2001:db8::2 (hop 2), the first that did not hop 3")
        // A router that answers no probe is passed over.
        var gap = steps(1...4)
        gap[2] = nil
        #expect(silence(gap, pings).contains("is 2001:db8::4 (hop 4)"))
    }

    @Test func `A router's refusal is told`() {
        var refused = steps(1...2)
        refused[3] = Answer(kind: .unreachable(code: 1), from: router(3), interface: 2)
        #expect(silence(refused, [:]).hasSuffix("2001:db8::3 answers that it is unreachable"))
    }

    @Test func `Whether the last router is reached is seen by pings that get to the end`() {
        let pings = steps(1...4, then: .echoReply)
        #expect(PathChecks.comesToLastRouter(steps(1...4), pings: pings))
        #expect(!PathChecks.comesToLastRouter(steps(1...3), pings: pings))
        #expect(!PathChecks.comesToLastRouter(steps(1...4), pings: steps(1...4)))
    }

    @Test func `A size that vanishes is worse than one that a router refuses`() {
        var told = Trail()
        told.answers = [Answer(kind: .tooBig(mtu: 1400), from: router(2), interface: 2)]
        let refused = PathChecks.size("path", "pass", mtu: 1500, largest: 1400, full: told)
        #expect(refused == Finding("path", .ok, "pass, up to 1400 octets, as 2001:db8::2 tells"))
        #expect(PathChecks.size("path", "pass", mtu: 1500, largest: 1400, full: Trail()).verdict == .warning)
        #expect(PathChecks.size("path", "pass", mtu: 1500, largest: nil, full: Trail()).verdict == .failure)
    }

    @Test func `The own tables know a run's packets by their flow labels, and answers by their peers`() {
        let script = OwnTables.script(
            name: "own", signature: 0x1234, interfaces: ["eth0"], peers: [Self.peer], tracks: true)
        let lines = script.split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("add table") }.allSatisfy { $0.hasSuffix("{ flags owner; }") })
        let (label, unasked) = (0x6edcb, 0x7edcb)
        #expect(lines.contains("add rule inet own output ip6 flowlabel { \(label), \(unasked) } meta nftrace set 1"))
        #expect(lines.contains("add rule inet own prerouting ip6 flowlabel \(unasked) ct zone set 6140"))
        #expect(script.contains("ip6 saddr { 2001:db8:b1::2 } meta l4proto 140 limit rate"))
        #expect(script.contains("hook ingress device \"eth0\""))
        let least = OwnTables.script(name: "own", signature: 1, interfaces: [], peers: [], tracks: false)
        #expect(!least.contains("saddr") && !least.contains("ct zone"))
    }
}
