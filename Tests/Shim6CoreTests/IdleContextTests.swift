import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

/// Contexts without a packet for longer than the idle timeout, which is ten minutes.
@Suite("Idle contexts")
struct IdleContextTests {
    /// An established context, whose payload has left the ULIDs if `moved`.
    private func idlePair(moved: Bool, configuration: HostConfiguration = HostConfiguration()) throws -> Pair {
        let pair = Pair(configuration: configuration)
        pair.establish()
        if moved { pair.isCut = { [$0.source, $0.destination].contains(.a1) } }
        pair.run(for: .seconds(60), every: .milliseconds(500)) {
            pair.payload(from: .a)
            pair.payload(from: .b)
        }
        #expect(pair.a.context?.isRehomed == moved && pair.b.context?.isRehomed == moved)
        return pair
    }

    private func peer(_ index: Int) -> IPv6Address {
        IPv6Address(high: 0x2001_0db8_00cc_0000 + UInt64(index) << 16, low: 1)
    }

    /// A peer begins a context with B.
    private func introduce(_ index: Int, to pair: Pair) throws {
        let (tag, peer) = (ContextTag(truncating: UInt64(index)), peer(index))
        let r1 = try pair.challenge(tag: tag, from: peer)
        try pair.forge(.i2(pair.i2(r1, tag: tag, options: .ofA([peer], ulid: peer))), from: peer, to: .b1)
    }

    private func send(_ index: Int, to pair: Pair) {
        pair.receivePayload(nil, LocatorPair(source: peer(index), destination: .b1), .b)
    }

    private func has(_ index: Int, _ pair: Pair) -> Bool {
        pair.b.host.snapshot(of: ULIDPair(local: .b1, peer: peer(index))) != nil
    }

    @Test(
        "A context stays while a session uses its ULIDs, and goes when none does any more",
        .requirement("5533-9-02", "5533-9-03"), arguments: [false, true])
    func session(moved: Bool) throws {
        let pair = try idlePair(moved: moved)
        for node in [pair.a, pair.b] { node.use = { _ in .session } }
        let before = (pair.a.context?.outgoing, pair.b.context?.outgoing)
        pair.run(for: .seconds(3_600))
        #expect((5...6).contains(pair.a.questions) && (5...6).contains(pair.b.questions))
        #expect(try #require(pair.a.context).outgoing == before.0 && pair.b.context?.outgoing == before.1)
        // It is asked about again: the kernel has a policy for it all the time.
        #expect(pair.a.idleWatches.count == 1)
        pair.clearLog()
        pair.payload(from: .a)
        pair.run(for: .seconds(1))
        #expect(pair.delivered.count == 1)
        pair.a.use = { _ in .none }
        pair.run(for: .seconds(610))
        #expect(pair.a.host.contexts.isEmpty && pair.b.state == .established)
    }

    @Test(
        "What may send without a session, or cannot be known, keeps a context only where its ULIDs are not used",
        .requirement("5533-9-02"), arguments: [ULIDUse.localAddress, .unknown], [false, true])
    func uncertain(use: ULIDUse, moved: Bool) throws {
        let pair = try idlePair(moved: moved)
        for node in [pair.a, pair.b] { node.use = { _ in use } }
        pair.run(for: .seconds(1_300))
        #expect([pair.a, pair.b].allSatisfy { $0.host.contexts.isEmpty != moved })
    }

    @Test("Payload between question and answer keeps a context, whatever the answer")
    func late() throws {
        let pair = try idlePair(moved: false)
        let tag = try #require(pair.a.context?.localTag)
        pair.payload(from: .a)
        pair.post(.use(tag, .none), to: .a)
        #expect(pair.a.state == .established)
        pair.run(for: .seconds(650))
        #expect(pair.a.host.contexts.isEmpty)
        pair.post(.use(tag, .session), to: .a)
        #expect(pair.a.host.contexts.isEmpty)
    }

    @Test("When the table is full the one idle for longest makes room, one in use never, and a new one before others")
    func room() throws {
        var configuration = HostConfiguration()
        configuration.maximumContexts = 3
        let pair = Pair(configuration: configuration)
        pair.fate = { _ in .drop }
        pair.b.use = { _ in .session }
        for index in 1...3 {
            try introduce(index, to: pair)
            send(index, to: pair)
            pair.run(for: .seconds(100))
        }
        try introduce(4, to: pair)
        #expect(!has(4, pair) && pair.b.drops(.contextTableFull) == 1)
        pair.run(for: .seconds(700))
        send(1, to: pair)
        try introduce(5, to: pair)
        #expect(has(1, pair) && !has(2, pair) && has(3, pair) && has(5, pair))
        #expect(pair.b.host.counters.idleContextsEvicted == 1)
        pair.run(for: .seconds(1))
        try introduce(6, to: pair)
        #expect(has(1, pair) && has(3, pair) && !has(5, pair) && has(6, pair))
        #expect(pair.b.host.counters.idleContextsEvicted == 1 && pair.b.host.counters.contextsEvicted == 1)
    }

    @Test("One that no session uses makes room before those that were idle for longer")
    func roomWithoutSession() throws {
        var configuration = HostConfiguration()
        configuration.maximumContexts = 2
        let pair = try idlePair(moved: true, configuration: configuration)
        pair.fate = { _ in .drop }
        try introduce(1, to: pair)
        send(1, to: pair)
        pair.run(for: .seconds(10))
        pair.payload(from: .a)
        pair.b.use = { [first = peer(1)] in $0.peer == first ? .session : .localAddress }
        pair.run(for: .seconds(700))
        #expect(pair.b.host.contexts.count == 2)
        try introduce(2, to: pair)
        #expect(has(1, pair) && has(2, pair) && pair.b.host.snapshot(of: .atB) == nil)
    }
}
