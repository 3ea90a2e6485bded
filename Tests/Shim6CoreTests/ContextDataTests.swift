import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

/// What a context knows in each of its states (RFC 5533, sections 6.1 and 6.2).
@Suite("Context data")
struct ContextDataTests {
    @Test(
        "An established context has tags, generations, locators with their proof, and its pair",
        .requirement("5533-6.1-01", "5533-6.1-02", "5533-6.1-03"))
    func established() throws {
        let pair = Pair()
        pair.establish()
        let (a, b) = (try #require(pair.a.context), try #require(pair.b.context))
        #expect(a.state == .established && a.ulids == ULIDPair(local: .a1, peer: .b1) && a.forkedInstance == 0)
        #expect(a.peerTag == b.localTag && a.localGeneration == b.peerGeneration)
        #expect(a.localLocators.map(\.address) == [.a1, .a2])
        #expect(a.peerLocators == [.b1, .b2].map { VerifiedLocator(address: $0, method: .cga) })
        #expect(a.outgoing == LocatorPair(source: .a1, destination: .b1))
        #expect(a.reachability == .operational)
        #expect(pair.a.entries[a.localTag]?.outgoing == a.outgoing)
    }

    @Test("The states, of which IDLE is to have no context", .requirement("5533-6.2-01", "5533-6.2-02"))
    func states() {
        #expect(
            Set(ContextState.allCases.map(\.rawValue)) == [
                "I1-SENT", "I2-SENT", "I2BIS-SENT", "ESTABLISHED", "E-FAILED", "NO-SUPPORT",
            ])
        let pair = Pair()
        #expect(pair.a.host.contexts.isEmpty && pair.a.entries.isEmpty && pair.a.timers.isEmpty)
    }

    @Test(
        "In I1-SENT neither the tag nor the locators of the peer are known",
        .requirement("5533-6.2-03"))
    func i1Sent() throws {
        let pair = Pair()
        pair.fate = { _ in .drop }
        pair.trigger()
        let context = try #require(pair.a.context)
        #expect(context.state == .i1Sent)
        #expect(context.ulids == ULIDPair(local: .a1, peer: .b1) && context.forkedInstance == 0)
        #expect(context.localLocators.map(\.address) == [.a1, .a2])
        #expect(context.peerTag == nil && context.peerLocators.isEmpty && context.peerGeneration == nil)
    }

    @Test("In NO-SUPPORT the ULID pair is all that is left", .requirement("5533-6.2-08"))
    func noSupport() throws {
        let pair = Pair()
        pair.fate = { _ in .drop }
        pair.trigger()
        let i1 = try #require(pair.last(.i1))
        pair.post(
            .parameterProblem(quoted: i1.octets, source: i1.source, destination: i1.destination), to: .a)
        let context = try #require(pair.a.context)
        #expect(context.state == .noSupport && context.ulids == ULIDPair(local: .a1, peer: .b1))
        #expect(context.peerTag == nil && context.peerLocators.isEmpty && context.outgoing == nil)
        #expect(pair.a.entries.isEmpty && pair.a.idleWatches.isEmpty)
    }

    @Test("The ULID stays an address of its context when it is no locator any more", .requirement("5533-2.1-03"))
    func ulidWithdrawn() throws {
        let pair = Pair()
        pair.establish()
        pair.announce([.a2], by: .a)
        pair.run(for: .seconds(1))
        let tag = try #require(pair.a.context?.localTag)
        let update = UpdateRequest(receiverTag: tag, requestNonce: 9)
        try pair.forge(.updateRequest(update), from: .b1, to: .a1, side: .a)
        #expect(pair.a.drops(.locatorsOutsideSets) == 0)
        #expect(pair.sent(.updateAcknowledgement, by: .a).count == 1)
    }

    @Test("A proven locator is no destination until a Probe has been reported from it", .requirement("5533-7.2-01"))
    func verifiedAndReachable() throws {
        let pair = Pair()
        pair.establish()
        #expect(pair.a.context?.peerLocators.map(\.method) == [.cga, .cga])
        #expect(pair.a.context?.outgoing?.destination == .b1)
        // B1 is dead, and nothing comes back from B at all.
        pair.isCut = { $0.destination == .b1 || [.b1, .b2].contains($0.source) }
        pair.run(for: .seconds(60), every: .seconds(1)) { pair.payload(from: .a) }
        #expect(pair.a.context?.reachability == .exploring)
        #expect(pair.sent(.probe, by: .a).contains { $0.packet.destination == .b2 })
        #expect(pair.a.context?.outgoing?.destination == .b1)
        pair.isCut = { $0.destination == .b1 }
        pair.run(for: .seconds(90), every: .seconds(1)) { pair.payload(from: .a) }
        #expect(pair.a.context?.outgoing?.destination == .b2)
    }

    @Test("An administrator's settings hold: one retransmission of I1 instead of four", .requirement("5533-2.3-01"))
    func settings() {
        var configuration = HostConfiguration()
        configuration.i1RetriesMax = 1
        configuration.i1Timeout = .seconds(1)
        let pair = Pair(configuration: configuration)
        pair.fate = { _ in .drop }
        pair.trigger()
        pair.run(for: .seconds(20))
        #expect(pair.sent(.i1).count == 2)
        #expect(pair.a.state == .eFailed)
    }

    @Test("Tags are spread over their space, and none follows from the one before", .requirement("5533-7.1-04"))
    func tags() {
        var tags: [UInt64] = []
        for seed in 1...40 as ClosedRange<UInt64> {
            let pair = Pair(seed: seed)
            pair.trigger()
            pair.post(.trigger(ULIDPair(local: .a2, peer: .b1)), to: .a)
            pair.post(.trigger(ULIDPair(local: .a1, peer: .b2)), to: .a)
            let ofHost = pair.log.compactMap { sent -> UInt64? in
                if case .i1(let i1) = sent.packet.message { i1.initiatorTag.rawValue } else { nil }
            }
            #expect(Set(zip(ofHost, ofHost.dropFirst()).map { $1 &- $0 }).count == 2)
            tags += ofHost
        }
        #expect(tags.count == 120 && Set(tags).count == 120)
        #expect(Set(tags.map { $0 >> 43 }).count == 16, "every sixteenth of the space")
    }
}
