import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Testing

@Suite("Concurrent establishment")
struct ConcurrentEstablishmentTests {
    private func expectAgreement(_ pair: Pair) {
        #expect(pair.a.state == .established)
        #expect(pair.b.state == .established)
        #expect(pair.a.context?.peerTag == pair.b.context?.localTag)
        #expect(pair.b.context?.peerTag == pair.a.context?.localTag)
        #expect(pair.a.context?.peerLocators.map(\.address) == [.b1, .b2])
        #expect(pair.b.context?.peerLocators.map(\.address) == [.a1, .a2])
    }

    @Test(
        "Crossing I1s are answered with R2 on both sides",
        .requirement(
            "5533-7.4-01", "5533-7.9-09", "5533-B-09", "5533-B-10", "5533-7.16-03", "5533-7.10-04"))
    func crossingI1() {
        let pair = Pair()
        pair.trigger(.a)
        pair.trigger(.b)
        pair.run(for: .milliseconds(15))
        #expect(pair.a.state == .i1Sent)
        #expect(pair.b.state == .i1Sent)
        pair.run(for: .seconds(1))
        expectAgreement(pair)
        #expect(pair.log.compactMap(\.type) == [.i1, .i1, .r2, .r2])
    }

    @Test(
        "An I1 that crosses an I2 is answered with R2, and the I2 establishes the other side",
        .requirement("5533-7.4-02", "5533-7.9-10", "5533-7.13-13", "5533-B-11", "5533-B-18", "5533-B-17"))
    func crossingI2() {
        let pair = Pair()
        pair.trigger(.a)
        // B answers the I1 without keeping anything of it, and then begins by itself.
        pair.run(for: .milliseconds(15))
        pair.trigger(.b)
        pair.run(for: .milliseconds(10))
        #expect(pair.a.state == .i2Sent)
        #expect(pair.b.state == .i1Sent)
        pair.run(for: .milliseconds(8))
        pair.run(for: .seconds(1))
        expectAgreement(pair)
        #expect(pair.b.host.contexts.count == 1)
    }

    @Test("Both sides agree whatever is lost on the way", arguments: 1...200 as ClosedRange<UInt64>)
    func anyLoss(seed: UInt64) {
        let pair = Pair(seed: seed)
        var random = Seeded(seed)
        pair.fate = { _ in
            switch UInt.random(in: 0..<10, using: &random) {
            case 0...2: .drop
            case 3: .duplicate
            case 4: .delay(.milliseconds(Int.random(in: 0...3000, using: &random)))
            default: .deliver
            }
        }
        pair.trigger(.a)
        pair.run(for: .milliseconds(Int.random(in: 0...60, using: &random)))
        pair.trigger(.b)
        pair.run(for: .seconds(60))
        // Traffic goes on, so the heuristics fire again after a failure.
        pair.fate = { _ in .deliver }
        pair.run(for: .seconds(300), every: .seconds(1)) {
            pair.trigger(.a)
            pair.trigger(.b)
        }
        expectAgreement(pair)
    }
}
