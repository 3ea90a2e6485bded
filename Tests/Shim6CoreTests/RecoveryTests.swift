import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Recovery of lost contexts")
struct RecoveryTests {
    private static let a2b2 = LocatorPair(source: .a2, destination: .b2)

    /// A pair of hosts whose session runs over A2 and B2, since B1 can no longer be reached and A1 cannot either.
    private func rehomed(_ configuration: HostConfiguration = .impatient) -> Pair {
        let pair = Pair(configuration: configuration)
        pair.establish()
        pair.isCut = { $0.source == .a1 || $0.destination == .a1 || $0.source == .b1 || $0.destination == .b1 }
        talk(pair, for: .seconds(10))
        return pair
    }

    private func talk(_ pair: Pair, for time: Duration) {
        pair.run(for: time, every: .milliseconds(100)) {
            pair.payload(from: .a)
            pair.payload(from: .b)
        }
    }

    private func loseContext(_ node: Node, of pair: Pair, _ side: Pair.Side) throws {
        pair.post(.remove(try #require(node.context?.localTag)), to: side)
        pair.clearLog()
    }

    @Test(
        "Payload with a tag that nobody knows is answered by R1bis, which costs no memory",
        .requirement(
            "5533-7.17-01", "5533-7.17-04", "5533-7.17-05", "5533-12.2-02", "5533-5.8-05", "5533-5.8-07"))
    func r1bis() throws {
        let pair = Pair()
        pair.post(.unknownTag(.ofA, source: .a2, destination: .b1), to: .b)
        let packet = try #require(pair.last(.r1bis, by: .b))
        guard case .r1bis(let r1bis) = packet.message else { throw Pair.Missing.message }
        #expect(packet.pair == LocatorPair(source: .b1, destination: .a2))
        #expect(r1bis.packetTag == .ofA)
        #expect(r1bis.responderValidator?.isEmpty == false)
        #expect(pair.b.host.contexts.isEmpty)
        #expect(pair.b.timers.isEmpty && pair.b.entries.isEmpty)
    }

    @Test(
        "Context messages and Errors never cause R1bis; Keepalive and Probe do",
        .requirement("5533-7.17-02", "5533-7.17-03", "5533-7.17-06", "5533-5.8-08"))
    func typesWithR1bis() throws {
        let pair = Pair()
        let report = ProbeReport(source: .a2, destination: .b1, nonce: 1)
        let silent: [ControlMessage] = [
            .r2(R2(responderTag: .ofA, initiatorNonce: 1)),
            .r1bis(R1bis(packetTag: .ofA, responderNonce: 1, responderValidator: [1])),
            .i2bis(
                I2bis(
                    initiatorTag: .ofA, initiatorNonce: 1, responderNonce: 2, packetTag: .ofA, responderValidator: [1])),
            .i2(I2(initiatorTag: .ofA, initiatorNonce: 1, responderNonce: 2, responderValidator: [1])),
            .error(ErrorMessage(code: .unknownMessageType, pointer: 0, packet: [UInt8](repeating: 0, count: 48))),
        ]
        for message in silent { try pair.forge(message, from: .a2, to: .b1) }
        #expect(pair.log.isEmpty)
        try pair.forge(.keepalive(Keepalive(receiverTag: .ofA)), from: .a2, to: .b1)
        try pair.forge(.probe(Probe(receiverTag: .ofA, state: .exploring, sent: [report])), from: .a2, to: .b1)
        #expect(pair.sent(.r1bis, by: .b).count == 2)
        #expect(pair.log.count == 2)
    }

    @Test("R1bis messages to one network are limited; others still get theirs")
    func limit() {
        let pair = Pair()
        for number in 0..<1000 {
            pair.post(
                .unknownTag(
                    ContextTag(truncating: UInt64(number)),
                    source: IPv6Address(high: 0x2001_0db8_00ee_0000 + UInt64(number), low: 1), destination: .b1),
                to: .b)
        }
        #expect(pair.sent(.r1bis).count == pair.b.host.configuration.maximumAnswersPerSecond)
        #expect(pair.b.drops(.answerRate) == UInt64(1000 - pair.sent(.r1bis).count))
        pair.post(
            .unknownTag(.ofA, source: IPv6Address(high: 0x2001_0db9_0001_0000, low: 1), destination: .b1), to: .b)
        #expect(pair.last(.r1bis)?.destination.high == 0x2001_0db9_0001_0000)
        pair.run(for: .seconds(1))
        pair.clearLog()
        pair.post(.unknownTag(.ofA, source: .stranger, destination: .b1), to: .b)
        #expect(pair.sent(.r1bis).count == 1)
    }

    @Test(
        "A host that lost its context in the middle of a rehomed session has it back in two round trips",
        .requirement(
            "5533-7.5-01", "5533-4.5-02", "5533-7.18-07", "5533-7.18-08", "5533-7.20-07", "5533-7.5-04"))
    func lostAtReceiver() throws {
        let pair = rehomed()
        #expect(pair.a.context?.outgoing == Self.a2b2)
        let old = try #require(pair.b.context)
        pair.run(for: .milliseconds(20))
        try loseContext(pair.b, of: pair, .b)
        pair.payload(from: .a)
        pair.run(for: .milliseconds(15))
        #expect(pair.b.state == nil)
        pair.run(for: .milliseconds(10))
        #expect(pair.a.state == .i2bisSent)
        #expect(pair.a.context?.peerTag == old.localTag)
        pair.run(for: .milliseconds(20))
        let context = try #require(pair.b.context)
        #expect(pair.a.state == .established && context.state == .established)
        #expect(pair.a.context?.peerTag == context.localTag && context.peerTag == pair.a.context?.localTag)
        #expect(context.localTag != old.localTag)
        #expect(context.ulids == .atB)
        #expect(pair.a.host.counters.recovered == 1)
        // No one used the ULIDs: they are cut.
        #expect(pair.log.prefix(3).map(\.type) == [.r1bis, .i2bis, .r2])
        #expect(pair.log.prefix(3).allSatisfy { $0.packet.pair == ($0.by == .a ? Self.a2b2 : Self.a2b2.reversed) })
        talk(pair, for: .seconds(1))
        pair.clearLog()
        talk(pair, for: .seconds(2))
        #expect(pair.delivered.count == 40)
        #expect(
            pair.delivered.allSatisfy { $0.to == .a ? ($0.source, $0.destination) == (.b1, .a1) : $0.source == .a1 })
    }

    @Test(
        "I2bis carries what R1bis brought, the ULIDs, the list and its proof",
        .requirement(
            "5533-5.9-06", "5533-5.9-08", "5533-5.9-09", "5533-5.9-10", "5533-5.9-11", "5533-7.18-09"))
    func contents() throws {
        let pair = rehomed()
        try loseContext(pair.b, of: pair, .b)
        pair.payload(from: .a)
        pair.run(for: .seconds(1))
        guard case .r1bis(let r1bis) = pair.last(.r1bis)?.message, case .i2bis(let i2bis) = pair.last(.i2bis)?.message,
            case .r2(let r2) = pair.last(.r2)?.message
        else { throw Pair.Missing.message }
        #expect(i2bis.initiatorTag == pair.a.context?.localTag)
        #expect(i2bis.responderNonce == r1bis.responderNonce)
        #expect(i2bis.packetTag == r1bis.packetTag)
        #expect(i2bis.responderValidator == r1bis.responderValidator)
        #expect(i2bis.ulidPair == ULIDPairOption(sender: .a1, receiver: .b1))
        #expect(i2bis.forkedInstance == nil)
        #expect(r2.initiatorNonce == i2bis.initiatorNonce)
    }

    @Test(
        "I2bis and the R2 to it prove their locators",
        .requirement(
            "5533-5.9-13", "5533-5.9-14", "5533-5.9-15", "5533-7.18-12", "5533-7.6-02", "5533-5.9-07"))
    func proof() throws {
        let pair = rehomed()
        try loseContext(pair.b, of: pair, .b)
        pair.payload(from: .a)
        pair.run(for: .seconds(1))
        guard case .i2bis(let i2bis) = pair.last(.i2bis)?.message, case .r2(let r2) = pair.last(.r2)?.message else {
            throw Pair.Missing.message
        }
        for options in [i2bis.options, r2.options] {
            #expect(options.locatorList?.locators.count == 2)
            #expect(options.cgaParameters != nil && options.cgaSignature != nil)
        }
        #expect(pair.b.context?.peerLocators.map(\.address) == [.a1, .a2])
        // A random number of its own, not that of the I1.
        guard case .i1(let i1) = Pair(seed: 1).firstI1() else { throw Pair.Missing.message }
        #expect(i2bis.initiatorNonce != i1.initiatorNonce && i2bis.initiatorNonce != 0)
    }

    @Test(
        "Over the ULIDs themselves I2bis needs no ULID Pair option", .requirement("5533-5.15.6-04"))
    func withoutOption() throws {
        let pair = Pair()
        pair.establish()
        let tag = try #require(pair.a.context?.peerTag)
        try loseContext(pair.b, of: pair, .b)
        try pair.forge(.keepalive(Keepalive(receiverTag: tag)), from: .a1, to: .b1)
        let r1bis = try #require(pair.last(.r1bis))
        pair.deliver(r1bis, to: .a)
        guard case .i2bis(let i2bis) = pair.last(.i2bis)?.message else { throw Pair.Missing.message }
        #expect(i2bis.ulidPair == nil)
        pair.run(for: .seconds(1))
        #expect(pair.a.state == .established && pair.b.state == .established)
    }

    @Test(
        "An R1bis on another pair than that of payload recovers the context as well",
        .requirement("5533-7.18-03", "5533-7.5-04", "5533-12.4-04"))
    func alternatePair() throws {
        let pair = Pair(configuration: .impatient)
        pair.establish()
        pair.isCut = { $0 == .a1b1 || $0 == .b1a1 }
        try loseContext(pair.b, of: pair, .b)
        pair.run(for: .seconds(6), every: .milliseconds(100)) { pair.payload(from: .a) }
        #expect(pair.sent(.probe, by: .a).isEmpty == false)
        let r1bis = try #require(pair.sent(.r1bis, by: .b).first)
        #expect(r1bis.packet.pair != .b1a1)
        #expect(pair.a.state == .established && pair.b.state == .established)
        #expect(pair.a.context?.reachability == .operational)
        #expect(pair.a.context?.outgoing != .a1b1)
    }

    @Test(
        "R1bis about a foreign tag, or from or to foreign addresses, has no effect",
        .requirement("5533-7.18-02", "5533-12.4-04", "5533-B-06"))
    func unmatched() throws {
        let pair = Pair()
        pair.establish()
        let tag = try #require(pair.a.context?.peerTag)
        pair.clearLog()
        func forge(_ tag: ContextTag, _ source: IPv6Address, _ destination: IPv6Address) throws {
            let r1bis = R1bis(packetTag: tag, responderNonce: 1, responderValidator: [1])
            try pair.forge(.r1bis(r1bis), from: source, to: destination, side: .a)
        }
        try forge(ContextTag(truncating: tag.rawValue ^ 1), .b1, .a1)
        try forge(tag, .stranger, .a1)
        try forge(tag, .b1, .stranger)
        #expect(pair.a.drops(.unmatchedR1bis) == 3)
        #expect(pair.a.state == .established)
        #expect(pair.log.isEmpty)
        try forge(tag, .b2, .a2)
        #expect(pair.a.state == .i2bisSent)
    }

    @Test(
        "I2bis is repeated twice, each wait doubled and randomised; then I1 goes out on the same pair",
        .requirement(
            "5533-7.19-01", "5533-7.19-02", "5533-7.19-03", "5533-B-30", "5533-B.1-02", "5533-7.7-04"),
        arguments: 1...10 as ClosedRange<UInt64>)
    func retransmission(seed: UInt64) throws {
        let pair = Pair(seed: seed)
        pair.establish()
        pair.fate = { _ in .drop }
        let tag = try #require(pair.a.context?.peerTag)
        pair.clearLog()
        let r1bis = R1bis(packetTag: tag, responderNonce: 1, responderValidator: [1])
        try pair.forge(.r1bis(r1bis), from: .b2, to: .a2, side: .a)
        pair.run(for: .seconds(50))
        let i2bis = pair.sent(.i2bis)
        #expect(i2bis.count == 3)
        #expect(Set(i2bis.map(\.packet.octets)).count == 1)
        for (index, (earlier, later)) in zip(i2bis, i2bis.dropFirst()).enumerated() {
            let nominal = Duration.seconds(4 << index)
            #expect(later.at - earlier.at >= nominal / 2 && later.at - earlier.at <= nominal * 1.5)
        }
        let i1 = try #require(pair.sent(.i1).first)
        #expect(i1.packet.pair == Self.a2b2)
        guard case .i1(let message) = i1.packet.message else { throw Pair.Missing.message }
        #expect(message.ulidPair == ULIDPairOption(sender: .a1, receiver: .b1))
        #expect(pair.a.entries.values.map(\.inbound) == [.discard])
        #expect(pair.a.idleWatches.isEmpty)
    }

    @Test(
        "After fruitless I2bis messages the exchange begins anew over the pair that worked, with the ULID Pair option",
        .requirement(
            "5533-7.11-10", "5533-7.11-13", "5533-7.9-02", "5533-7.13-02", "5533-5.15.6-04", "5533-5.15.6-03"))
    func establishmentElsewhere() throws {
        let pair = rehomed()
        pair.fate = { $0.type == .i2bis ? .drop : .deliver }
        try loseContext(pair.b, of: pair, .b)
        talk(pair, for: .seconds(45))
        #expect(pair.a.state == .established && pair.b.state == .established)
        for type in [MessageType.i1, .i2] {
            let packet = try #require(pair.sent(type).first?.packet)
            #expect(packet.pair == Self.a2b2)
            let option: ULIDPairOption?
            switch packet.message {
            case .i1(let i1): option = i1.ulidPair
            case .i2(let i2): option = i2.ulidPair
            default: option = nil
            }
            #expect(option == ULIDPairOption(sender: .a1, receiver: .b1))
        }
        pair.clearLog()
        talk(pair, for: .seconds(2))
        #expect(pair.delivered.count == 40)
    }

    @Test(
        "Payload in I2BIS-SENT is delivered and answered by I2bis, but not each packet of a stream",
        .requirement("5533-12.2-06", "5533-B-32", "5533-6.2-06"))
    func payloadInI2bisSent() throws {
        let pair = rehomed()
        let before = try #require(pair.a.context)
        let tag = try #require(before.peerTag)
        pair.fate = { $0.by == .a ? .drop : .deliver }
        pair.clearLog()
        let r1bis = R1bis(packetTag: tag, responderNonce: 1, responderValidator: [1])
        try pair.forge(.r1bis(r1bis), from: .b2, to: .a2, side: .a)
        #expect(pair.a.state == .i2bisSent)
        #expect(pair.a.context?.outgoing == before.outgoing && pair.a.context?.peerTag == tag)
        #expect(pair.a.entries[before.localTag]?.inbound == .deliverAndNotify)
        pair.run(for: .milliseconds(1800), every: .milliseconds(100)) { talkOnce(pair) }
        #expect(pair.delivered.count { $0.to == .a } > 10)
        #expect(pair.delivered.count { $0.to == .b } > 10)
        #expect((3...5).contains(pair.sent(.i2bis).count))
    }

    private func talkOnce(_ pair: Pair) {
        pair.payload(from: .a)
        pair.payload(from: .b)
    }

    @Test(
        "I2bis with a stale nonce, a forged validator or another tag or address is dropped before anything costly",
        .requirement(
            "5533-7.20-03", "5533-7.20-05", "5533-7.20-04", "5533-7.17.1-01", "5533-7.17.1-02", "5533-B-05"))
    func forgedI2bis() throws {
        let pair = Pair()
        let good = try pair.i2bis()
        let looks = pair.b.verifier.looks
        func refused(_ reason: DropReason, from source: IPv6Address = .a2, _ change: (inout I2bis) -> Void = { _ in })
            throws
        {
            let before = pair.b.drops(reason)
            var bad = good
            change(&bad)
            try pair.forge(.i2bis(bad), from: source, to: .b1)
            #expect(pair.b.drops(reason) == before + 1)
            #expect(pair.b.state == nil)
            #expect(pair.b.verifier.looks == looks)
        }
        try refused(.badValidator) { $0.responderValidator?[0] ^= 1 }
        try refused(.badValidator) { $0.packetTag = ContextTag(truncating: 5) }
        try refused(.badValidator, from: .a1)
        try refused(.staleResponderNonce) { $0.responderNonce &-= 7 }
        try refused(.parse(.missingResponderValidator)) { $0.responderValidator = nil }
        // A validator of an R1 with the same nonce.
        let r1 = try pair.challenge(tag: .ofA)
        try refused(.badValidator) { $0.responderValidator = r1.responderValidator }
        pair.run(for: .seconds(29))
        try pair.forge(.i2bis(good), from: .a2, to: .b1)
        #expect(pair.b.state == .established)
    }

    @Test("A validator of R1bis does not open the way for an I2", .requirement("5533-7.17.1-02"))
    func validatorOfR1bis() throws {
        let pair = Pair()
        let i2bis = try pair.i2bis()
        let i2 = I2(
            initiatorTag: .ofA, initiatorNonce: 1, responderNonce: i2bis.responderNonce,
            responderValidator: i2bis.responderValidator ?? [], options: .ofA())
        try pair.forge(.i2(i2), from: .a2, to: .b1)
        #expect(pair.b.drops(.badValidator) == 1)
        #expect(pair.b.state == nil)
    }

    @Test("An I2bis that is too old is refused", .requirement("5533-5.15.1-05", "5533-7.20-03"))
    func staleI2bis() throws {
        let pair = Pair()
        let good = try pair.i2bis()
        pair.run(for: .seconds(61))
        try pair.forge(.i2bis(good), from: .a2, to: .b1)
        #expect(pair.b.drops(.staleResponderNonce) == 1)
        #expect(pair.b.state == nil)
    }

    @Test(
        "A genuine I2bis makes a context with a tag of its own and records the verified peer",
        .requirement("5533-7.20-02", "5533-7.20-07", "5533-7.20-08", "5533-7.20-09", "5533-7.14-02", "5533-7.14-03"))
    func i2bisInIdle() throws {
        let pair = Pair()
        let i2bis = try pair.i2bis()
        try pair.forge(.i2bis(i2bis), from: .a2, to: .b1)
        let context = try #require(pair.b.context)
        #expect(context.state == .established)
        #expect(context.ulids == .atB)
        #expect(context.peerTag == .ofA)
        #expect(context.localTag != i2bis.packetTag)
        #expect(context.peerLocators.map(\.address) == [.a1, .a2])
        #expect(pair.b.verifier.looks == 1)
        let packet = try #require(pair.last(.r2, by: .b))
        #expect(packet.pair == LocatorPair(source: .b1, destination: .a2))
        guard case .r2(let r2) = packet.message else { throw Pair.Missing.message }
        #expect(r2.responderTag == context.localTag && r2.initiatorNonce == i2bis.initiatorNonce)
    }

    @Test(
        "I2bis with foreign parameters, a faulty proof or from an unproven address is dropped",
        .requirement("5533-7.20-06", "5533-7.20-10", "5533-7.20-12", "5533-7.20-16"))
    func faultyI2bis() throws {
        for state in [ContextState?.none, .i1Sent, .i2Sent, .established, .i2bisSent] {
            let pair = Pair()
            let good = try pair.i2bis(from: .a3)
            let bench = try Bench(state, pair)
            let before = pair.b.context
            var foreign = good
            foreign.options = .ofA([.a1, .a3])
            foreign.options.cgaParameters = ToyProof.parameters(of: .stranger)
            try pair.forge(.i2bis(foreign), from: .a3, to: .b1)
            #expect(pair.b.drops(.proof(.hash1)) == 1)
            var unproven = good
            unproven.options = .ofA([.a1, .a2])
            try pair.forge(.i2bis(unproven), from: .a3, to: .b1)
            #expect(pair.b.drops(.sourceNotALocator) == 1)
            var faulty = good
            faulty.options = .ofA([.a1, .a3])
            faulty.options.cgaSignature = [1]
            try pair.forge(.i2bis(faulty), from: .a3, to: .b1)
            #expect(pair.b.drops(.proof(.signature)) == 1)
            #expect(pair.b.context?.state == before?.state)
            #expect(pair.b.context?.peerTag == before?.peerTag)
            #expect(pair.b.context?.peerLocators == before?.peerLocators)
            #expect(bench.sentByB.allSatisfy { $0 != .r2 })
            var right = good
            right.options = .ofA([.a1, .a3])
            try pair.forge(.i2bis(right), from: .a3, to: .b1)
            #expect(pair.b.context?.peerTag == .ofA)
            #expect(pair.b.context?.peerLocators.map(\.address) == [.a1, .a3])
            #expect(bench.sentByB.contains(.r2))
        }
    }

    @Test(
        "I2bis renews what every state knows of the peer and is answered with R2",
        .requirement(
            "5533-7.20-11", "5533-7.20-13", "5533-7.20-14", "5533-7.20-15", "5533-7.20-17", "5533-B-12"))
    func i2bisInEveryState() throws {
        let expected: [ContextState: ContextState] = [
            .i1Sent: .established, .i2Sent: .i2Sent, .established: .established, .i2bisSent: .i2bisSent,
            .eFailed: .established, .noSupport: .established,
        ]
        for (state, next) in expected {
            let pair = Pair()
            let bench = try Bench(state, pair)
            let tag = ContextTag(truncating: 0x77)
            let i2bis = try pair.i2bis(tag: tag)
            try pair.forge(.i2bis(i2bis), from: .a2, to: .b1)
            #expect(pair.b.state == next, "\(state)")
            #expect(pair.b.context?.peerTag == tag, "\(state)")
            #expect(pair.b.context?.peerLocators.map(\.address) == [.a1, .a2], "\(state)")
            #expect(bench.sentByB.contains(.r2), "\(state)")
        }
    }

    @Test(
        "An R2 in I2BIS-SENT is verified; what it tells replaces what was known",
        .requirement("5533-7.16-05", "5533-7.16-06", "5533-7.16-07", "5533-B-25"))
    func r2InI2bisSent() throws {
        let pair = Pair()
        let bench = try Bench(.i2bisSent, pair)
        var options = LocatorOptions.ofA([.a1, .a3])
        options.cgaSignature = [1]
        let tag = ContextTag(truncating: 0x77)
        let nonce = try #require(bench.nonce)
        try pair.forge(.r2(R2(responderTag: tag, initiatorNonce: nonce, options: options)), from: .a1, to: .b1)
        #expect(pair.b.state == .i2bisSent)
        #expect(pair.b.context?.peerTag == .ofA)
        options = .ofA([.a1, .a3])
        try pair.forge(.r2(R2(responderTag: tag, initiatorNonce: nonce ^ 1, options: options)), from: .a1, to: .b1)
        #expect(pair.b.state == .i2bisSent)
        try pair.forge(.r2(R2(responderTag: tag, initiatorNonce: nonce, options: options)), from: .a1, to: .b1)
        #expect(pair.b.state == .established)
        #expect(pair.b.context?.peerTag == tag)
        #expect(pair.b.context?.peerLocators.map(\.address) == [.a1, .a3])
    }

    @Test(
        "An Update Request in I2BIS-SENT is processed and answered by I2bis as well",
        .requirement("5533-10.4-09", "5533-10.5-08", "5533-B-32"))
    func updateInI2bisSent() throws {
        let pair = Pair()
        let bench = try Bench(.i2bisSent, pair)
        let tag = try #require(pair.b.context?.localTag)
        let update = UpdateRequest(receiverTag: tag, requestNonce: 3, options: .ofA([.a1, .a3], generation: 8))
        try pair.forge(.updateRequest(update), from: .a1, to: .b1)
        #expect(bench.sentByB == [.i2bis, .updateAcknowledgement])
        #expect(pair.b.context?.peerLocators.map(\.address) == [.a1, .a3])
        #expect(pair.b.state == .i2bisSent)
        pair.run(for: .seconds(1))
        pair.clearLog()
        let acknowledgement = UpdateAcknowledgement(receiverTag: tag, requestNonce: 3)
        try pair.forge(.updateAcknowledgement(acknowledgement), from: .a1, to: .b1)
        #expect(bench.sentByB == [.i2bis])
    }

    @Test(
        "A host whose locators have all become others at once makes them known by I2bis",
        .requirement("5533-10.4-04", "5533-7.20-13", "5533-1.5-03"))
    func renumbered() throws {
        let pair = Pair(configuration: .impatient)
        pair.establish()
        talk(pair, for: .seconds(2))
        let tags = [pair.a.context?.localTag, pair.b.context?.localTag]
        pair.clearLog()
        let (new1, new2) = (IPv6Address.a3, IPv6Address(high: 0x2001_0db8_00a4_0000, low: 0xa))
        pair.isCut = { [.a1, .a2].contains($0.source) || [.a1, .a2].contains($0.destination) }
        pair.announce([new1, new2], by: .a)
        talk(pair, for: .seconds(10))
        #expect(pair.b.context?.peerLocators.map(\.address) == [new1, new2])
        #expect([pair.a.context?.localTag, pair.b.context?.localTag] == tags)
        #expect(pair.a.context?.updatePending == false)
        // R1bis answers the Update Request and Probes alike.
        let others: [MessageType?] = [.probe, .keepalive, .r1bis]
        let types = pair.log.map(\.type).filter { !others.contains($0) }
        #expect(types.prefix(3) == [.updateRequest, .i2bis, .r2])
        pair.clearLog()
        talk(pair, for: .seconds(2))
        #expect(pair.delivered.count == 40)
    }

    @Test(
        "A context that its owner has lost and made anew replaces the peer's",
        .requirement("5533-7.5-02", "5533-7.5-03", "5533-C.1-01"))
    func lostAtSender() throws {
        let pair = Pair()
        pair.establish()
        let kept = try #require(pair.a.context)
        try loseContext(pair.b, of: pair, .b)
        pair.trigger(.b)
        pair.run(for: .milliseconds(25))
        #expect(pair.log.map(\.type) == [.i1, .r1, .i2])
        #expect(pair.a.context?.state == .established && pair.a.context?.peerTag == kept.peerTag)
        pair.run(for: .seconds(1))
        let context = try #require(pair.a.context)
        #expect(context.localTag == kept.localTag && context.peerTag == pair.b.context?.localTag)
        #expect(context.peerTag != kept.peerTag)
        #expect(pair.b.context?.peerTag == kept.localTag)
    }

    @Test("Both sides recover, whatever is lost on the way", arguments: 1...60 as ClosedRange<UInt64>)
    func lossy(seed: UInt64) throws {
        var configuration = HostConfiguration.impatient
        configuration.reap.maxProbeTimeout = .seconds(2)
        let pair = rehomed(configuration)
        var random = Seeded(seed)
        pair.fate = { _ in
            switch UInt.random(in: 0..<10, using: &random) {
            case 0..<3: .drop
            case 3: .duplicate
            case 4: .delay(.milliseconds(Int.random(in: 0..<3000, using: &random)))
            default: .deliver
            }
        }
        let side: Pair.Side = seed % 2 == 0 ? .a : .b
        pair.post(.remove(try #require(pair.node(side).context?.localTag)), to: side)
        talk(pair, for: .seconds(60))
        pair.fate = { _ in .deliver }
        talk(pair, for: .seconds(60))
        let (a, b) = (try #require(pair.a.context), try #require(pair.b.context))
        #expect(a.state == .established && b.state == .established)
        #expect(a.peerTag == b.localTag && b.peerTag == a.localTag)
        pair.clearLog()
        talk(pair, for: .seconds(1))
        #expect(pair.delivered.count == 20)
    }
}

extension HostConfiguration {
    /// Notices a dead pair after two seconds.
    static var impatient: HostConfiguration {
        var configuration = HostConfiguration()
        configuration.reap.sendTimeout = .seconds(2)
        return configuration
    }
}

extension Pair {
    fileprivate func firstI1() -> ControlMessage? {
        trigger()
        return last(.i1)?.message
    }
}

extension LocatorPair {
    fileprivate var reversed: LocatorPair { LocatorPair(source: destination, destination: source) }
}
