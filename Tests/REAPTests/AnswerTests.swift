import REAP
import Requirements
import Shim6Wire
import Testing

/// What a machine answers to an event and a snapshot of the stamps, nothing of which it touches.
@Suite struct AnswerTests {
    /// A machine on its own; what it wants is looked at, not done.
    private struct Bare {
        var machine: REAPMachine
        private var random: RandomSource
        private let paths = SharedPaths()

        init() {
            random = RandomSource(SeededGenerator(seed: 1))
            machine = REAPMachine(
                current: pair(a1, b1), peerTag: ContextTag(truncating: 0xb), local: [a1, a2], peer: [b1, b2],
                configuration: .exact, random: &random)
        }

        mutating func handle(_ event: REAPEvent, _ activity: Activity, _ seconds: Double) -> REAPAnswer {
            machine.handle(event, activity: activity, paths: paths, random: random, at: at(seconds))
        }

        mutating func probe(_ state: ProbeState, _ activity: Activity, _ seconds: Double) -> REAPAnswer {
            let own = ProbeReport(source: b1, destination: a1, nonce: UInt32(seconds))
            let probe = Probe(receiverTag: ContextTag(truncating: 0xa), state: state, sent: [own])
            return handle(.probeReceived(probe, pair(b1, a1)), activity, seconds)
        }
    }

    @Test("An idle machine wants both reports, and arms what passed before they were asked for")
    func reports() {
        var bare = Bare()
        let answer = bare.handle(.established, Activity(), 1)
        #expect(answer.stamps.reportsIncoming && answer.stamps.reportsOutgoing && answer.stamps.requestsReports)
        #expect(answer.effects.isEmpty)
        let rest = bare.handle(.reportsRequested, Activity(lastOut: at(1), sendStart: at(1)), 1)
        #expect(rest.effects.contains(.arm(.send, at: at(16))))
        #expect(!rest.stamps.requestsReports)
    }

    @Test("A machine with a timer running wants no reports")
    func noReports() {
        var bare = Bare()
        let answer = bare.handle(.established, Activity(lastIn: at(1), keepStart: at(1)), 1)
        #expect(!answer.stamps.requestsReports)
        #expect(answer.effects.contains(.arm(.keepalive, at: at(6))))
    }

    @Test(
        "In a state that goes on START leaves a running timer alone, on entering one it counts from now",
        .requirement("5534-6-06", "5534-6.9-01", "5534-6.9-02", "5534-6.7-01"))
    func startCounts() {
        var bare = Bare()
        let staying = bare.probe(.operational, Activity(lastIn: at(1), keepStart: at(1)), 2)
        #expect(staying.stamps.send == .stop && staying.stamps.keepalive == .start)
        // The data path stamps in every state: here in InboundOk, where the Keepalive Timer does not exist.
        let leaving = bare.probe(.exploring, Activity(lastIn: at(1), keepStart: at(1)), 3)
        #expect(bare.machine.state == .inboundOk)
        #expect(leaving.stamps.send == .restart && leaving.stamps.keepalive == .stop)
        let entering = bare.probe(.operational, Activity(lastIn: at(4), keepStart: at(4)), 5)
        #expect(bare.machine.state == .operational)
        #expect(entering.stamps.send == .stop && entering.stamps.keepalive == .restart)
    }

    @Test("Payload that the data path has stamped costs no command in Operational and InboundOk")
    func stampedPayload() {
        var bare = Bare()
        let idle = bare.handle(.payloadReceived, Activity(lastIn: at(1), keepStart: at(1)), 1)
        #expect(idle.stamps.send == nil && idle.stamps.keepalive == nil)
        _ = bare.probe(.exploring, Activity(lastIn: at(1), keepStart: at(1)), 2)
        let probing = bare.handle(.payloadReceived, Activity(lastIn: at(3), sendStart: at(2), keepStart: at(3)), 3)
        #expect(probing.stamps.send == nil && probing.stamps.keepalive == nil)
    }

    @Test("What a timer is told", arguments: [nil, at(3)])
    func commands(start: Instant?) {
        #expect(TimerCommand.start.applied(to: start, at: at(7)) == start ?? at(7))
        #expect(TimerCommand.restart.applied(to: start, at: at(7)) == at(7))
        #expect(TimerCommand.stop.applied(to: start, at: at(7)) == nil)
    }
}
