import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

/// What attackers can cause, and what honest hosts still get: the second table of docs/security.md.
@Suite("Attacks on the protocol")
struct AttackTests {
    /// An address of one of many /48 of one /32.
    private func address(site: Int, subnet: Int = 0, host: UInt64 = 1) -> IPv6Address {
        IPv6Address(high: 0x2001_0db8_0000_0000 + UInt64(site) << 16 + UInt64(subnet), low: host)
    }

    private let attacker = IPv6Address(high: 0x2001_0db8_0bad_0000, low: 0xbad)

    /// A peer's whole introduction to B.
    private func introduce(_ peer: IPv6Address, to pair: Pair, _ options: LocatorOptions? = nil) throws {
        let tag = ContextTag(truncating: peer.high &* 0x9e37_79b9_7f4a_7c15 ^ peer.low << 20)
        let r1 = try pair.challenge(tag: tag, from: peer)
        try pair.forge(
            .i2(pair.i2(r1, tag: tag, options: options ?? .ofA([peer], ulid: peer))), from: peer, to: .b1)
    }

    private func context(_ peer: IPv6Address, _ pair: Pair) -> ContextSnapshot? {
        pair.b.host.snapshot(of: ULIDPair(local: .b1, peer: peer))
    }

    @Test(
        "While one network sends 20,000 bad I2 a second all honest peers are served, and so are own exchanges",
        arguments: [false, true])
    func badI2(alwaysAnother: Bool) throws {
        let pair = Pair()
        let tag = ContextTag(truncating: 0xbad)
        let r1 = try pair.challenge(tag: tag, from: attacker)
        var i2 = pair.i2(r1, tag: tag, options: .ofA([attacker], ulid: attacker))
        var number: UInt32 = 0
        let looks = pair.b.verifier.looks
        for round in 0..<100 {
            for _ in 0..<200 {
                if alwaysAnother { number += 1 }
                i2.options.cgaSignature = withUnsafeBytes(of: number) { Array($0) }
                try pair.forge(.i2(i2), from: attacker, to: .b1)
            }
            if round == 50 {
                for peer in 1...20 { try introduce(address(site: 0xc000 + peer), to: pair) }
                pair.trigger(.b)
            }
            pair.run(for: .milliseconds(10))
        }
        let served = (1...20).filter { context(address(site: 0xc000 + $0), pair)?.state == .established }
        #expect(served.count == 20)
        #expect(pair.b.host.snapshot(of: .atB)?.state == .established)
        #expect(context(attacker, pair) == nil)
        // The same one again is looked at once; others take half of what there is.
        let costs = pair.b.verifier.looks - looks - 21
        #expect(alwaysAnother ? (500...1100).contains(costs) : costs == 1)
        #expect(pair.b.host.counters.knownRefusals == (alwaysAnother ? 0 : 19_999))
        #expect(pair.b.host.counters.refusals.used <= 1024)
    }

    @Test("R2 messages of peers that a host has asked do not take from what others ask of it")
    func ownReserve() throws {
        var configuration = HostConfiguration()
        configuration.maximumVerificationsPerSecond = 4
        let pair = Pair(configuration: configuration)
        // Peers of many networks use up all that there is for them.
        for site in 0..<40 {
            let peer = IPv6Address(high: UInt64(0x2a00_0000 + site) << 32, low: 1)
            try introduce(peer, to: pair)
        }
        #expect(pair.b.drops(.verificationRate) == 36)
        pair.trigger(.b)
        pair.run(for: .milliseconds(100))
        #expect(pair.b.host.snapshot(of: .atB)?.state == .established)
    }

    @Test("500 hosts of one /48 that all come at once get their contexts at once")
    func oneSite() throws {
        let pair = Pair()
        for host in 1...500 { try introduce(address(site: 0xc, subnet: host % 4, host: UInt64(host)), to: pair) }
        #expect(pair.b.host.contexts.count == 500)
        #expect(pair.b.drops(.verificationRate) == 0)
    }

    @Test("Of one /48 there are only so many contexts, and nothing is sent for those without payload")
    func contextsWithoutPayload() throws {
        var configuration = HostConfiguration()
        configuration.maximumContextsPerPeerSite = 60
        let pair = Pair(configuration: configuration)
        for host in 0..<200 {
            try introduce(address(site: 0xbad, subnet: host), to: pair, LocatorOptions())
        }
        #expect(pair.b.host.contexts.count == 60)
        #expect(pair.b.drops(.tooManyContextsOfSite) == 140)
        try introduce(address(site: 0xc), to: pair)
        #expect(pair.b.host.contexts.count == 61)
        pair.clearLog()
        pair.run(for: .seconds(590))
        #expect(pair.b.host.contexts.count == 61)
        #expect(pair.log.isEmpty)
        pair.run(for: .seconds(20))
        #expect(pair.b.host.contexts.isEmpty)
    }

    @Test("A peer's Probes for a context without payload are answered, and doubted once, and begin nothing else")
    func probesWithoutPayload() throws {
        let pair = Pair()
        pair.fate = { _ in .drop }
        try introduce(attacker, to: pair)
        let tag = try #require(context(attacker, pair)?.localTag)
        pair.clearLog()
        let report = ProbeReport(source: attacker, destination: .b1, nonce: 5)
        for _ in 0..<3 {
            try pair.forge(
                .probe(Probe(receiverTag: tag, state: .exploring, sent: [report])), from: attacker, to: .b1)
            pair.run(for: .seconds(100))
        }
        // An answer, and one more when the Send Timer of InboundOk has expired (RFC 5534, section 6.4).
        #expect(pair.log.map(\.type) == [.probe, .probe, .probe, .probe, .probe, .probe])
        #expect(pair.b.host.counters.probesHeldBack > 3)
    }

    @Test("When the table is full the oldest unused context of the largest /48 makes room, and no other")
    func evicted() throws {
        var configuration = HostConfiguration()
        configuration.maximumContexts = 9
        let pair = Pair(configuration: configuration)
        // Nobody is at the addresses of strangers.
        pair.fate = { $0.by == .a || $0.packet.destination == .a1 ? .deliver : .drop }
        func introduceAll(_ site: Int, _ subnets: Range<Int>) throws {
            for subnet in subnets {
                try introduce(address(site: site, subnet: subnet), to: pair, LocatorOptions())
                pair.run(for: .milliseconds(10))
            }
        }
        try introduceAll(1, 0..<3)
        try introduceAll(2, 0..<5)
        // One that is old, but in use.
        let used = address(site: 2, subnet: 0)
        pair.receivePayload(nil, LocatorPair(source: used, destination: .b1), .b)
        try introduceAll(3, 0..<2)
        #expect(pair.b.host.contexts.count == 9)
        #expect(pair.b.host.counters.contextsEvicted == 1)
        #expect(context(used, pair)?.state == .established)
        #expect(context(address(site: 2, subnet: 1), pair) == nil)
        #expect((0..<3).allSatisfy { context(address(site: 1, subnet: $0), pair) != nil })
        // This host's own contexts get room as well.
        pair.run(for: .seconds(1))
        pair.trigger(.b)
        pair.run(for: .seconds(1))
        #expect(pair.b.host.snapshot(of: .atB)?.state == .established)
        #expect(pair.b.host.counters.contexts.evictions == 2 && pair.b.host.contexts.count == 9)
        // And are not what goes when strangers come.
        for site in 10..<30 {
            pair.run(for: .seconds(1))
            try introduceAll(site, 0..<1)
        }
        #expect(pair.b.host.snapshot(of: .atB)?.state == .established)
        #expect(context(used, pair)?.state == .established)
        #expect(pair.b.host.contexts.count == 9)
    }

    @Test(
        "Addresses of others in a signed list get three Probes and then one a minute, and not more than the peer pays for",
        .requirement("5533-7.2-04"))
    func listOfOthers() throws {
        let pair = Pair()
        pair.fate = { _ in .drop }
        let others = (1...15).map { address(site: 0xf00 + $0) }
        let tag = ContextTag(truncating: 0xbad)
        let r1 = try pair.challenge(tag: tag, from: attacker)
        let i2 = ControlMessage.i2(pair.i2(r1, tag: tag, options: .ofA([attacker] + others, ulid: attacker)))
        try pair.forge(i2, from: attacker, to: .b1)
        let ulids = ULIDPair(local: .b1, peer: attacker)
        // What the attacker has sent, and which of it is payload.
        var octets = try i2.encoded().count + 40
        for _ in 0..<10 {
            pair.receivePayload(nil, LocatorPair(source: attacker, destination: .b1), .b)
            octets += 40
            pair.run(for: .seconds(1))
        }
        pair.clearLog()
        var minutes: [Int] = []
        for _ in 0..<10 {
            pair.run(for: .seconds(60), every: .seconds(1)) { pair.payload(from: .b, ulids) }
            minutes.append(pair.sent(.probe, by: .b).count { others.contains($0.packet.destination) })
        }
        let probes = pair.sent(.probe, by: .b)
        let toOthers = probes.filter { others.contains($0.packet.destination) }
        #expect(toOthers.count >= 10)
        #expect(toOthers.map { $0.packet.octets.count + 40 }.reduce(0, +) <= 3 * octets)
        for other in others {
            let times = toOthers.filter { $0.packet.destination == other }.map(\.at)
            #expect(times.count <= 13)
            for (index, time) in times.enumerated().dropFirst(3) {
                #expect(time - times[0] >= .seconds(60) * (index - 2))
            }
        }
        // Nothing else goes there either.
        #expect(probes.contains { $0.packet.destination == attacker })
    }

    @Test("Locators that have answered once are explored as the RFC has it, also after minutes without any path")
    func longOutage() {
        let pair = Pair()
        pair.establish()
        func talk(_ seconds: Int) {
            pair.run(for: .seconds(seconds), every: .seconds(1)) {
                pair.payload(from: .a)
                pair.payload(from: .b)
            }
        }
        talk(20)
        // The ULID pair dies, and both hosts find the other one.
        pair.isCut = { $0.source == .a1 || $0.destination == .a1 || $0.source == .b1 || $0.destination == .b1 }
        talk(60)
        #expect(pair.a.context?.outgoing == LocatorPair(source: .a2, destination: .b2))
        pair.isCut = { _ in true }
        talk(300)
        let held = pair.a.host.counters.probesHeldBack + pair.b.host.counters.probesHeldBack
        #expect(held == 0)
        // Now only the pair that is no longer in use works.
        pair.isCut = { $0.source == .a2 || $0.destination == .a2 || $0.source == .b2 || $0.destination == .b2 }
        talk(500)
        #expect(pair.a.context?.outgoing == .a1b1)
        #expect(pair.b.context?.outgoing == .b1a1)
    }

    @Test("A genuine I2 that comes again and again is answered a few times a second")
    func repeatedI2() throws {
        let pair = Pair()
        let i2 = ControlMessage.i2(pair.i2(try pair.challenge(tag: .ofA), tag: .ofA))
        for _ in 0..<100 { try pair.forge(i2, from: .a1, to: .b1) }
        #expect(pair.sent(.r2).count == 4)
        #expect(pair.b.drops(.answerRate) == 96)
        // With other nonces it is no better, and an I1 neither.
        for nonce in 0..<50 as Range<UInt32> {
            guard case .i2(var another) = i2 else { return }
            another.initiatorNonce = nonce
            try pair.forge(.i2(another), from: .a1, to: .b1)
            try pair.forge(.i1(I1(initiatorTag: .ofA, initiatorNonce: nonce)), from: .a1, to: .b1)
        }
        #expect(pair.sent(.r2).count == 4)
        pair.run(for: .seconds(2))
        try pair.forge(i2, from: .a1, to: .b1)
        #expect(pair.sent(.r2).count == 5)
        #expect(pair.b.state == .established)
    }

    @Test("An own address in a peer's list is no way to the peer")
    func ownLocators() throws {
        let pair = Pair()
        try introduce(attacker, to: pair, .ofA([attacker, .b1, .b2], ulid: attacker))
        let mine = try #require(context(attacker, pair))
        #expect(mine.state == .established)
        #expect(pair.b.drops(.ownAddress) == 1)
        #expect(pair.b.host.candidates(of: mine.localTag).allSatisfy { $0.pair.destination == attacker })
        // Not one that the host gets later either.
        try introduce(address(site: 5), to: pair, .ofA([address(site: 5), .a3], ulid: address(site: 5)))
        pair.announce([.b1, .b2, .a3], by: .b)
        let other = try #require(context(address(site: 5), pair)?.localTag)
        #expect(pair.b.host.candidates(of: other).allSatisfy { $0.pair.destination == address(site: 5) })
        // A list of nothing else is no list.
        try introduce(address(site: 6), to: pair, .ofA([.b1, .b2], ulid: address(site: 6)))
        #expect(pair.b.drops(.noUsableLocator) == 1)
    }

    @Test("What comes from an own address, or says that it is of one, is dropped without an answer")
    func ownSource() throws {
        let pair = Pair()
        pair.establish()
        pair.clearLog()
        let tag = try #require(pair.b.context?.localTag)
        let probe = Probe(
            receiverTag: tag, state: .exploring, sent: [ProbeReport(source: .b2, destination: .b1, nonce: 1)])
        try pair.forge(.probe(probe), from: .b2, to: .b1)
        try pair.forge(.i1(I1(initiatorTag: .ofA, initiatorNonce: 1)), from: .b2, to: .b1)
        try pair.forge(.keepalive(Keepalive(receiverTag: ContextTag(truncating: 1))), from: .b2, to: .b1)
        pair.post(.unknownTag(ContextTag(truncating: 1), source: .b2, destination: .b1), to: .b)
        let both = ULIDPairOption(sender: .b2, receiver: .b1)
        try pair.forge(.i1(I1(initiatorTag: .ofA, initiatorNonce: 1, ulidPair: both)), from: .a1, to: .b1)
        #expect(pair.b.drops(.ownAddress) == 5)
        #expect(pair.log.isEmpty)
        #expect(pair.b.host.refusal(of: ULIDPair(local: .b1, peer: .b2)) == .unusable)
    }

    @Test("A peer cannot take a tag for its own that this host has given out, nor send back what it got")
    func ownTagsAndNonces() throws {
        let pair = Pair()
        try introduce(address(site: 5), to: pair)
        let tag = try #require(context(address(site: 5), pair)?.localTag)
        try pair.forge(.i1(I1(initiatorTag: tag, initiatorNonce: 1)), from: attacker, to: .b1)
        #expect(pair.b.drops(.ownTag) == 1)
        // In an R2 as well.
        pair.fate = { $0.type == .r2 ? .drop : .deliver }
        pair.trigger(.b)
        pair.run(for: .milliseconds(100))
        guard case .r2(var r2) = pair.last(.r2, by: .a)?.message else { throw Pair.Missing.message }
        r2.responderTag = tag
        try pair.forge(.r2(r2), from: .a1, to: .b1)
        #expect(pair.b.drops(.ownTag) == 2)
        #expect(pair.b.host.snapshot(of: .atB)?.state == .i2Sent)
        // An own I1 that comes back, as it was or with another tag.
        guard case .i1(var i1) = pair.last(.i1, by: .b)?.message else { throw Pair.Missing.message }
        try pair.forge(.i1(i1), from: .a1, to: .b1)
        #expect(pair.b.drops(.ownTag) == 3)
        i1.initiatorTag = .ofA
        try pair.forge(.i1(i1), from: .a1, to: .b1)
        #expect(pair.b.drops(.ownNonce) == 1)
    }

    @Test("What others mean by our numbers for experiments does not keep a context from being made")
    func foreignOptions() throws {
        let pair = Pair()
        let i2 = pair.i2(try pair.challenge(tag: .ofA), tag: .ofA)
        var octets = try ControlMessage.i2(i2).encoded()
        for number in [0x4000, 0x5364, 0x5365, 0x5366, 0x5367] as [UInt16] {
            for length in [4, 12] as [UInt8] {
                octets += [UInt8(number >> 7), UInt8(truncatingIfNeeded: number << 1), 0, length]
                octets += [UInt8](repeating: 0xff, count: Int(length))
            }
        }
        octets[1] = UInt8(octets.count / 8 - 1)
        octets.repairChecksum()
        pair.deliver(Node.Packet(octets: octets, source: .a1, destination: .b1), to: .b)
        #expect(pair.b.state == .established)
        #expect(pair.b.entries.values.first?.form == .payloadHeader)
    }
}
