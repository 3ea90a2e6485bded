import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Failure and switch, end to end in virtual time")
struct ReachabilityTests {
    private static func fast() -> HostConfiguration {
        var configuration = HostConfiguration()
        configuration.reap.sendTimeout = .seconds(1)
        return configuration
    }

    /// Both sides send every 20 ms.
    private func traffic(_ pair: Pair, for time: Duration) {
        pair.run(for: time, every: .milliseconds(20)) {
            pair.payload(from: .a)
            pair.payload(from: .b)
        }
    }

    @Test(
        "When the first uplink dies both ways, payload goes on over another pair with the same ULIDs",
        .requirement(
            "5533-4-05", "5533-11-06", "5533-1.3-02", "5533-4-07", "5534-4.2-01", "5534-4.2-03"))
    func twoWayCut() throws {
        let pair = Pair(configuration: Self.fast())
        pair.establish()
        traffic(pair, for: .seconds(5))
        #expect(pair.sent(.probe).isEmpty)
        pair.clearLog()
        let cut = pair.now
        pair.isCut = { $0.source == .a1 || $0.destination == .a1 }
        traffic(pair, for: .seconds(10))
        let (a, b) = (try #require(pair.a.context), try #require(pair.b.context))
        #expect(a.reachability == .operational && b.reachability == .operational)
        #expect(a.isRehomed && b.isRehomed)
        #expect(a.outgoing?.source == .a2)
        #expect(b.outgoing?.destination == .a2)
        let lost = pair.delivered.map(\.at).filter { $0 > cut + .milliseconds(10) }.min()
        #expect(try #require(lost) - cut < .seconds(3))
        #expect(
            pair.delivered.allSatisfy {
                $0.to == .a
                    ? ($0.source, $0.destination) == (.b1, .a1) : ($0.source, $0.destination) == (.a1, .b1)
            })
        for node in [pair.a, pair.b] {
            let kinds = node.notices.map(\.kind)
            func first(_ isIt: (Notice.Kind) -> Bool) -> Int? { kinds.firstIndex(where: isIt) }
            let switched = try #require(first { if case .switched = $0 { true } else { false } })
            #expect(try #require(first { if case .reachability = $0 { true } else { false } }) < switched)
            #expect(try #require(first { if case .probeSent = $0 { true } else { false } }) < switched)
            #expect(first { if case .firstPayload(.outgoing, _) = $0 { true } else { false } } != nil)
            #expect(first { if case .firstPayload(.incoming, _) = $0 { true } else { false } } != nil)
            #expect(node.host.counters.switches == 1)
            #expect(node.context?.counters.explorations ?? 0 <= 1)
        }
    }

    @Test(
        "When each direction works over a pair of its own, each uses it",
        .requirement("5533-2.1-01", "5534-4.2-02"))
    func differentPairs() throws {
        let pair = Pair(configuration: Self.fast())
        pair.establish()
        traffic(pair, for: .seconds(5))
        let toB = LocatorPair(source: .a2, destination: .b2)
        pair.isCut = { $0 != toB && $0 != .b1a1 }
        traffic(pair, for: .seconds(40))
        let (a, b) = (try #require(pair.a.context), try #require(pair.b.context))
        #expect(a.outgoing == toB)
        #expect(b.outgoing == .b1a1)
        #expect(a.isRehomed && !b.isRehomed)
        #expect(a.reachability == .operational && b.reachability == .operational)
        pair.clearLog()
        traffic(pair, for: .seconds(30))
        #expect(pair.sent(.probe).isEmpty)
        #expect(pair.delivered.count > 2900)
    }

    @Test(
        "Less than a second holds only where both hosts have announced their timers to the millisecond",
        arguments: [(true, true), (true, false), (false, true)])
    func quickDetectionIsAgreed(isQuickAtA: Bool, isQuickAtB: Bool) throws {
        var quick = HostConfiguration()
        quick.reap.sendTimeout = .milliseconds(250)
        quick.reap.quick = QuickDetection()
        let pair = Pair(
            configuration: isQuickAtA ? quick : Self.fast(), configurationB: isQuickAtB ? quick : Self.fast())
        pair.establish()
        traffic(pair, for: .seconds(5))
        pair.clearLog()
        let cut = pair.now
        pair.isCut = { $0.source == .a1 || $0.destination == .a1 }
        traffic(pair, for: .seconds(3))
        let wait = try #require(pair.sent(.probe).first).at - cut
        #expect(isQuickAtA && isQuickAtB ? wait < .milliseconds(250) : wait > .milliseconds(900), "\(wait)")
    }

    @Test(
        "The handshake tells the round-trip time, unless its answer could be that to an earlier message",
        arguments: [0, 1])
    func roundTripOfHandshake(lost: Int) throws {
        let pair = Pair()
        var left = lost
        pair.fate = { sent in
            guard sent.type == .r2, left > 0 else { return .deliver }
            left -= 1
            return .drop
        }
        pair.trigger()
        pair.run(for: .seconds(10))
        let context = try #require(pair.a.context)
        #expect(context.state == .established)
        #expect(context.roundTrip == (lost == 0 ? pair.latency * 2 : nil))
    }

    @Test("A peer's Probes are answered also where it never got an answer, and those of this host were lost")
    func answersGoOn() throws {
        let pair = Pair(configuration: Self.fast())
        pair.establish()
        traffic(pair, for: .seconds(5))
        pair.isCut = { $0.source == .a1 || $0.destination == .a1 }
        var lost = 0
        pair.fate = { sent in
            guard sent.by == .b, sent.type == .probe, sent.packet.destination == .a2, lost < 6 else { return .deliver }
            lost += 1
            return .drop
        }
        traffic(pair, for: .seconds(20))
        #expect(lost == 6)
        #expect(pair.a.context?.outgoing?.source == .a2 && pair.b.context?.outgoing?.destination == .a2)
    }

    @Test("A failure in one direction is survived")
    func oneWayCut() throws {
        let pair = Pair(configuration: Self.fast())
        pair.establish()
        traffic(pair, for: .seconds(5))
        // Nothing reaches b1 any more; from b1 everything gets out.
        pair.isCut = { $0.destination == .b1 }
        traffic(pair, for: .seconds(20))
        #expect(pair.a.context?.outgoing?.destination == .b2)
        #expect(pair.a.context?.reachability == .operational)
        #expect(pair.b.context?.reachability == .operational)
    }

    @Test("What the peer sends again answers nothing that was sent before")
    func peerResumesFirst() throws {
        let pair = Pair(configuration: Self.fast())
        pair.establish()
        traffic(pair, for: .seconds(3))
        pair.run(for: .milliseconds(100))
        let cut = pair.now
        pair.isCut = { $0.source == .a1 || $0.destination == .a1 }
        // A request that gets no answer.
        pair.payload(from: .a)
        let slot = try #require(pair.a.entries.values.first?.slot)
        var hasCome = false
        pair.run(for: .seconds(5), every: .milliseconds(1)) {
            guard !hasCome, let context = pair.a.context, context.reachability != .operational else { return }
            _ = pair.a.activity[slot].stampIn(at: pair.now)
            hasCome = true
        }
        #expect(hasCome && pair.a.context?.outgoing?.source == .a2)
        let start = try #require(pair.a.resumed.first ?? nil)
        #expect(start <= cut)
    }

    @Test("Two failures one after the other are both survived", .requirement("5533-4-07"))
    func twice() throws {
        let pair = Pair(configuration: Self.fast())
        pair.establish()
        traffic(pair, for: .seconds(3))
        pair.isCut = { $0.source == .a1 || $0.destination == .a1 }
        traffic(pair, for: .seconds(20))
        pair.isCut = { [.a2, .b1].contains($0.source) || [.a2, .b1].contains($0.destination) }
        traffic(pair, for: .seconds(40))
        #expect(pair.a.context?.outgoing == LocatorPair(source: .a1, destination: .b2))
        #expect(pair.b.context?.outgoing == LocatorPair(source: .b2, destination: .a1))
        #expect(pair.a.context?.reachability == .operational)
    }

    @Test(
        "Everything dead, then alive again: the context is still there",
        .requirement("5534-4.3-05", "5534-4.3-11"))
    func blackout() throws {
        let pair = Pair(configuration: Self.fast())
        pair.establish()
        traffic(pair, for: .seconds(3))
        pair.isCut = { _ in true }
        traffic(pair, for: .seconds(120))
        #expect(pair.a.context?.reachability == .exploring)
        pair.isCut = { _ in false }
        traffic(pair, for: .seconds(70))
        #expect(pair.a.context?.reachability == .operational)
        #expect(pair.b.context?.reachability == .operational)
    }

    @Test(
        "A Send Timeout other than 15 s is announced in I2 and R2, and obeyed",
        .requirement("5534-5.3-02", "5534-5.3-05", "5534-7-04", "5534-7-06", "5534-4.1-18"))
    func keepaliveTimeout() throws {
        var slow = HostConfiguration()
        slow.reap.sendTimeout = .seconds(40)
        let pair = Pair(configuration: Self.fast(), configurationB: slow)
        pair.establish()
        guard case .i2(let i2) = pair.last(.i2)?.message, case .r2(let r2) = pair.last(.r2)?.message
        else {
            Issue.record("no exchange")
            return
        }
        #expect(i2.options.keepaliveTimeout == 1)
        #expect(r2.options.keepaliveTimeout == 40)
        #expect(pair.a.context?.keepaliveTimeout == .seconds(40))
        #expect(pair.b.context?.keepaliveTimeout == .seconds(1))
        #expect(pair.a.context?.sendTimeout == .seconds(1))
        pair.clearLog()
        // A sends, B is silent: B's Keepalives keep A from exploring although A waits for only a second.
        pair.run(for: .seconds(30), every: .milliseconds(100)) { pair.payload(from: .a) }
        // Now and then A asks whether they are B's.
        #expect(pair.a.context?.counters.explorations == 0)
        #expect(pair.sent(.probe).count <= pair.sent(.keepalive, by: .b).count)
        #expect(pair.sent(.keepalive, by: .b).count >= 60)
        #expect(pair.sent(.keepalive, by: .a).isEmpty)
    }

    @Test("A Send Timeout of fractions of a second is announced rounded down, but never as zero")
    func fractions() {
        for (milliseconds, announced) in [
            (500, UInt16(1)), (1900, 1), (2000, 2), (14_999, 14), (15_000, nil),
        ] {
            var configuration = HostConfiguration()
            configuration.reap.sendTimeout = .milliseconds(milliseconds)
            let pair = Pair(configuration: configuration)
            pair.establish()
            guard case .i2(let i2) = pair.last(.i2)?.message else { continue }
            #expect(i2.options.keepaliveTimeout == announced)
        }
    }

    @Test("An Update Request can change the Keepalive Timeout", .requirement("5534-5.3-06"))
    func changedTimeout() throws {
        let pair = Pair()
        pair.establish()
        let tag = try #require(pair.b.context?.localTag)
        let options = LocatorOptions(keepaliveTimeout: 3)
        try pair.forge(
            .updateRequest(UpdateRequest(receiverTag: tag, requestNonce: 1, options: options)), from: .a1,
            to: .b1)
        #expect(pair.b.context?.keepaliveTimeout == .seconds(3))
        #expect(pair.b.context?.peerLocators.count == 2)
        pair.clearLog()
        pair.run(for: .seconds(10), every: .milliseconds(100)) { pair.payload(from: .a) }
        #expect(pair.sent(.keepalive, by: .b).count >= 6)
    }

    @Test(
        "A Probe or Keepalive from outside the locator sets or with another tag has no effect",
        .requirement("5533-12.4-06", "5533-16-06"))
    func strangers() throws {
        let pair = Pair()
        pair.establish()
        let context = try #require(pair.b.context)
        let report = ProbeReport(source: .stranger, destination: .b1, nonce: 1)
        let probe = Probe(receiverTag: context.localTag, state: .exploring, sent: [report])
        try pair.forge(.probe(probe), from: .stranger, to: .b1)
        try pair.forge(.keepalive(Keepalive(receiverTag: context.localTag)), from: .stranger, to: .b1)
        try pair.forge(.keepalive(Keepalive(receiverTag: .ofA)), from: .a1, to: .b1)
        #expect(pair.b.drops(.locatorsOutsideSets) == 2)
        #expect(pair.b.drops(.unknownTag) == 1)
        #expect(pair.b.context?.reachability == .operational)
    }

    @Test(
        "Payload moves only to a pair on which a Probe of ours got through",
        .requirement("5533-7.2-04", "5533-4.4-02", "5534-6.8-04"))
    func returnRoutability() throws {
        let pair = Pair(configuration: Self.fast())
        pair.establish()
        traffic(pair, for: .seconds(3))
        // Only this pair reaches B, and all else is tried before or after it.
        let way = LocatorPair(source: .a1, destination: .b2)
        pair.isCut = { $0.destination != way.destination && $0.destination != .a2 || $0.source == .a2 }
        traffic(pair, for: .seconds(40))
        let tried = Set(pair.sent(.probe, by: .a).map(\.packet.pair))
        #expect(tried.count > 1)
        #expect(pair.a.context?.outgoing == way)
        let used = pair.a.notices.compactMap { if case .switched(_, let new, _) = $0.kind { new } else { nil } }
        #expect(used == [way])
    }

    @Test("A locator from a list that was refused is never a destination", .requirement("5533-7.2-03"))
    func unverified() throws {
        let pair = Pair(configuration: Self.fast())
        pair.establish()
        let tag = try #require(pair.b.context?.localTag)
        var options = LocatorOptions.ofA([.stranger, .a1, .a2])
        options.cgaSignature = [1, 2, 3]
        try pair.forge(
            .updateRequest(UpdateRequest(receiverTag: tag, requestNonce: 1, options: options)), from: .a1, to: .b1)
        pair.isCut = { _ in true }
        traffic(pair, for: .seconds(120))
        #expect(pair.sent(.probe, by: .b).count > 6)
        #expect(pair.log.allSatisfy { $0.packet.destination != .stranger })
    }

    @Test("A Probe with invented reports moves nothing", .requirement("5534-6.8-06", "5533-16-03"))
    func inventedReport() throws {
        let pair = Pair(configuration: Self.fast())
        pair.establish()
        traffic(pair, for: .seconds(2))
        pair.isCut = { _ in true }
        pair.run(for: .seconds(3), every: .milliseconds(20)) { pair.payload(from: .a) }
        let context = try #require(pair.a.context)
        #expect(context.reachability == .exploring)
        let probe = Probe(
            receiverTag: context.localTag, state: .inboundOk,
            sent: [ProbeReport(source: .b2, destination: .a2, nonce: 9)],
            received: [ProbeReport(source: .a2, destination: .b2, nonce: 0xdead_beef)])
        try pair.forge(.probe(probe), from: .b2, to: .a2, side: .a)
        #expect(pair.a.context?.outgoing == .a1b1)
        #expect(pair.a.entries.values.allSatisfy { !$0.isRehomed })
    }

    @Test("Only Keepalives follow an establishment without traffic", .requirement("5534-4.1-03"))
    func quiet() {
        let pair = Pair()
        pair.establish()
        pair.clearLog()
        pair.run(for: .seconds(500))
        #expect(pair.sent(.probe).isEmpty)
        #expect(pair.log.allSatisfy { $0.type == .keepalive && $0.at <= .seconds(25) })
    }

    @Test(
        "Payload that arrives in I2-SENT is delivered and answered with I2",
        .requirement("5533-12.2-05", "5533-B-24"))
    func payloadInI2Sent() throws {
        let pair = Pair()
        pair.fate = { $0.type == .r2 ? .drop : .deliver }
        pair.trigger()
        pair.run(for: .milliseconds(1000))
        #expect(pair.a.state == .i2Sent)
        #expect(pair.b.state == .established)
        let tag = try #require(pair.a.context?.localTag)
        #expect(pair.a.entries[tag]?.inbound == .deliverAndNotify)
        pair.post(.activity(tag, .incoming), to: .a)
        pair.post(.activity(tag, .incoming), to: .a)
        #expect(pair.sent(.i2).count == 2)
        pair.fate = { _ in .deliver }
        pair.run(for: .milliseconds(100))
        #expect(pair.a.state == .established)
    }

    @Test(
        "A Keepalive or Update in I2-SENT is answered with I2",
        .requirement("5533-10.4-08", "5533-10.5-07"))
    func messagesInI2Sent() throws {
        for type in [MessageType.keepalive, .updateRequest, .updateAcknowledgement] {
            let pair = Pair()
            pair.fate = { $0.type == .r2 ? .drop : .deliver }
            pair.trigger()
            pair.run(for: .milliseconds(1000))
            let tag = try #require(pair.a.context?.localTag)
            let message: ControlMessage =
                switch type {
                case .keepalive: .keepalive(Keepalive(receiverTag: tag))
                case .updateRequest: .updateRequest(UpdateRequest(receiverTag: tag, requestNonce: 1))
                default: .updateAcknowledgement(UpdateAcknowledgement(receiverTag: tag, requestNonce: 1))
                }
            try pair.forge(message, from: .b1, to: .a1, side: .a)
            #expect(pair.sent(.i2).count == 2)
            #expect(pair.a.state == .i2Sent)
        }
    }
}
