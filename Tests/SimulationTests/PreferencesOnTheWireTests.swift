import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// RFC 5533, sections 5.15.3 and 10: Locator Preferences between two whole hosts.
@Suite struct PreferencesOnTheWireTests {
    private typealias Element = LocatorPreferences.Element

    private static let transient = Element(flags: .transient, priority: 5, weight: 2)

    @Test(
        "I2 and R2 tell preferences that are not all the same, with the generation of the list beside them",
        .requirement("5533-5.6-15", "5533-5.7-09", "5533-10.1-04"))
    func establishment() throws {
        let run = ScriptedRun(
            quiet: .exact, until: 5,
            [(0.5, .prefer(host: 0, link: 1, Self.transient)), (0.5, .prefer(host: 1, link: 0, Self.transient))])
        let i2 = try #require(run.sent(.i2).first?.i2?.options)
        let r2 = try #require(run.sent(.r2).first?.r2?.options)
        for options in [i2, r2] {
            #expect(options.locatorPreferences?.generation == options.locatorList?.generation)
            #expect(options.locatorPreferences?.elements.count == 2)
        }
        for host in 0...1 {
            let locators = try #require(run.context(1 - host)?.peerLocators)
            #expect(locators.filter { $0.preference == Self.transient }.count == 1)
            #expect(locators.contains { $0.address == run.context(host)?.ulids.local })
        }
    }

    @Test(
        "Changed preferences go out in an Update Request that names the list which the peer has",
        .requirement("5533-10.1-02", "5533-10.1-04"))
    func update() throws {
        let run = ScriptedRun(quiet: .exact, until: 20, [(10, .prefer(host: 0, link: 1, Self.transient))])
        let requests = run.sent(.updateRequest).compactMap(\.updateRequest)
        #expect(requests.count == 1)
        let options = try #require(requests.first?.options)
        let list = try #require(run.sent(.i2).first?.i2?.options.locatorList)
        #expect(options.locatorList == nil)
        #expect(options.locatorPreferences?.generation == list.generation)
        #expect(options.locatorPreferences?.elements == [Element(), Self.transient])
        #expect(run.sent(.updateAcknowledgement).count == 1)
        #expect(run.context(1)?.peerLocators.map(\.preference) == [Element(), Self.transient])
    }

    @Test("I2bis tells them to a host that has lost all", .requirement("5533-5.9-16"))
    func recovery() throws {
        let run = ScriptedRun(
            quiet: .exact, until: 30,
            [
                (0.5, .prefer(host: 0, link: 0, Self.transient)), (10, .stop(host: 1, byCrash: true)),
                (10.1, .start(host: 1)), (11, .renumber(host: 0, link: 1)),
            ])
        let options = try #require(run.sent(.i2bis, from: 0).first?.i2bis?.options)
        #expect(options.locatorPreferences?.elements.contains(Self.transient) == true)
        #expect(options.locatorPreferences?.generation == options.locatorList?.generation)
        #expect(run.context(1)?.peerLocators.contains { $0.preference == Self.transient } == true)
    }

    @Test(
        "A current locator that the peer calls BROKEN is left when a Probe has shown another one to work, not before",
        .requirement("5533-4-09", "5533-10.4-18"))
    func broken() throws {
        let run = ScriptedRun(.exact, until: 60, [(20, .prefer(host: 1, link: 0, Element(flags: .broken)))])
        let context = try #require(run.context(0))
        let other = try #require(context.peerLocators.first { $0.address != context.ulids.peer }?.address)
        let told = try #require(run.sent(.updateRequest, from: 1).first)
        let moved = try #require(run.payload(since: told.seconds).first { $0.host == 0 && $0.destination == other })
        let answered = try #require(
            run.reachability(since: told.seconds, from: 1).first { message in
                message.probe?.received.contains { $0.destination == other } == true
            })
        #expect(run.reachability(since: told.seconds, from: 0).contains { $0.destination == other })
        #expect(moved.seconds > answered.seconds)
        // Payload does not stop meanwhile.
        #expect(run.payload(since: 0).allSatisfy { !$0.isLost })
    }

    @Test(
        "A host with a hundred locators tells of as many as a packet of 1280 octets takes", .requirement("5533-5.1-04"))
    func manyLocators() throws {
        var configuration = HostConfiguration.exact
        configuration.maximumLocators = 255
        let run = ScriptedRun(
            quiet: configuration, links: [100, 2], until: 20,
            [(0.5, .prefer(host: 0, link: 1, Self.transient)), (10, .renumber(host: 0, link: 3))])
        #expect([0, 1].allSatisfy { run.context($0)?.state == .established })
        #expect(!run.sent(.updateRequest, from: 0).isEmpty)
        #expect((run.context(1)?.peerLocators.count ?? 0) > 40)
        let ipv6Header = 40
        #expect(run.messages.allSatisfy { ipv6Header + $0.octets.count <= 1280 })
        #expect(run.messages.contains { ipv6Header + $0.octets.count > 1100 })
    }

    @Test(
        "A host with one address that nothing proves tells no list, and sends to the other locators of its peer",
        .requirement("5533-3-03"))
    func unproven() throws {
        let run = ScriptedRun(.exact, unproven: [0], links: [1, 2], until: 60, .cut(at: 20, link(1, 0)))
        let options = try #require(run.sent(.i2, from: 0).first?.i2?.options)
        #expect(options.locatorList == nil && options.cgaParameters == nil && options.cgaSignature == nil)
        let context = try #require(run.context(0))
        #expect(context.state == .established && context.peerLocators.count == 2)
        let late = run.payload(since: 50).filter { $0.host == 0 }
        #expect(!late.isEmpty)
        #expect(late.allSatisfy { $0.destination != context.ulids.peer && !$0.isLost })
    }
}
