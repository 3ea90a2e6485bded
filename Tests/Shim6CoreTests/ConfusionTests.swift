import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Context confusion")
struct ConfusionTests {
    /// Makes a context of B with an A that a test plays.
    private func introduce(
        _ pair: Pair, _ ulid: IPv6Address, tag: ContextTag, _ locators: [IPv6Address]
    ) throws {
        let r1 = try pair.challenge(tag: tag, from: ulid)
        let i2 = pair.i2(r1, tag: tag, options: .ofA(locators, ulid: ulid))
        try pair.forge(.i2(i2), from: ulid, to: .b1)
    }

    @Test(
        "A tag that the peer uses for another ULID pair ends the old context",
        .requirement(
            "5533-7.6-01", "5533-7.6-03", "5533-7.14-01", "5533-7.15-01", "5533-7.15-05", "5533-7.15-08"))
    func sameTag() throws {
        let pair = Pair()
        try introduce(pair, .a1, tag: .ofA, [.a1, .a2])
        let old = try #require(pair.b.context)
        try introduce(pair, .a2, tag: .ofA, [.a2, .a1])
        let new = try #require(pair.b.context)
        #expect(new.ulids.peer == .a2)
        #expect(new.localTag != old.localTag)
        #expect(pair.b.entries.count == 1)
        #expect(pair.b.entries[old.localTag] == nil)
        #expect(pair.b.forgotten.contains(old.ulids))
        #expect(pair.b.notices.contains { $0.kind == .confused && $0.tag == old.localTag })
        #expect(pair.b.host.counters.contexts.used == 1)
    }

    @Test("The old context is gone before the R2 goes out", .requirement("5533-7.14-01"))
    func beforeR2() throws {
        let pair = Pair()
        try introduce(pair, .a1, tag: .ofA, [.a1, .a2])
        try introduce(pair, .a2, tag: .ofA, [.a2, .a1])
        let removal = pair.b.effects.firstIndex { if case .remove = $0 { true } else { false } }
        let r2 = pair.b.effects.firstIndex { if case .send = $0 { true } else { false } }
        #expect(try #require(removal) < #require(r2))
    }

    @Test("Equal tags of different hosts are no confusion", .requirement("5533-7.15-02", "5533-7.15-04"))
    func differentHosts() throws {
        let pair = Pair()
        try introduce(pair, .a1, tag: .ofA, [.a1, .a2])
        try introduce(pair, .stranger, tag: .ofA, [.stranger])
        #expect(pair.b.host.contexts.map(\.peerTag) == [.ofA, .ofA])
    }

    @Test("The same ULID pair with the same tag is the context itself", .requirement("5533-7.15-03"))
    func sameContext() throws {
        let pair = Pair()
        try introduce(pair, .a1, tag: .ofA, [.a1, .a2])
        let tag = pair.b.context?.localTag
        try introduce(pair, .a1, tag: .ofA, [.a1, .a2])
        #expect(pair.b.context?.localTag == tag)
    }

    @Test("An I1 with a repeated tag removes nothing", .requirement("5533-7.6-05"))
    func onlyI1() throws {
        let pair = Pair()
        try introduce(pair, .a1, tag: .ofA, [.a1, .a2])
        _ = try pair.challenge(tag: .ofA, from: .a2)
        #expect(pair.b.context?.ulids.peer == .a1)
        #expect(pair.b.state == .established)
    }

    @Test("Confusion is found in an R2 too", .requirement("5533-7.16-09", "5533-C.2-01"))
    func inR2() throws {
        let pair = Pair()
        try introduce(pair, .a1, tag: .ofA, [.a1, .a2])
        pair.fate = { _ in .drop }
        pair.trigger(.b, ULIDPair(local: .b1, peer: .a2))
        guard case .i1(let i1) = pair.last(.i1, by: .b)?.message else { throw Pair.Missing.message }
        let r2 = R2(
            responderTag: .ofA, initiatorNonce: i1.initiatorNonce, options: .ofA([.a1, .a2], ulid: .a2))
        try pair.forge(.r2(r2), from: .a2, to: .b1)
        #expect(pair.b.host.contexts.map(\.ulids.peer) == [.a2])
        #expect(pair.b.state == .established)
    }

    @Test("Traffic that still needs the removed context makes a new one", .requirement("5533-7.6-04", "5533-7.15-06"))
    func recreated() throws {
        let pair = Pair()
        try introduce(pair, .a1, tag: .ofA, [.a1, .a2])
        try introduce(pair, .a2, tag: .ofA, [.a2, .a1])
        pair.trigger(.b, ULIDPair(local: .b1, peer: .a1))
        pair.run(for: .seconds(1))
        #expect(pair.b.host.contexts.count == 2)
        #expect(pair.b.host.contexts.allSatisfy { $0.state == .established })
        #expect(Set(pair.b.host.contexts.map(\.peerTag)).count == 2)
    }

    /// Who else a tag may come from that its peer had for another context before.
    enum Reuse: CaseIterable {
        case recovery, confusion, thirdParty
    }

    @Test(
        "A tag that comes again leaves a consistent state, whoever sends it", .requirement("5533-C-01"),
        arguments: Reuse.allCases)
    func reused(_ reuse: Reuse) throws {
        let pair = Pair()
        try introduce(pair, .a1, tag: .ofA, [.a1, .a2])
        let first = try #require(pair.b.context)
        switch reuse {
        case .recovery: try introduce(pair, .a1, tag: .ofA, [.a1, .a2])
        case .confusion: try introduce(pair, .a2, tag: .ofA, [.a2, .a1])
        case .thirdParty: try introduce(pair, .stranger, tag: .ofA, [.stranger])
        }
        let contexts = pair.b.host.contexts
        let peers: [IPv6Address] =
            switch reuse {
            case .recovery: [.a1]
            case .confusion: [.a2]
            case .thirdParty: [.a1, .stranger]
            }
        #expect(Set(contexts.map(\.ulids.peer)) == Set(peers) && contexts.count == peers.count)
        #expect(contexts.allSatisfy { $0.state == .established && $0.peerTag == .ofA })
        #expect(contexts.contains { $0.localTag == first.localTag } == (reuse != .confusion))
        // The data path has these and no others, each with a tag of its own.
        #expect(Set(pair.b.entries.keys) == Set(contexts.map(\.localTag)))
        for context in contexts { #expect(pair.b.entries[context.localTag]?.ulids == context.ulids) }
        #expect(pair.b.host.counters.contexts.used == contexts.count)
    }

    @Test("Many contexts with one tag, as in a list that is walked while its entries go, all end")
    func many() throws {
        let pair = Pair()
        let ulids = (1...20).map { IPv6Address(high: 0x2001_0db8_00a2_0000, low: UInt64($0)) }
        for ulid in ulids { try introduce(pair, ulid, tag: .ofA, [ulid]) }
        #expect(pair.b.host.contexts.count == 20)
        try introduce(pair, .a1, tag: .ofA, [.a1] + ulids.prefix(15))
        #expect(pair.b.host.contexts.count == 6)
        #expect(pair.b.host.counters.contexts.used == 6)
    }
}
