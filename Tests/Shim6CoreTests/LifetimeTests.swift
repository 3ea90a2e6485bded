import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Lifetime and limits")
struct LifetimeTests {
    @Test(
        "A context without a packet either way ends after the idle timeout, silently",
        .requirement("5533-9-01", "5533-9-03", "5533-9-04", "5533-4-10", "5533-B-40"))
    func idle() {
        let pair = Pair()
        pair.establish()
        pair.run(for: .seconds(30))
        let count = pair.log.count
        pair.run(for: .seconds(560))
        #expect(pair.a.state == .established)
        pair.run(for: .seconds(60))
        #expect(pair.a.host.contexts.isEmpty)
        #expect(pair.b.host.contexts.isEmpty)
        #expect(pair.log.count == count)
        #expect(pair.a.forgotten == [.atA])
        #expect(pair.a.entries.isEmpty && pair.a.timers.isEmpty && pair.a.idleWatches.isEmpty)
    }

    @Test(
        "Traffic in either direction keeps a context",
        .requirement("5533-9-03", "5533-9-05", "5533-6.1-06"), arguments: [Pair.Side.a, .b])
    func oneWay(_ side: Pair.Side) {
        let pair = Pair()
        pair.establish()
        pair.run(for: .seconds(3000), every: .seconds(10)) { pair.payload(from: side) }
        #expect(pair.a.state == .established)
        #expect(pair.b.state == .established)
        #expect(pair.a.context?.counters.explorations == 0 && pair.b.context?.counters.explorations == 0)
        pair.run(for: .seconds(650))
        #expect(pair.a.host.contexts.isEmpty)
        #expect(pair.b.host.contexts.isEmpty)
    }

    @Test("The idle question is asked again when it was too early")
    func askedAgain() throws {
        let pair = Pair()
        pair.establish()
        let tag = try #require(pair.a.context?.localTag)
        let began = pair.now
        pair.run(for: .seconds(300))
        pair.payload(from: .a)
        let last = pair.now
        pair.run(for: .seconds(310))
        #expect(pair.a.state == .established)
        let asked = try #require(pair.a.idleWatches[tag])
        #expect(asked >= last + .seconds(600) && asked <= last + .seconds(601))
        #expect(began < last)
        pair.run(for: .seconds(300))
        #expect(pair.a.host.contexts.isEmpty)
    }

    @Test("An operator removes a context on one side only", .requirement("5533-9-01"))
    func removed() throws {
        let pair = Pair()
        pair.establish()
        pair.clearLog()
        let tag = try #require(pair.a.context?.localTag)
        pair.post(.remove(tag), to: .a)
        #expect(pair.a.host.contexts.isEmpty)
        #expect(pair.b.state == .established)
        #expect(pair.log.isEmpty)
        pair.post(.remove(tag), to: .a)
        pair.post(.idle(tag), to: .a)
        pair.post(.activity(tag, .incoming), to: .a)
        #expect(pair.log.isEmpty)
    }

    @Test("A removed context is made anew by the next trigger", .requirement("5533-7.5-02"))
    func madeAnew() throws {
        let pair = Pair()
        pair.establish()
        let before = try #require(pair.b.context)
        pair.post(.remove(try #require(pair.a.context?.localTag)), to: .a)
        pair.trigger()
        pair.run(for: .seconds(1))
        #expect(pair.a.state == .established)
        #expect(pair.a.context?.peerTag == before.localTag)
        #expect(pair.b.context?.peerTag == pair.a.context?.localTag)
        #expect(pair.b.host.contexts.count == 1)
    }

    @Test(
        "Shutdown leaves nothing: no context, entry, timer or watch", .requirement("5533-6.2-02"),
        arguments: [0, 25, 1000])
    func shutdown(afterMilliseconds time: Int) {
        let pair = Pair()
        pair.trigger()
        pair.trigger(.a, ULIDPair(local: .a2, peer: .stranger))
        pair.run(for: .milliseconds(time))
        pair.payload(from: .a)
        pair.post(.shutdown, to: .a)
        #expect(pair.a.host.contexts.isEmpty)
        #expect(pair.a.entries.isEmpty)
        #expect(pair.a.nextDeadline == nil)
        #expect(pair.a.host.counters.contexts.used == 0)
    }

    @Test("A full table refuses own triggers and peers, and keeps what it has")
    func tableFull() throws {
        var configuration = HostConfiguration()
        configuration.maximumContexts = 3
        let pair = Pair(configuration: configuration)
        func peer(_ index: Int) -> IPv6Address {
            IPv6Address(high: 0x2001_0db8_00cc_0000 + UInt64(index), low: 1)
        }
        for index in 1...3 {
            let tag = ContextTag(truncating: UInt64(index))
            let i2 = pair.i2(
                try pair.challenge(tag: tag, from: peer(index)), tag: tag,
                options: .ofA([peer(index)], ulid: peer(index)))
            try pair.forge(.i2(i2), from: peer(index), to: .b1)
        }
        #expect(pair.b.host.contexts.count == 3)
        #expect(Set(pair.b.entries.values.map(\.slot)) == [0, 1, 2])
        for index in 1...3 {
            pair.receivePayload(nil, LocatorPair(source: peer(index), destination: .b1), .b)
        }
        let r1 = try pair.challenge(tag: .ofA)
        let looks = pair.b.verifier.looks
        try pair.forge(.i2(pair.i2(r1, tag: .ofA)), from: .a1, to: .b1)
        #expect(pair.b.drops(.contextTableFull) == 1)
        #expect(pair.b.verifier.looks == looks)
        #expect(pair.b.host.refusal(of: .atB) == .tableFull)
        pair.trigger(.b)
        #expect(pair.b.host.counters.triggersRefused == 1)
        #expect(pair.b.forgotten == [.atB])
        #expect(pair.b.host.counters.contexts.used == 3 && pair.b.host.counters.contexts.limit == 3)
        // A place that becomes free is used again.
        pair.post(.remove(try #require(pair.b.host.contexts.first?.localTag)), to: .b)
        try pair.forge(.i2(pair.i2(r1, tag: .ofA)), from: .a1, to: .b1)
        #expect(pair.b.host.contexts.count == 3)
        #expect(Set(pair.b.entries.values.map(\.slot)) == [0, 1, 2])
    }

    @Test("The addresses of one /64 get only so many contexts here")
    func perPeerPrefix() throws {
        var configuration = HostConfiguration()
        configuration.maximumContextsPerPeerPrefix = 2
        let pair = Pair(configuration: configuration)
        func attempt(_ high: UInt64, _ low: UInt64) throws {
            let ulid = IPv6Address(high: high, low: low)
            let tag = ContextTag(truncating: high ^ low)
            let options = LocatorOptions.ofA([ulid], ulid: ulid)
            try pair.forge(
                .i2(pair.i2(try pair.challenge(tag: tag, from: ulid), tag: tag, options: options)),
                from: ulid, to: .b1)
        }
        for low in 1...5 { try attempt(0x2001_0db8_00cc_0000, UInt64(low)) }
        #expect(pair.b.host.contexts.count == 2)
        #expect(pair.b.drops(.tooManyContextsOfPeer) == 3)
        try attempt(0x2001_0db8_00cd_0000, 1)
        #expect(pair.b.host.contexts.count == 3)
        pair.post(
            .remove(
                try #require(
                    pair.b.host.snapshot(
                        of: ULIDPair(local: .b1, peer: IPv6Address(high: 0x2001_0db8_00cc_0000, low: 1)))?
                        .localTag)), to: .b)
        try attempt(0x2001_0db8_00cc_0000, 9)
        #expect(pair.b.host.contexts.count == 3)
    }

    @Test("Activity stamps of a slot's former context are gone when the next one takes it")
    func cleanSlot() throws {
        let pair = Pair()
        pair.establish()
        pair.payload(from: .a)
        #expect(pair.a.context?.lastOut != nil)
        pair.post(.remove(try #require(pair.a.context?.localTag)), to: .a)
        pair.trigger()
        #expect(pair.a.context?.slot == 0)
        #expect(pair.a.context?.lastOut == nil)
    }
}
