import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// A prefix is over, and nobody says so: the address is still on the host, but nothing goes to it or from it any more.
@Suite struct RenumberingOnTheWireTests {
    private static func configuration(_ profile: HalfMadeContextsTests.Profile) -> HostConfiguration {
        var configuration = profile.configuration
        if profile == .rfc { configuration.reap.sendTimeout = .seconds(15) }
        return configuration
    }

    private static func payload(_ run: ScriptedRun, since start: Double) -> [SentPacket] {
        let payload = run.payload(since: start)
        #expect(payload.count > 5)
        return payload
    }

    @Test(
        "A session goes on from the new address of the only uplink", .requirement("5533-7.2-05"),
        arguments: HalfMadeContextsTests.Profile.allCases)
    func onlyUplink(profile: HalfMadeContextsTests.Profile) throws {
        let run = ScriptedRun(
            Self.configuration(profile), links: [1, 2], until: 50, [(20, .renumberUnannounced(host: 0, link: 0))])
        #expect(Self.payload(run, since: 40).allSatisfy { $0.hasTag && !$0.isLost }, "\(run.world.status)")
        // The peer was told by I2bis, since the new address was none of which it knew.
        #expect(!run.sent(.r1bis, from: 1).isEmpty)
        let context = try #require(run.context(1))
        #expect(run.world.addresses(of: 0).isSubset(of: context.peerLocators.map(\.address)))
    }

    @Test(
        "After minutes without an uplink a session goes on within five seconds from a new prefix on one of them",
        arguments: HalfMadeContextsTests.Profile.allCases, [0, 1])
    func afterAnOutage(profile: HalfMadeContextsTests.Profile, link: Int) {
        let cuts = Self.both(0).reduce([]) { $0 + .cut(at: 20, $1) }
        let run = ScriptedRun(
            Self.configuration(profile), until: 320,
            cuts + [(300, .renumberUnannounced(host: 0, link: link))] + .heal(at: 300, SimulationTests.link(0, link)))
        #expect(Self.payload(run, since: 305).allSatisfy { $0.hasTag && !$0.isLost }, "\(run.world.status)")
    }

    @Test("The same when one link of the peer is dead as well", arguments: [0, 1])
    func withADeadPeerLink(link: Int) {
        // The session has used the other one, which so has shown that it gets what is sent there.
        let cuts = Self.both(0).reduce([]) { $0 + .cut(at: 60, $1) } + .cut(at: 20, SimulationTests.link(1, link))
        let run = ScriptedRun(
            Self.configuration(.rfc), until: 320,
            cuts + [(300, .renumberUnannounced(host: 0, link: 0))] + .heal(at: 300, SimulationTests.link(0, 0)))
        #expect(Self.payload(run, since: 305).allSatisfy { $0.hasTag && !$0.isLost }, "\(run.world.status)")
    }

    @Test("A session that is idle then goes on when it is used again")
    func idle() {
        let run = ScriptedRun(
            Self.configuration(.rfc), links: [1, 2], until: 260,
            [
                (10, .mode(flow: 0, .silent)), (20, .renumberUnannounced(host: 0, link: 0)),
                (200, .mode(flow: 0, .bothWays)),
            ])
        #expect(Self.payload(run, since: 220).allSatisfy { $0.hasTag && !$0.isLost }, "\(run.world.status)")
    }

    @Test("It is noticed if nothing leaves from the new address")
    func sabotaged() {
        let run = ScriptedRun(
            Self.configuration(.fast), links: [1, 2], sabotage: .newPrefixesUnused, until: 50,
            [(20, .renumberUnannounced(host: 0, link: 0))])
        #expect(run.payload(since: 40).filter { $0.host == 0 }.allSatisfy { $0.path == nil })
    }

    private static func both(_ host: Int) -> [[Network.HalfLink]] { (0...1).map { SimulationTests.link(host, $0) } }
}
