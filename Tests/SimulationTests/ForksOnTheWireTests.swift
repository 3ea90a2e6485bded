import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// RFC 5533, sections 4.2, 7.7, 7.11 and 7.18: forked contexts, and contexts made over other locators than their ULIDs,
/// seen on the network between two whole hosts.
@Suite struct ForksOnTheWireTests {
    @Test(
        "A fork is made with its Forked Instance Identifier in I1 and I2",
        .requirement("5533-5.4-10", "5533-5.6-12", "5533-7.7-05", "5533-7.11-11"))
    func identifiers() throws {
        let run = ScriptedRun(quiet: .exact, until: 8, [(5, .fork(host: 0, flow: 0))])
        let (i1, i2) = (run.sent(.i1).compactMap(\.i1), run.sent(.i2).compactMap(\.i2))
        #expect(i1.count == 2 && i2.count == 2)
        #expect(i1.first?.forkedInstance == nil && i2.first?.forkedInstance == nil)
        let fork = try #require(run.world.contexts(of: 0).first { $0.forkedInstance != 0 })
        #expect(i1.last?.forkedInstance == fork.forkedInstance)
        #expect(i2.last?.forkedInstance == fork.forkedInstance)
        let other = try #require(run.world.contexts(of: 1).first { $0.forkedInstance == fork.forkedInstance })
        #expect(fork.state == .established && fork.peerTag == other.localTag && other.peerTag == fork.localTag)
    }

    @Test(
        "Over other locators the exchange names the ULIDs in an option",
        .requirement("5533-5.4-09", "5533-7.7-04", "5533-5.6-11", "5533-7.11-10", "5533-5.15.6-04"))
    func overOtherLocators() throws {
        let run = ScriptedRun(.exact, until: 60, .cut(at: 10, link(0, 0)) + [(40, .fork(host: 0, flow: 0))])
        let context = try #require(run.context(0))
        let ulids = ULIDPairOption(sender: context.ulids.local, receiver: context.ulids.peer)
        let (i1, i2) = (try #require(run.sent(.i1).last), try #require(run.sent(.i2).last))
        #expect(i1.seconds == 40 && i1.addresses != [ulids.sender, ulids.receiver])
        #expect(i1.i1?.ulidPair == ulids)
        #expect(i2.addresses == i1.addresses && i2.i2?.ulidPair == ulids)
        #expect(run.world.contexts(of: 0).count == 2 && run.world.contexts(of: 1).count == 2)
        #expect(run.world.contexts(of: 1).allSatisfy { $0.state == .established })
    }

    @Test("A fork that the peer has lost is recovered as a fork", .requirement("5533-5.9-12", "5533-7.18-10"))
    func recovered() throws {
        let run = ScriptedRun(
            quiet: .exact, until: 40,
            [
                (5, .fork(host: 0, flow: 0)), (10, .stop(host: 1, byCrash: true)), (10.1, .start(host: 1)),
                (11, .removeLocator(host: 0, link: 1)),
            ])
        let identifiers = Set(run.sent(.i2bis, from: 0).map { $0.i2bis?.forkedInstance ?? 0 })
        #expect(identifiers == Set(run.world.contexts(of: 0).map(\.forkedInstance)))
        #expect(identifiers.count == 2)
        #expect(Set(run.world.contexts(of: 1).map(\.forkedInstance)) == identifiers)
    }
}
