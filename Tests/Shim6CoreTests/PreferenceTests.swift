import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Locator preferences")
struct PreferenceTests {
    private typealias Element = LocatorPreferences.Element

    private func update(_ pair: Pair, nonce: UInt32, _ options: LocatorOptions) throws {
        let tag = try #require(pair.b.context?.localTag)
        try pair.forge(
            .updateRequest(UpdateRequest(receiverTag: tag, requestNonce: nonce, options: options)), from: .a1,
            to: .b1)
    }

    private func announce(_ preferences: [Element], by side: Pair.Side, _ pair: Pair) {
        let node = pair.node(side)
        let locators = zip(node.locators, preferences).map {
            LocalLocator(address: $0, method: .cga, preference: $1)
        }
        pair.post(.localLocators(locators), to: side)
    }

    private func peerPreferences(_ node: Node) -> [Element]? { node.context?.peerLocators.map(\.preference) }

    @Test(
        "Changed preferences go alone, with the generation of the list; they replace the earlier ones",
        .requirement("5533-5.10-08", "5533-5.10-09", "5533-10.4-15", "5533-5.15.3-03"))
    func alone() throws {
        let pair = Pair()
        pair.establish()
        let generation = pair.a.context?.localGeneration
        for preferences in [
            [Element(flags: .transient, priority: 2, weight: 3), Element(priority: 1)],
            [Element(), Element(priority: 9)],
            [Element(), Element()],
        ] {
            announce(preferences, by: .a, pair)
            pair.run(for: .seconds(1))
            guard case .updateRequest(let request) = pair.last(.updateRequest)?.message else {
                throw Pair.Missing.message
            }
            #expect(request.options.locatorList == nil && request.options.cgaSignature == nil)
            #expect(request.options.locatorPreferences?.generation == generation)
            #expect(request.options.locatorPreferences?.elements == preferences)
            #expect(peerPreferences(pair.b) == preferences)
            #expect(pair.a.context?.updatePending == false)
        }
        #expect(pair.b.verifier.looks == 1)
    }

    @Test(
        "A new list comes with its preferences, or without any",
        .requirement("5533-10.4-14", "5533-10.3-03", "5533-5.10-09"))
    func withList() throws {
        let pair = Pair()
        pair.establish()
        pair.fate = { $0.type == .updateRequest ? .drop : .deliver }
        pair.announce([.a1, .a3], by: .a)
        guard case .updateRequest(let first) = pair.last(.updateRequest)?.message else { throw Pair.Missing.message }
        pair.fate = { _ in .deliver }
        let a4 = IPv6Address(high: 0x2001_0db8_00a4_0000, low: 0xa)
        pair.a.locators = [.a1, .a3, a4]
        announce([Element(flags: .broken), Element(), Element()], by: .a, pair)
        guard case .updateRequest(let second) = pair.last(.updateRequest)?.message else { throw Pair.Missing.message }
        #expect(second.requestNonce != first.requestNonce)
        #expect(second.options.locatorList?.generation != first.options.locatorList?.generation)
        #expect(second.options.locatorList?.locators.map(\.locator) == [.a1, .a3, a4])
        #expect(second.options.locatorPreferences?.generation == second.options.locatorList?.generation)
        #expect(second.options.locatorPreferences?.elements.first?.flags == .broken)
        pair.run(for: .seconds(1))
        #expect(peerPreferences(pair.b)?.map(\.flags) == [.broken, [], []])
        pair.announce([.a1, .a3], by: .a)
        pair.run(for: .seconds(1))
        #expect(peerPreferences(pair.b) == [Element(), Element()])
    }

    @Test(
        "I2 and R2 carry preferences as well", .requirement("5533-5.15.3-06"))
    func atEstablishment() throws {
        let pair = Pair()
        announce([Element(flags: .broken), Element(weight: 4)], by: .a, pair)
        announce([Element(), Element(priority: 5)], by: .b, pair)
        pair.establish()
        #expect(peerPreferences(pair.b) == [Element(flags: .broken), Element(weight: 4)])
        #expect(peerPreferences(pair.a) == [Element(), Element(priority: 5)])
        #expect(pair.sent(.updateRequest).isEmpty)
    }

    @Test(
        "Preferences for another generation are refused with code 3, too many or too few with code 4",
        .requirement("5533-5.14-07", "5533-5.14-03"))
    func refused() throws {
        let pair = Pair()
        let r1 = try pair.challenge(tag: .ofA)
        try pair.forge(.i2(pair.i2(r1, tag: .ofA)), from: .a1, to: .b1)
        func error(_ preferences: LocatorPreferences, nonce: UInt32) throws -> ErrorMessage? {
            pair.clearLog()
            try update(pair, nonce: nonce, LocatorOptions(locatorPreferences: preferences))
            guard case .error(let error) = pair.last(.error)?.message else { return nil }
            return error
        }
        let stale = try error(LocatorPreferences(generation: 8, elements: [Element(), Element()]), nonce: 1)
        #expect(stale?.code == .generationOutOfSync && stale?.pointer == 40 + 16 + 4)
        let short = try error(LocatorPreferences(generation: 7, elements: [Element(flags: .broken)]), nonce: 2)
        #expect(short?.code == .wrongNumberOfLocators && short?.pointer == 40 + 16 + 2)
        #expect(pair.sent(.updateAcknowledgement).isEmpty)
        #expect(peerPreferences(pair.b) == [Element(), Element()])
        let right = LocatorPreferences(generation: 7, elements: [Element(), Element(flags: .broken)])
        #expect(try error(right, nonce: 3) == nil)
        #expect(pair.sent(.updateAcknowledgement).count == 1)
    }

    @Test(
        "Elements of more than three octets are read as far as they are known",
        .requirement("5533-5.15.3-09"))
    func longElements() throws {
        let pair = Pair()
        let r1 = try pair.challenge(tag: .ofA)
        try pair.forge(.i2(pair.i2(r1, tag: .ofA)), from: .a1, to: .b1)
        let tag = try #require(pair.b.context?.localTag)
        // Option 3, Length 5 + 2 * 5, generation 7, Element Len 5.
        var octets = try ControlMessage.updateRequest(UpdateRequest(receiverTag: tag, requestNonce: 1)).encoded()
        octets += [0, 6, 0, 15, 0, 0, 0, 7, 5, 2, 9, 8, 0xee, 0xee, 1, 4, 3, 0xee, 0xee, 0, 0, 0, 0, 0]
        octets[1] += 3
        octets.repairChecksum()
        pair.deliver(Node.Packet(octets: octets, source: .a1, destination: .b1), to: .b)
        #expect(
            peerPreferences(pair.b) == [
                Element(flags: .transient, priority: 9, weight: 8), Element(flags: .broken, priority: 4, weight: 3),
            ])
    }

    @Test(
        "A current locator that the peer calls BROKEN is left by exploration, and not at once",
        .requirement("5533-5.15.3-06", "5533-6.1-01"))
    func brokenCurrent() throws {
        let pair = Pair(configuration: .impatient)
        pair.establish()
        pair.run(for: .seconds(1), every: .milliseconds(100)) {
            pair.payload(from: .a)
            pair.payload(from: .b)
        }
        pair.clearLog()
        announce([Element(flags: .broken), Element()], by: .b, pair)
        pair.run(for: .milliseconds(15))
        // In Exploring, or in InboundOk since B explores as well.
        #expect(pair.a.context?.reachability != .operational)
        #expect(pair.a.context?.outgoing == .a1b1)
        pair.run(for: .seconds(3), every: .milliseconds(100)) {
            pair.payload(from: .a)
            pair.payload(from: .b)
        }
        #expect(pair.a.context?.reachability == .operational)
        #expect(pair.a.context?.outgoing?.destination == .b2)
        #expect(pair.sent(.probe, by: .a).allSatisfy { $0.packet.destination == .b2 })
        // The other side does not use it as a source either.
        #expect(pair.b.context?.outgoing?.source == .b2)
    }

    @Test(
        "Locators are tried by priority, stable ones first, and by weight among equals",
        .requirement("5533-5.15.3-07", "5533-5.15.3-08"), arguments: 1...20 as ClosedRange<UInt64>)
    func order(seed: UInt64) throws {
        let addresses = (1...4).map { IPv6Address(high: 0x2001_0db8_00b0_0000 + UInt64($0) << 16, low: 0xb) }
        let pair = Pair(a: [.a1], b: addresses, configuration: .impatient, seed: seed)
        let preferences = [
            Element(priority: 0), Element(priority: 2), Element(flags: .transient, priority: 1), Element(priority: 1),
        ]
        announce(preferences, by: .b, pair)
        pair.trigger(.a, ULIDPair(local: .a1, peer: addresses[0]))
        pair.run(for: .seconds(1))
        pair.isCut = { $0.destination != .a1 }
        pair.run(for: .seconds(8), every: .milliseconds(100)) {
            pair.payload(from: .a, ULIDPair(local: .a1, peer: addresses[0]))
        }
        let tried = pair.sent(.probe, by: .a).prefix(3).map(\.packet.destination)
        #expect(tried == [addresses[3], addresses[2], addresses[1]])
    }

    @Test("Weights share locators of one priority", .requirement("5533-5.15.3-08"))
    func weights() throws {
        var first: [IPv6Address: Int] = [:]
        for seed in 1...200 as ClosedRange<UInt64> {
            let b3 = IPv6Address(high: 0x2001_0db8_00b3_0000, low: 0xb)
            let pair = Pair(a: [.a1], b: [.b1, .b2, b3], configuration: .impatient, seed: seed)
            announce(
                [Element(priority: 0), Element(priority: 1, weight: 90), Element(priority: 1, weight: 10)], by: .b, pair
            )
            pair.establish()
            pair.isCut = { $0.destination != .a1 }
            pair.run(for: .seconds(4), every: .milliseconds(500)) { pair.payload(from: .a) }
            if let probe = pair.sent(.probe, by: .a).first { first[probe.packet.destination, default: 0] += 1 }
        }
        #expect((first[.b2] ?? 0) > 150)
        #expect((1...49).contains((first.filter { $0.key != .b2 }.values.reduce(0, +))))
    }

    @Test(
        "With a long key and a foreign validator part of the list is sent, and the rest follows",
        .requirement("5533-7.6-02", "5533-5.1-04"))
    func partOfTheList() throws {
        struct LongKey: LocalIdentity {
            func parameters(of ulid: IPv6Address) -> [UInt8]? {
                ToyProof.parameters(of: ulid) + [UInt8](repeating: 0, count: 540)
            }
            func signature(by ulid: IPv6Address, generation: UInt32, locators: [IPv6Address]) -> [UInt8]? {
                ToyProof.signature(by: ulid, generation: generation, locators: locators)
                    + [UInt8](repeating: UInt8(locators.count), count: 504)
            }
        }
        let pair = Pair(a: [.a1, .a2, .a3], identityA: LongKey())
        pair.trigger()
        guard case .i1(let i1) = pair.last(.i1)?.message else { throw Pair.Missing.message }
        let r1 = R1(
            initiatorNonce: i1.initiatorNonce, responderNonce: 1,
            responderValidator: [UInt8](repeating: 7, count: 64))
        try pair.forge(.r1(r1), from: .b1, to: .a1, side: .a)
        guard case .i2(let i2) = pair.last(.i2)?.message else { throw Pair.Missing.message }
        #expect(i2.options.locatorList?.locators.map(\.locator) == [.a1, .a2])
        #expect(i2.options.cgaSignature?.last == 2)
        try pair.forge(.r2(R2(responderTag: .ofA, initiatorNonce: i1.initiatorNonce)), from: .b1, to: .a1, side: .a)
        guard case .updateRequest(let request) = pair.last(.updateRequest)?.message else { throw Pair.Missing.message }
        #expect(request.options.locatorList?.locators.map(\.locator) == [.a1, .a2, .a3])
        #expect(pair.log.allSatisfy { $0.packet.octets.count <= 1240 })
    }
}
