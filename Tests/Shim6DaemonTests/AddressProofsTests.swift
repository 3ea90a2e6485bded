import Netlink
import REAP
import Shim6Wire
import Testing

@testable import Shim6Daemon

/// Which addresses something beyond the gateway is known to answer to, and who is asked. Times in seconds.
@Suite struct AddressProofsTests {
    private let own = AddressProofsTests.address("2001:db8:a1::5")
    private let other = AddressProofsTests.address("2001:db8:a1::a")
    private let peer = AddressProofsTests.address("2001:db8:b1::1")
    private let second = AddressProofsTests.address("2001:db8:b2::1")

    private static func address(_ text: String) -> IPv6Address {
        guard let address = IPv6Address(text) else { preconditionFailure(text) }
        return address
    }

    private func at(_ seconds: Int) -> Instant { Instant(nanoseconds: 0) + .seconds(1000 + seconds) }

    private func place(
        interface: UInt32 = 7, isAutonomous: Bool = false, checks: [IPv6Address] = [], onLink: [String] = [],
        elsewhere: [String] = []
    ) -> AddressProofs.Place {
        AddressProofs.Place(
            address: own, interface: interface, isAutonomous: isAutonomous, other: other, checks: checks,
            onLink: onLink.compactMap { IPv6Prefix($0) }, elsewhere: elsewhere.compactMap { IPv6Prefix($0) })
    }

    /// What is asked of a value that changes with it stands in an expectation.
    private final class Subject {
        var proofs: AddressProofs

        init(isAsking: Bool) { proofs = AddressProofs(isAsking: isAsking) }

        func standing(of address: IPv6Address) -> AddressProofs.Standing { proofs.standing(of: address) }
        func isLookDue(at now: Instant) -> Bool { proofs.isLookDue(at: now) }
        func hear(_ reply: EchoSocket.Echo) -> Bool { proofs.hear(reply) }
        func hasAnswered(_ peer: IPv6Address, to address: IPv6Address) -> Bool { proofs.hasAnswered(peer, to: address) }
        func follow(_ places: [AddressProofs.Place], at now: Instant) { proofs.follow(places, at: now) }
    }

    private func proofs(of place: AddressProofs.Place, isAsking: Bool = true) -> Subject {
        let subject = Subject(isAsking: isAsking)
        subject.follow([place], at: at(0))
        return subject
    }

    private func look(
        _ subject: Subject, _ sessions: [SocketSession] = [], peers: Set<IPv6Address> = [], at seconds: Int,
        cost: Duration = .zero
    ) -> (isNews: Bool, questions: [AddressProofs.Question]) {
        var nonce = UInt64(seconds) << 8
        return subject.proofs.look(
            at: Set(sessions), peers: peers, own: [own, other], cost: cost, at: at(seconds)
        ) {
            nonce += 1
            return nonce
        }
    }

    private func session(_ local: IPv6Address, _ peer: IPv6Address, isAnswered: Bool = true) -> SocketSession {
        SocketSession(local: local, peer: peer, isAnswered: isAnswered)
    }

    @Test func `A reply with the nonce of the question proves an address, nothing else that comes in does`() throws {
        let proofs = proofs(of: place())
        #expect(proofs.standing(of: own) == .unproven && proofs.isLookDue(at: at(0)))
        let questions = look(proofs, [session(other, peer)], at: 0).questions
        let question = try #require(questions.first)
        #expect(questions.count == 1 && question.interface == 7)
        #expect(question.echo.source == own && question.echo.destination == peer)
        var forged = question.echo
        forged.nonce += 1
        #expect(!proofs.hear(forged))
        forged = question.echo
        forged.destination = second
        #expect(!proofs.hear(forged))
        #expect(proofs.standing(of: own) == .unproven)
        #expect(proofs.hear(question.echo))
        #expect(proofs.standing(of: own) == .proven)
        // Nothing is left to ask, and one reply is news once.
        #expect(!proofs.isLookDue(at: at(100)) && !proofs.hear(question.echo))
    }

    @Test func `A session of the address that its peer has answered proves it, one that waits does not`() {
        let proofs = proofs(of: place())
        #expect(!look(proofs, [session(own, peer, isAnswered: false)], at: 0).isNews)
        #expect(proofs.standing(of: own) == .unproven)
        #expect(look(proofs, [session(own, peer)], at: 1).isNews)
        #expect(proofs.standing(of: own) == .proven)
    }

    @Test func `Hosts on the link, the gateway and what is reached by other interfaces prove nothing`() throws {
        let onLink = ["2001:db8:c1::/64", "2001:db8:d1::1/128"]
        let proofs = proofs(of: place(onLink: onLink, elsewhere: ["2001:db8:e1::/48"]))
        let near = [
            "2001:db8:c1::9", "2001:db8:d1::1", "2001:db8:e1::1", "2001:db8:a1::77", "fe80::1", "::ffff:1.2.3.4",
        ]
        for text in near {
            let neighbour = Self.address(text)
            let (isNews, questions) = look(proofs, [session(own, neighbour)], at: 0)
            #expect(!isNews && questions.isEmpty, "\(text)")
        }
        #expect(!proofs.hasAnswered(Self.address("2001:db8:c1::9"), to: own))
        #expect(proofs.hasAnswered(peer, to: own))
    }

    @Test func `Only hosts of own sessions, peers and those that the operator names are asked`() {
        let proofs = proofs(of: place(checks: [second]))
        let forwarded = session(Self.address("2001:db8:ffff::1"), Self.address("2001:db8:f1::1"))
        var asked: Set<IPv6Address> = []
        for seconds in 0..<20 {
            asked.formUnion(
                look(proofs, [forwarded, session(other, own)], peers: [peer], at: seconds).questions
                    .map(\.echo.destination))
        }
        #expect(asked == [peer, second])
        let idle = self.proofs(of: place())
        #expect(look(idle, [forwarded], at: 0).questions.isEmpty)
    }

    @Test func `Without an answer the questions become rare, and somebody new is asked soon`() {
        let proofs = proofs(of: place())
        var times: [Int] = []
        for seconds in 0..<600 where proofs.isLookDue(at: at(seconds)) {
            if !look(proofs, [session(other, peer)], at: seconds).questions.isEmpty { times.append(seconds) }
        }
        #expect(times.prefix(3) == [0, 1, 2] && times.count < 20, "\(times)")
        #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 <= 65 })
        let new = (600..<606).filter { proofs.isLookDue(at: at($0)) }.flatMap {
            look(proofs, [session(other, peer), session(other, second)], at: $0).questions.map(\.echo.destination)
        }
        #expect(new.contains(second))
    }

    @Test func `A look that takes long makes the next one wait`() {
        let proofs = proofs(of: place())
        _ = look(proofs, at: 0, cost: .milliseconds(300))
        #expect(!proofs.isLookDue(at: at(29)) && proofs.isLookDue(at: at(30)))
    }

    @Test func `Where hosts make their own addresses one is good until another address alone is answered`() throws {
        let proofs = proofs(of: place(isAutonomous: true))
        #expect(proofs.standing(of: own) == .assumed)
        for seconds in 0..<4 {
            #expect(proofs.standing(of: own) == .assumed)
            let (isNews, questions) = look(proofs, [session(own, peer, isAnswered: false)], at: seconds)
            #expect(isNews == (seconds == 3))
            for question in questions where question.echo.source == other { #expect(!proofs.hear(question.echo)) }
        }
        #expect(proofs.standing(of: own) == .refuted)
        // It is asked on, and comes back with the first answer.
        let later = look(proofs, [session(other, second)], at: 20).questions
        let question = try #require(later.first { $0.echo.source == own })
        #expect(later.count == 1 && proofs.hear(question.echo))
        #expect(proofs.standing(of: own) == .proven)
    }

    @Test func `A host that answers to nobody speaks against no address`() {
        let proofs = proofs(of: place(isAutonomous: true))
        for seconds in 0..<300 where proofs.isLookDue(at: at(seconds)) {
            _ = look(proofs, [session(own, peer, isAnswered: false)], at: seconds)
        }
        #expect(proofs.standing(of: own) == .assumed)
    }

    @Test func `What was known ends when the address goes to another interface`() {
        let proofs = proofs(of: place())
        #expect(proofs.hasAnswered(peer, to: own))
        proofs.follow([place()], at: at(1))
        #expect(proofs.standing(of: own) == .proven)
        proofs.follow([place(interface: 8)], at: at(2))
        #expect(proofs.standing(of: own) == .unproven)
        #expect(proofs.hasAnswered(peer, to: own))
        proofs.follow([], at: at(3))
        proofs.follow([place(interface: 8)], at: at(4))
        #expect(proofs.standing(of: own) == .unproven)
    }

    @Test func `Where the operator has decided nobody is asked`() {
        let proofs = proofs(of: place(checks: [peer]), isAsking: false)
        #expect(!proofs.isLookDue(at: at(100)))
    }
}
