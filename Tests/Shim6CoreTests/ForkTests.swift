import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Forked contexts")
struct ForkTests {
    private static let web = Flow(protocolNumber: 6, sourcePort: 5000, destinationPort: 80)
    private static let voice = Flow(protocolNumber: 17, sourcePort: 4000, destinationPort: 4000)

    /// A pair of hosts with a default context, and forks of A's.
    private func forked(_ flows: Flow..., configuration: HostConfiguration = .impatient) throws -> Pair {
        let pair = Pair(configuration: configuration)
        pair.establish()
        let tag = try #require(pair.a.context?.localTag)
        for flow in flows {
            pair.post(.fork(tag, [flow]), to: .a)
            pair.run(for: .seconds(1))
        }
        return pair
    }

    private func fork(_ flow: Flow, of pair: Pair) throws -> ContextSnapshot {
        try #require(pair.a.host.contexts.first { $0.flows == [flow] })
    }

    @Test(
        "Each fork has an identifier, tags and a state of its own beside the default context",
        .requirement("5533-4.2-01", "5533-4.2-02", "5533-7.7-02", "5533-1.6-04", "5533-12.4-02"))
    func separate() throws {
        let pair = try forked(Self.web, Self.voice)
        let contexts = pair.a.host.contexts
        #expect(contexts.count == 3 && pair.b.host.contexts.count == 3)
        #expect(contexts.allSatisfy { $0.state == .established && $0.ulids == .atA })
        #expect(Set(contexts.map(\.forkedInstance)).count == 3)
        #expect(contexts.filter { $0.forkedInstance == 0 }.map(\.flows) == [[]])
        #expect(Set(contexts.map(\.localTag)).count == 3 && Set(contexts.compactMap(\.peerTag)).count == 3)
        for context in contexts {
            let other = try #require(pair.b.host.snapshot(of: .atB, forkedInstance: context.forkedInstance))
            #expect(other.localTag == context.peerTag && other.peerTag == context.localTag)
        }
    }

    @Test(
        "I1, I2 and I2bis of a fork carry its identifier; the default context's do not",
        .requirement("5533-7.7-05", "5533-7.11-11", "5533-7.18-10", "5533-5.9-12", "5533-7.9-03", "5533-7.13-03"))
    func option() throws {
        let pair = try forked(Self.web)
        let fork = try fork(Self.web, of: pair)
        func identifier(_ sent: Pair.Sent) -> UInt32? {
            switch sent.packet.message {
            case .i1(let i1): i1.forkedInstance
            case .i2(let i2): i2.forkedInstance
            case .i2bis(let i2bis): i2bis.forkedInstance
            default: nil
            }
        }
        #expect(pair.sent(.i1).map(identifier) == [nil, fork.forkedInstance])
        #expect(pair.sent(.i2).map(identifier) == [nil, fork.forkedInstance])
        let peerTag = try #require(fork.peerTag)
        pair.post(.remove(peerTag), to: .b)
        let lost = Keepalive(receiverTag: peerTag)
        try pair.forge(.keepalive(lost), from: .a1, to: .b1)
        pair.deliver(try #require(pair.last(.r1bis)), to: .a)
        pair.run(for: .seconds(1))
        #expect(pair.sent(.i2bis).map(identifier) == [fork.forkedInstance])
        #expect(pair.b.host.snapshot(of: .atB, forkedInstance: fork.forkedInstance)?.state == .established)
    }

    @Test(
        "The data path gets the flows of a fork once the peer knows it; the peer gets none", .requirement("5533-4.2-03")
    )
    func flows() throws {
        let pair = try forked()
        pair.fate = { $0.type == .r2 ? .drop : .deliver }
        pair.post(.fork(try #require(pair.a.context?.localTag), [Self.web]), to: .a)
        let tag = try fork(Self.web, of: pair).localTag
        pair.run(for: .seconds(1))
        #expect(pair.a.entries[tag]?.flows == [])
        #expect(pair.a.entries[tag]?.forkedInstance != 0)
        pair.fate = { _ in .deliver }
        pair.run(for: .seconds(20))
        #expect(pair.a.entries[tag]?.flows == [Self.web])
        #expect(pair.a.entries.values.filter { $0.forkedInstance == 0 }.map(\.flows) == [[]])
        #expect(pair.b.entries.values.allSatisfy { $0.flows.isEmpty })
    }

    @Test(
        "Forks of one ULID pair use different locators at once, and each fails over by itself",
        .requirement("5533-4.2-02", "5533-12.4-01"))
    func independent() throws {
        let pair = try forked(Self.web, Self.voice)
        // The packets of one fork alone are lost: the peer hears nothing of it, and this host nothing of the peer.
        pair.run(for: .seconds(8), every: .milliseconds(100)) {
            pair.payload(from: .a, flow: Self.voice)
            pair.payload(from: .b)
            pair.isCut = { $0 == .a1b1 }
            pair.payload(from: .a, flow: Self.web)
            pair.isCut = { _ in false }
        }
        let web = try fork(Self.web, of: pair)
        let voice = try fork(Self.voice, of: pair)
        #expect(web.counters.explorations > 0)
        #expect(Set([web.slot, voice.slot]).count == 2)
        #expect(pair.a.activity[web.slot ?? 0].lastOut != nil)
        #expect(voice.state == .established && web.state == .established)
    }

    @Test("What a fork cannot be made of is refused")
    func refused() throws {
        let pair = try forked(Self.web)
        let tag = try #require(pair.a.host.snapshot(of: .atA)?.localTag)
        #expect(pair.a.host.refusal(ofFork: .ofA, [Self.voice]) == .unknownTag)
        #expect(pair.a.host.refusal(ofFork: tag, []) == .noFlows)
        #expect(pair.a.host.refusal(ofFork: tag, [Self.web]) == .taken)
        #expect(
            pair.a.host.refusal(
                ofFork: tag, (0...64).map { Flow(protocolNumber: 6, sourcePort: UInt16($0)) }) == .tooManyFlows)
        #expect(pair.a.host.refusal(ofFork: tag, [Self.voice]) == nil)
        for flows in [[], [Self.web]] { pair.post(.fork(tag, flows), to: .a) }
        pair.post(.fork(.ofA, [Self.voice]), to: .a)
        #expect(pair.a.host.contexts.count == 2)
    }

    @Test(
        "A tag that serves another fork of the same ULIDs is a confusion as well",
        .requirement("5533-7.15-03", "5533-7.6-03"))
    func confusion() throws {
        let pair = Pair()
        func introduce(_ instance: UInt32?) throws {
            let i1 = I1(initiatorTag: .ofA, initiatorNonce: 1, forkedInstance: instance)
            try pair.forge(.i1(i1), from: .a1, to: .b1)
            guard case .r1(let r1) = pair.last(.r1)?.message else { throw Pair.Missing.message }
            var i2 = pair.i2(r1, tag: .ofA)
            i2.forkedInstance = instance
            try pair.forge(.i2(i2), from: .a1, to: .b1)
        }
        try introduce(nil)
        let old = try #require(pair.b.context?.localTag)
        try introduce(7)
        #expect(pair.b.context?.forkedInstance == 7)
        #expect(pair.b.host.snapshot(of: old) == nil)
        #expect(pair.b.notices.contains { $0.kind == .confused && $0.tag == old })
    }

    @Test("An idle fork ends by itself while the default context goes on", .requirement("5533-4.2-02", "5533-9-01"))
    func idle() throws {
        var configuration = HostConfiguration()
        configuration.idleTimeout = .seconds(30)
        let pair = try forked(Self.web, configuration: configuration)
        pair.clearLog()
        pair.run(for: .seconds(70), every: .seconds(1)) {
            pair.payload(from: .a)
            pair.payload(from: .b)
        }
        #expect(pair.a.context?.forkedInstance == 0 && pair.b.context?.forkedInstance == 0)
        #expect(pair.log.allSatisfy { $0.type == .keepalive })
    }
}
