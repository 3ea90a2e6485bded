import Netlink
import REAP
import Shim6Core
import Shim6Wire
import Testing

@testable import Shim6Daemon

/// When sockets are looked at for contexts that are idle, and what is answered.
@Suite struct IdleQuestionsTests {
    private let ulids = ULIDPair(
        local: IPv6Address(high: 0x2001_0db8_00a1_0000, low: 1), peer: IPv6Address(high: 0x2001_0db8_00b1_0000, low: 1))
    private let first = ContextTag(truncating: 1)
    private let second = ContextTag(truncating: 2)

    private func at(_ seconds: Int) -> Instant { Instant(nanoseconds: 0) + .seconds(1000 + seconds) }

    @Test func `One look answers for all that are idle, and the next comes ten seconds later at the earliest`() {
        var questions = IdleQuestions()
        #expect(!questions.isLookDue(at: at(0)))
        questions.ask(first, ulids)
        questions.ask(second, ulids)
        #expect(questions.isLookDue(at: at(0)))
        #expect(questions.answers(from: SocketTable(), at: at(0)) == [first: .none, second: .none])
        #expect(!questions.isLookDue(at: at(60)))
        questions.ask(first, ulids)
        #expect(questions.isLookDue(at: at(60)))
        _ = questions.answers(from: SocketTable(), at: at(60))
        questions.ask(second, ulids)
        #expect(!questions.isLookDue(at: at(69)) && questions.isLookDue(at: at(70)))
    }

    @Test func `A look that takes long keeps the next one waiting for a hundred times as long`() {
        var questions = IdleQuestions()
        questions.ask(first, ulids)
        _ = questions.answers(from: SocketTable(), cost: .seconds(1), at: at(0))
        questions.ask(first, ulids)
        #expect(!questions.isLookDue(at: at(99)) && questions.isLookDue(at: at(100)))
    }

    @Test func `Where sockets cannot be read nothing is known`() {
        var questions = IdleQuestions()
        questions.ask(first, ulids)
        #expect(questions.answers(from: nil, at: at(0)) == [first: .unknown])
    }
}
