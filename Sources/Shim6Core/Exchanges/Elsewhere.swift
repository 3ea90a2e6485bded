import REAP
import Shim6Wire

/// The pairs on which messages with a context's tag come in while the peer's answer is awaited: the peer has the context, and
/// its R2 was lost. I2 and I2bis are good only where the R1 came from. So an I1 goes back there too: the peer, which knows the
/// tag, answers it with R2.
///
/// In I1-SENT section 12.4 of RFC 5533 has such messages discarded; then a peer that is established, and whose pair has
/// failed since, could not be found on any other.
struct Elsewhere {
    private struct Question {
        let pair: LocatorPair
        let askedAt: Instant
    }

    /// The latest last.
    private var questions: [Question] = []

    /// A tag travels in clear: whoever has seen it can have I1 sent where he likes, but seldom, and to few addresses.
    private static let mostQuestions = 4

    /// The reverse of those on which they came, the latest last.
    var pairs: [LocatorPair] { questions.map(\.pair) }

    /// A message has come in on the reverse of `pair`: I1 goes there, in time.
    mutating func ask(_ nonce: UInt32, over pair: LocatorPair, _ common: inout Common, _ turn: inout Turn) {
        let known = questions.firstIndex { $0.pair == pair }
        if let place = known ?? (questions.count == Self.mostQuestions ? 0 : nil) {
            guard turn.now - questions[place].askedAt >= OutstandingRequest.leastDistance else { return }
            questions.remove(at: place)
        }
        questions.append(Question(pair: pair, askedAt: turn.now))
        common.sendI1(nonce, over: pair, &turn)
    }
}

extension Common {
    mutating func sendI1(_ nonce: UInt32, over locators: LocatorPair, _ turn: inout Turn) {
        // 5533-5.4-09, 5533-5.4-10, 5533-7.7-03, 5533-7.7-04, 5533-7.7-05
        let i1 = I1(
            initiatorTag: tag, initiatorNonce: nonce, ulidPair: ulidPairOption(over: locators),
            forkedInstance: forkedInstanceOption)
        send(.i1(i1), over: locators, &turn)
    }
}
