import REAP
import Shim6Wire
import Testing

@testable import Shim6Core

/// One context by itself: no endpoint, no table, no other context.
@Suite("An association without an endpoint")
struct AssociationTests {
    private let activity = TestActivity()
    private let host: Surroundings
    private let random = RandomSource(Seeded(1))
    private let start = Instant.seconds(10)

    init() {
        host = Surroundings(HostConfiguration(), identity: ToyIdentity(ulids: [.a1, .a2]), activity: activity)
        _ = host.lists.replace([.a1, .a2].map { LocalLocator(address: $0, method: .cga) })
    }

    private static let tag = ContextTag(truncating: 0x77)
    private static let i1 = I1Sent(initiatorNonce: 9, pairs: [.a1b1])
    private static let peer = Peer(
        tag: ContextTag(truncating: 0x88),
        locators: [IPv6Address.b1, .b2].map { VerifiedLocator(address: $0, method: .cga) }, candidates: [.b1, .b2])

    private func turn(after seconds: Int = 0) -> Turn { Turn(at: start + .seconds(seconds), host, random) }

    /// One in I1-SENT, whose I1 has gone out.
    private func begun() -> Association {
        var turn = turn()
        let common = Common(
            tag: Self.tag, key: ContextKey(ulids: .atA), slot: 0, announced: turn.list(for: .a1), at: start)
        let association = Association(common, .i1Sent(Self.i1))
        association.begin(&turn)
        #expect(sent(turn) == [.i1])
        return association
    }

    private func established() -> Association {
        let association = begun()
        var turn = turn()
        association.establish(Self.peer, .r2Received, &turn)
        association.watch(&turn)
        return association
    }

    private func sent(_ turn: Turn) -> [MessageType] {
        turn.effects.compactMap {
            guard case .send(let octets, _, _) = $0 else { return nil }
            return try? MessageView(octets).type
        }
    }

    @Test("I1 is repeated up to its limit, and then the negotiation fails")
    func repeatsI1() {
        let association = begun()
        for number in 1...HostConfiguration().i1RetriesMax {
            var turn = turn(after: number * 1_000)
            guard case .goesOn = association.timerFired(&turn) else {
                Issue.record("it ends after \(number)")
                return
            }
            #expect(sent(turn) == [.i1])
        }
        var turn = turn(after: 100_000)
        guard case .fails(.silence(.noAnswerToI1)) = association.timerFired(&turn) else {
            Issue.record("it goes on")
            return
        }
        #expect(sent(turn) == [])
    }

    @Test("R1 is answered by I2, in I1-SENT alone")
    func answersR1() throws {
        let association = begun()
        let r1 = R1(initiatorNonce: 9, responderNonce: 5, responderValidator: [1, 2, 3])
        var turn = turn()
        try association.answer(r1, over: .a1b1, &turn)
        #expect(sent(turn) == [.i2])
        #expect(association.state.name == .i2Sent)
        #expect(throws: DropReason.unexpectedInState) { try association.answer(r1, over: .a1b1, &turn) }
    }

    @Test("Payload from the peer while the R2 is outstanding has the I2 sent again, but not at once")
    func repeatsI2() throws {
        let association = begun()
        var first = turn()
        try association.answer(
            R1(initiatorNonce: 9, responderNonce: 5, responderValidator: [1, 2, 3]), over: .a1b1, &first)
        var atOnce = turn()
        association.payload(.incoming, &atOnce)
        #expect(sent(atOnce) == [])
        var later = turn(after: 1)
        association.payload(.outgoing, &later)
        #expect(sent(later) == [])
        association.payload(.incoming, &later)
        #expect(sent(later) == [.i2])
    }

    @Test("An established context gives the data path the peer's tag, and takes it out when it closes")
    func installs() {
        let association = established()
        #expect(association.common.entry?.peerTag == Self.peer.tag)
        #expect(association.common.entry?.inbound == .deliver)
        var turn = turn()
        #expect(association.close(.removed, &turn) == 0)
        #expect(association.common.entry == nil)
        #expect(sent(turn) == [])
    }

    @Test("Changed locators are told until the peer acknowledges them, and only then they are sources")
    func announces() throws {
        let association = established()
        _ = host.lists.replace([.a1, .a3].map { LocalLocator(address: $0, method: .cga) })
        var first = turn()
        association.localLocatorsChanged(&first)
        #expect(sent(first) == [.updateRequest])
        #expect(!association.common.announced.contains(.a3) && association.isLocalLocator(.a3))
        var second = turn(after: 100)
        guard case .goesOn = association.timerFired(&second) else {
            Issue.record("it ends")
            return
        }
        #expect(sent(second) == [.updateRequest])
        let nonce = try #require(association.established?.update?.requestNonce)
        #expect(!association.acknowledged(nonce &+ 1, &second))
        #expect(association.acknowledged(nonce, &second))
        #expect(association.common.announced.contains(.a3))
        #expect(association.established?.update == nil)
    }

    @Test("R1bis is answered by I2bis, and the context falls back to I1 if no R2 comes")
    func recovers() throws {
        let association = established()
        let r1bis = R1bis(packetTag: Self.peer.tag, responderNonce: 5, responderValidator: [1, 2, 3])
        let other = LocatorPair(source: .a2, destination: .b2)
        var first = turn()
        try association.answer(r1bis, nonce: 21, over: other, &first)
        #expect(sent(first) == [.i2bis])
        #expect(association.state.awaitsAnswer(on: other.reversed) && association.state.index.nonce == 21)
        var all: [MessageType] = []
        for number in 1...HostConfiguration().i2bisRetriesMax + 1 {
            var turn = turn(after: number * 1_000)
            guard case .goesOn = association.timerFired(&turn) else {
                Issue.record("it ends")
                return
            }
            all += sent(turn)
        }
        #expect(all == [.i2bis, .i2bis, .i1])
        guard case .i1Sent(let sent) = association.state else {
            Issue.record("it is in \(association.state.name)")
            return
        }
        #expect(sent.pairs == [other, .a1b1])
    }

    @Test("A silence of the peer starts an exploration")
    func explores() throws {
        let association = established()
        _ = activity[0].stamp(.outgoing, at: start)
        var asked = turn()
        association.payload(.outgoing, &asked)
        let deadline = try #require(association.established?.reachability.machine.deadline(of: .send))
        var turn = Turn(at: deadline, host, random)
        association.handle(.timer(.send), &turn)
        #expect(association.established?.reachability.machine.state == .exploring)
        #expect(sent(turn) == [.probe])
    }

    @Test("It is asked who needs a context only if nothing went out either")
    func askUse() {
        let association = established()
        let wait = 600
        _ = activity[0].stamp(.outgoing, at: start + .seconds(wait - 1))
        var turn = turn(after: wait)
        association.askUse(&turn)
        #expect(!turn.effects.contains { if case .askUse = $0 { true } else { false } })
        #expect(association.isNeeded(for: .none, turn))
        var later = self.turn(after: 2 * wait)
        association.askUse(&later)
        #expect(later.effects.contains { if case .askUse(association.tag, _) = $0 { true } else { false } })
        #expect(!association.isNeeded(for: .none, later))
    }
}
