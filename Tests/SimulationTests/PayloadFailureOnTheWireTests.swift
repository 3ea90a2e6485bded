import REAP
import Shim6Core
import Simulation
import Testing

/// Paths that pass messages and drop payload, and lines that come back after long, between two whole hosts.
@Suite struct PayloadFailureOnTheWireTests {
    enum Profile: CaseIterable, Sendable {
        case rfc, fast

        var configuration: HostConfiguration {
            var configuration = HostConfiguration.exact
            if self == .fast {
                configuration.reap.quick = QuickDetection()
                configuration.reap.sendTimeout = .milliseconds(250)
            }
            return configuration
        }
    }

    private static let way = Network.Path(fromHost: 0, fromLink: 0, toLink: 0)
    private static let back = Network.Path(fromHost: 1, fromLink: 0, toLink: 0)

    @Test("A path that drops payload is left, though all messages pass", arguments: Profile.allCases)
    func droppedPayload(profile: Profile) throws {
        let run = ScriptedRun(
            profile.configuration, until: 120,
            [(30, .dropPayload(Self.way, flow: 0)), (30, .dropPayload(Self.back, flow: 0))])
        let lost = run.payload(since: 30).filter(\.isLost)
        #expect(try #require(lost.last).seconds < (profile == .fast ? 38 : 47))
        #expect(run.messages.allSatisfy { !$0.isLost })
        #expect(run.context(0)?.counters.switches == 1 && run.context(1)?.counters.switches == 1)
    }

    @Test("Of a path that drops payload one way, that direction is left", arguments: Profile.allCases)
    func droppedOneWay(profile: Profile) throws {
        let run = ScriptedRun(profile.configuration, until: 200, [(30, .dropPayload(Self.way, flow: 0))])
        let lost = run.payload(since: 30).filter(\.isLost)
        #expect(try #require(lost.last).seconds < 150)
        #expect(run.context(0)?.isRehomed == true)
    }

    @Test("In the profile fast payload is back five seconds after a line is")
    func outage() throws {
        let run = ScriptedRun(
            Profile.fast.configuration, until: 170,
            .cut(at: 30, link(0, 0) + link(0, 1)) + .heal(at: 150, link(0, 1)))
        let first = try #require(run.payload(since: 150).first { !$0.isLost })
        #expect(first.seconds < 156.5)
    }
}
