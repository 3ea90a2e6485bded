import REAP
import Shim6Core
import Shim6Wire
import Testing

/// What peers, and packets with forged sources, can use up.
@Suite("Exhaustion")
struct ExhaustionTests {
    /// Says how often it was asked for a signature.
    private final class CountingIdentity: LocalIdentity {
        private let toy = ToyIdentity(ulids: [.a1, .a2, .a3])
        private(set) var signatures = 0

        func parameters(of ulid: IPv6Address) -> [UInt8]? { toy.parameters(of: ulid) }

        func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? {
            signatures += 1
            return toy.signature(by: ulid, generation: generation, locators: locators)
        }
    }

    private func peer(_ index: Int) -> IPv6Address {
        IPv6Address(high: 0x2001_0db8_00cc_0000 + UInt64(index), low: 1)
    }

    @Test("Hosts that all choose one tag cannot make each look for a context long")
    func oneTagForAll() throws {
        let pair = Pair()
        for index in 1...100 {
            let r1 = try pair.challenge(tag: .ofA, from: peer(index))
            try pair.forge(.i2(pair.i2(r1, tag: .ofA, options: LocatorOptions())), from: peer(index), to: .b1)
        }
        #expect((2...64).contains(pair.b.host.contexts.count))
        #expect(pair.b.drops(.tooManyContextsOfPeer) == UInt64(100 - pair.b.host.contexts.count))
        // Neither does a context with another tag get that one later.
        let other = ContextTag(truncating: 5)
        let i2 = pair.i2(try pair.challenge(tag: other), tag: other, options: LocatorOptions())
        try pair.forge(.i2(i2), from: .a1, to: .b1)
        let late = pair.i2(try pair.challenge(tag: .ofA), tag: .ofA, options: LocatorOptions())
        try pair.forge(.i2(late), from: .a1, to: .b1)
        #expect(pair.b.host.snapshot(of: .atB)?.peerTag == other)
    }

    @Test(
        "A peer with ever the same long validators makes this host sign once for each that leaves a part of the list out"
    )
    func signatures() throws {
        let identity = CountingIdentity()
        let pair = Pair(a: [.a1, .a2, .a3], identityA: identity)
        pair.establish()
        let tag = try #require(pair.a.context?.peerTag)
        pair.fate = { _ in .drop }
        var shortened = 0
        /// Makes A introduce itself again, in a message in which a validator takes much of the room.
        func recover(_ validator: Int) throws {
            let r1bis = R1bis(
                packetTag: tag, responderNonce: 5, responderValidator: [UInt8](repeating: 7, count: validator))
            try pair.forge(.r1bis(r1bis), from: .b1, to: .a1, side: .a)
            guard case .i2bis(let i2bis) = pair.last(.i2bis, by: .a)?.message else { throw Pair.Missing.message }
            if i2bis.options.locatorList?.locators.count == 2 { shortened += 1 }
            try pair.forge(
                .r2(R2(responderTag: tag, initiatorNonce: i2bis.initiatorNonce)), from: .b1, to: .a1, side: .a)
            #expect(pair.a.state == .established)
        }
        let lengths = stride(from: 960, through: 1136, by: 8)
        for length in lengths { try recover(length) }
        let first = identity.signatures
        for length in lengths { try recover(length) }
        #expect(shortened >= 4)
        #expect(identity.signatures == first)
        #expect(first <= 4)
    }

    @Test("Sessions that this host has begun to negotiate for leave room for those that peers ask for")
    func halfForTriggers() throws {
        var configuration = HostConfiguration()
        configuration.maximumContexts = 8
        let pair = Pair(configuration: configuration)
        pair.fate = { _ in .drop }
        for index in 1...20 { pair.trigger(.b, ULIDPair(local: .b1, peer: peer(index))) }
        #expect(pair.b.host.counters.contexts.used == 4)
        #expect(pair.b.host.counters.triggersRefused == 16)
        #expect(pair.b.forgotten.count == 16)
        try pair.forge(.i2(pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)), from: .a1, to: .b1)
        #expect(pair.b.host.snapshot(of: .atB)?.state == .established)
        // An operator's wish counts for more.
        pair.post(.establish(ULIDPair(local: .b1, peer: .stranger)), to: .b)
        #expect(pair.b.host.snapshot(of: ULIDPair(local: .b1, peer: .stranger))?.state == .i1Sent)
    }

    @Test("An I2 from an address that its list does not name costs no look at the proof")
    func foreignSource() throws {
        let pair = Pair()
        let ulids = ULIDPairOption(sender: .a1, receiver: .b1)
        var i2 = pair.i2(try pair.challenge(tag: .ofA, from: .stranger, ulids: ulids), tag: .ofA)
        i2.ulidPair = ulids
        try pair.forge(.i2(i2), from: .stranger, to: .b1)
        #expect(pair.b.drops(.sourceNotALocator) == 1)
        #expect(pair.b.verifier.looks == 0)
        #expect(pair.b.host.contexts.isEmpty)
    }
}
