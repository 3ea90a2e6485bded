import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("ICMPv6 Parameter Problem and negative caching")
struct NegativeCacheTests {
    private func quoting(_ packet: Node.Packet) -> Event {
        .parameterProblem(quoted: packet.octets, source: packet.source, destination: packet.destination)
    }

    private func waiting() throws -> (Pair, Node.Packet) {
        let pair = Pair()
        pair.fate = { _ in .drop }
        pair.trigger()
        return (pair, try #require(pair.last(.i1)))
    }

    @Test(
        "A Parameter Problem that quotes our I1 ends the exchange for ICMP_HOLDDOWN_TIME",
        .requirement(
            "5533-7.8-07", "5533-7.8-08", "5533-B-14", "5533-B-43", "5533-14-04", "5533-B.1-01"))
    func genuine() throws {
        let (pair, i1) = try waiting()
        pair.post(quoting(i1), to: .a)
        #expect(pair.a.state == .noSupport)
        #expect(pair.a.entries.isEmpty)
        pair.trigger()
        pair.run(for: .milliseconds(599_900))
        #expect(pair.sent(.i1).count == 1)
        #expect(pair.a.state == .noSupport)
        pair.run(for: .milliseconds(200))
        #expect(pair.a.host.contexts.isEmpty)
        #expect(pair.a.forgotten == [.atA])
    }

    enum Forgery: CaseIterable {
        case nonce, tag, source, destination, checksum, type, cut, empty
    }

    @Test(
        "A Parameter Problem that quotes anything else is counted", .requirement("5533-7.8-09"),
        arguments: Forgery.allCases)
    func forged(_ forgery: Forgery) throws {
        let (pair, genuine) = try waiting()
        guard case .i1(var i1) = genuine.message else { return }
        var quoted = genuine
        switch forgery {
        case .nonce:
            i1.initiatorNonce &+= 1
            quoted.octets = try ControlMessage.i1(i1).encoded()
        case .tag:
            i1.initiatorTag = ContextTag(truncating: i1.initiatorTag.rawValue ^ 1)
            quoted.octets = try ControlMessage.i1(i1).encoded()
        case .source: quoted.source = .a2
        case .destination: quoted.destination = .b2
        case .checksum: quoted.octets[4] ^= 1
        case .type:
            let r2 = R2(responderTag: i1.initiatorTag, initiatorNonce: i1.initiatorNonce)
            quoted.octets = try ControlMessage.r2(r2).encoded()
        case .cut: quoted.octets.removeLast()
        case .empty: quoted.octets = []
        }
        pair.post(quoting(quoted), to: .a)
        #expect(pair.a.state == .i1Sent)
        #expect(pair.a.drops(.unmatchedParameterProblem) == 1)
    }

    @Test("A Parameter Problem never touches a context that got an answer", .requirement("5533-7.8-09"))
    func answered() throws {
        let pair = Pair()
        pair.trigger()
        let i1 = try #require(pair.last(.i1))
        pair.run(for: .milliseconds(25))
        pair.post(quoting(i1), to: .a)
        #expect(pair.a.state == .i2Sent)
        pair.run(for: .seconds(1))
        pair.post(quoting(i1), to: .a)
        #expect(pair.a.state == .established)
        #expect(pair.a.drops(.unmatchedParameterProblem) == 2)
    }

    @Test(
        "A holddown stops only our own I1: a peer that speaks gets its context",
        .requirement("5533-7.9-12", "5533-7.13-20", "5533-B-42", "5533-B-44"), arguments: [true, false])
    func peerSpeaks(icmp: Bool) throws {
        let (pair, i1) = try waiting()
        if icmp { pair.post(quoting(i1), to: .a) } else { pair.run(for: .seconds(190)) }
        #expect(pair.a.state == (icmp ? .noSupport : .eFailed))
        pair.fate = { _ in .deliver }
        pair.trigger(.b)
        pair.run(for: .seconds(1))
        #expect(pair.a.state == .established)
        #expect(pair.b.state == .established)
        #expect(pair.a.host.counters.holddowns.used == 0)
        #expect(pair.a.host.contexts.count == 1)
    }

    @Test("Negative cache entries are bounded; the one that would end first makes room")
    func bounded() throws {
        var configuration = HostConfiguration()
        configuration.maximumHolddowns = 3
        let node = Node("A", [.a1], configuration: configuration, seed: 1)
        node.announce([.a1], at: .seconds(1))
        for index in 1...5 {
            let now = Instant.seconds(index)
            let peer = IPv6Address(high: 0x2001_0db8_00b1_0000, low: UInt64(index))
            for packet in node.handle(.trigger(ULIDPair(local: .a1, peer: peer)), at: now) {
                node.handle(quoting(packet), at: now)
            }
        }
        #expect(node.host.contexts.map(\.state) == [.noSupport, .noSupport, .noSupport])
        #expect(Set(node.host.contexts.map(\.ulids.peer.low)) == [3, 4, 5])
        #expect(node.host.counters.holddowns.used == 3)
        #expect(node.host.counters.holddowns.limit == 3)
        #expect(node.host.counters.contexts.used == 0)
    }
}
