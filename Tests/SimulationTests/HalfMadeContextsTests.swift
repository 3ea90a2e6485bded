import REAP
import Requirements
import Shim6Core
import Shim6Wire
import Simulation
import Testing

/// Whatever message of an exchange is the last that gets through on some paths, payload goes on over those that are left:
/// no host believes in a context that the other one cannot come to know of.
@Suite struct HalfMadeContextsTests {
    /// What is under way between two hosts with two links each, whose sessions use their links 0.
    enum Exchange: CaseIterable {
        /// Host 0 begins.
        case establishment
        /// Both begin at once.
        case crossing
        /// The same, and the I1 of host 1 is lost.
        case crossingWithLoss
        /// Host 1 has lost a context that is in use on another pair.
        case recovery
        /// Host 0 gets another address on its link 1.
        case update

        /// When it begins.
        var start: Double { self == .recovery || self == .update ? 12 : 1 }

        var actions: [(seconds: Double, action: Scenario.Action)] {
            let payload: [(seconds: Double, action: Scenario.Action)] = [
                (0, .mode(flow: 0, .silent)), (1, .mode(flow: 0, .bothWays)),
            ]
            let begin: [(seconds: Double, action: Scenario.Action)] = [(1, .establish(host: 0, flow: 0))]
            let both = begin + [(1, .establish(host: 1, flow: 0))]
            let way = Network.Path(fromHost: 1, fromLink: 0, toLink: 0)
            switch self {
            case .establishment: return payload + begin
            case .crossing: return payload + both
            case .crossingWithLoss: return payload + both + [(0.999, .cutPath(way)), (1.001, .healPath(way))]
            case .recovery:
                return payload + begin + .cut(at: 3, link(0, 0)) + .heal(at: 11.5, link(0, 0))
                    + [(11.9, .stop(host: 1, byCrash: true)), (11.95, .start(host: 1))]
            case .update: return payload + begin + [(12, .renumber(host: 0, link: 1))]
            }
        }
    }

    enum Profile: CaseIterable {
        case rfc, fast

        var configuration: HostConfiguration {
            var configuration = HostConfiguration.exact
            configuration.reap.sendTimeout = self == .rfc ? .seconds(3) : .milliseconds(250)
            if self == .fast { configuration.reap.quick = QuickDetection() }
            return configuration
        }

        var sendTimeout: Double { self == .rfc ? 3 : 1 }
    }

    /// What is cut from then on.
    enum Cut: CaseIterable {
        case allButOne, one, allButOneOfOneDirection, allButOneOfTheOther

        func paths(_ pair: (Int, Int)) -> [Network.Path] {
            var paths: [Network.Path] = []
            for own in 0...1 {
                for theirs in 0...1 where ((own, theirs) == pair) == (self == .one) {
                    let there = Network.Path(fromHost: 0, fromLink: own, toLink: theirs)
                    let back = Network.Path(fromHost: 1, fromLink: theirs, toLink: own)
                    if self != .allButOneOfTheOther { paths.append(there) }
                    if self != .allButOneOfOneDirection { paths.append(back) }
                }
            }
            return paths
        }
    }

    private static func world(
        _ exchange: Exchange, _ profile: Profile, until end: Double,
        _ actions: [(seconds: Double, action: Scenario.Action)] = [], sabotage: Sabotage = .none
    ) -> World {
        let script = (exchange.actions + actions).sorted { $0.seconds < $1.seconds }
        let world = World(
            Scenario(
                configuration: profile.configuration, flows: [Scenario.Flow(interval: 0.08)],
                actions: script + [(end, .finish)]), sabotage: sabotage)
        world.run()
        return world
    }

    private static let pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]

    /// How long nobody may know of the failure: where only one direction fails, until I1, I2 or I2bis is repeated; and an
    /// exploration that was under way may have just found what is cut then, and have doubled its time between Probes.
    private static func patience(_ cut: Cut, _ exchange: Exchange, _ profile: Profile) -> Double {
        let repetition = cut == .one || cut == .allButOne ? 0 : 20.0
        return repetition + (exchange == .recovery ? 5 : 0)
    }

    @Test(
        "Cuts after any message of an exchange cost a Send Timeout and two seconds at most",
        .requirement("5533-7.4-01", "5533-7.5-01"), arguments: Exchange.allCases, Profile.allCases)
    func anyMessage(exchange: Exchange, profile: Profile) {
        let whole = Self.world(exchange, profile, until: exchange.start + 1)
        let moments = whole.record.messages.map(\.seconds).filter { $0 >= exchange.start - 0.001 }
        #expect(moments.count >= 2)
        var judged = 0
        // A message that is on its way, and one that has just arrived.
        for moment in Set(moments.flatMap { [$0 + 0.001, $0 + 0.0105] }).sorted() {
            let before = Self.world(exchange, profile, until: moment)
            let isKnown = (0...1).contains { host in
                before.contexts(of: host).contains { $0.state == .established || $0.state == .i2bisSent }
            }
            for cut in Cut.allCases {
                for pair in Self.pairs where isKnown || (cut != .one && pair == (0, 0)) {
                    judged += 1
                    let back = moment + profile.sendTimeout + 2 + Self.patience(cut, exchange, profile)
                    let world = Self.world(
                        exchange, profile, until: back + 3,
                        cut.paths(pair).map { (moment, .cutPath($0)) } + [(back, .measure), (back + 2.9, .silence)])
                    let ways = world.measured(flow: 0)
                    #expect(
                        world.failure == nil && ways.allSatisfy { $0.sent > 10 && $0.delivered >= $0.sent - 1 },
                        "\(exchange) \(profile) \(cut) \(pair) at \(moment): \(ways) \(world.status)")
                }
            }
        }
        #expect(judged > 20)
    }

    @Test("It is noticed if I1 goes nowhere but between the ULIDs")
    func sabotaged() throws {
        let r2 = try #require(Self.world(.establishment, .rfc, until: 2).record.messages.sent(.r2).first)
        let (moment, back) = (r2.seconds + 0.001, r2.seconds + Profile.rfc.sendTimeout + 2)
        let delivered = [Sabotage.none, .otherPairsUnasked].map { sabotage in
            Self.world(
                .establishment, .rfc, until: back + 3,
                Cut.allButOne.paths((1, 1)).map { (moment, .cutPath($0)) } + [
                    (back, .measure), (back + 2.9, .silence),
                ],
                sabotage: sabotage
            ).measured(flow: 0).map(\.delivered)
        }
        #expect(delivered[0].allSatisfy { $0 > 10 } && delivered[1] == [0, 0])
    }
}
