import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// RFC 5533, sections 7.8, 7.12 and 10.2, seen on the network between two whole hosts.
@Suite struct RetransmissionOnTheWireTests {
    /// Waits between messages are nominal times 0.5 to 1.5, the nominal ones doubling from 4 s on.
    private static func isBackedOff(_ messages: [ScriptedRun.Message], maximum: Double = .infinity) -> Bool {
        zip(messages, messages.dropFirst()).enumerated().allSatisfy { index, pair in
            let nominal = min(Double(4 << index), maximum)
            return (nominal / 2...nominal * 1.5).contains(pair.1.seconds - pair.0.seconds)
        }
    }

    /// Whether waits differ from their nominal values, and not all by the same factor.
    private static func isRandomised(_ messages: [ScriptedRun.Message]) -> Bool {
        let factors = zip(messages, messages.dropFirst()).enumerated().map { index, pair in
            (pair.1.seconds - pair.0.seconds) / Double(4 << index)
        }
        return zip(factors, factors.dropFirst()).allSatisfy { abs($0 - $1) > 0.001 }
    }

    @Test(
        "I1 is sent five times, ever more slowly, and then no more",
        .requirement("5533-7.8-01", "5533-7.8-02", "5533-7.8-03", "5533-7.8-04"))
    func unanswered() {
        let run = ScriptedRun(quiet: .exact, until: 400, [(0.5, .stop(host: 1, byCrash: true))])
        let sent = run.sent(.i1)
        #expect(sent.count == 5)
        #expect(Set(sent.map(\.octets)).count == 1)
        #expect(Self.isBackedOff(sent))
        #expect(Self.isRandomised(sent))
        #expect(run.messages.count == 5)
        #expect(run.world.contexts(of: 0).isEmpty)
    }

    @Test(
        "I2 is repeated twice at most; then the host goes back to I1",
        .requirement("5533-7.12-01", "5533-7.12-02", "5533-7.12-03"))
    func unansweredI2() throws {
        // The way back is cut when the R1 has come.
        let back = (0..<4).map { Network.Path(fromHost: 1, fromLink: $0 >> 1, toLink: $0 & 1) }
        let run = ScriptedRun(quiet: .exact, until: 100, back.map { (1.025, .cutPath($0)) })
        let first = run.messages.filter { $0.host == 0 }.prefix { $0.content.type != .i1 || $0.seconds < 1.5 }
        #expect(first.map(\.content.type) == [.i1, .i2, .i2, .i2])
        let repeated = Array(first.dropFirst())
        #expect(Self.isBackedOff(repeated))
        #expect(Self.isRandomised(repeated))
        #expect(Set(repeated.map(\.octets)).count == 1)
        #expect(run.sent(.i1).count > 1)
    }

    @Test(
        "A Parameter Problem about the I1 ends the exchange at once, and for long",
        .requirement("5533-7.8-07"))
    func refused() throws {
        let run = ScriptedRun(
            quiet: .exact, until: 500,
            [
                (0.5, .stop(host: 1, byCrash: true)), (1.2, .refuseLast(host: 0)),
                (100, .trigger(host: 0, flow: 0)), (300, .trigger(host: 0, flow: 0)),
            ])
        #expect(run.sent(.i1).count == 1)
        #expect(run.context(0)?.state == .noSupport)
    }

    @Test(
        "An Update Request is repeated without end, ever more slowly up to two minutes",
        .requirement("5533-10.2-01", "5533-10.2-02", "5533-10.2-03", "5533-10.2-04", "5533-10.1-05"))
    func unansweredUpdate() {
        var configuration = HostConfiguration.exact
        configuration.idleTimeout = .seconds(100_000)
        let run = ScriptedRun(
            quiet: configuration, until: 1500,
            [(5, .stop(host: 1, byCrash: true)), (10, .removeLocator(host: 0, link: 1))])
        let sent = run.sent(.updateRequest)
        #expect(sent.count >= 10)
        #expect(Set(sent.map { $0.updateRequest?.requestNonce }).count == 1)
        #expect(Set(sent.map(\.octets)).count == 1)
        #expect(Self.isBackedOff(sent, maximum: 120))
        #expect(Self.isRandomised(Array(sent.prefix(5))))
        #expect((sent.last?.seconds ?? 0) > 1300)
    }
}
