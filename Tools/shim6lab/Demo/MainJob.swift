import Foundation
import Lab
import Shim6Control
import Shim6Wire

/// The main job: a download, a UDP application and a ping outlive the failures of uplinks.
final class MainJob {
    private let laboratory: Laboratory
    private let story: Story
    private let dead: Double
    private let down: Double
    private let rate: Int
    /// Whether the download is longer than the story, however slow the machine.
    private let endless: Bool
    private let pair: Pair
    private var failures: [(name: String, begin: Clock.Moment)] = []

    /// The xfrm data path knows to the second when payload came in. Whether the direction to the peer still works is told by what
    /// came in during the second half of the Send Timeout.
    private static let sendTimeoutOverXFRM = 6.0

    init(
        _ laboratory: Laboratory, _ story: Story, dead: Double, down: Double, hold: Double, rate: Int,
        endless: Bool, drivers: (a: String, b: String)
    ) throws {
        self.laboratory = laboratory
        self.story = story
        self.dead = dead
        self.down = down
        self.rate = rate
        self.endless = endless
        story.chapter("Host A (a1, a2) and host B (b1, b2), and the Internet between their four uplinks")
        // Payload goes back to the first uplinks when they work again: so each failure is one of uplinks in use.
        let sendTimeout = [drivers.a, drivers.b].contains("xfrm") ? Self.sendTimeoutOverXFRM : 1.0
        func settings(_ driver: String) -> Daemon.Settings {
            var settings = Daemon.Settings(driver: driver)
            settings.sections["reap"] = ["send-timeout = \(sendTimeout)", "failback-hold = \(Int(hold))"]
            return settings
        }
        pair = try Pair(laboratory, a: settings(drivers.a), b: settings(drivers.b))
    }

    func play() throws {
        do {
            try steps()
        } catch let error as LabError {
            story.tell("\n" + pair.lastWords())
            throw error
        }
    }

    private func steps() throws {
        try pair.start()
        for (device, locator) in pair.locators.sorted(by: { $0.key < $1.key }) {
            story.say("\(device): \(locator), made from the host's key (CGA)")
        }
        let feeds = [try EventFeed(laboratory, pair.a), try EventFeed(laboratory, pair.b)]
        laboratory.whileWaiting = { [story, pair] in
            let events = feeds.flatMap { feed in feed.next().map { (feed.host, $0) } }
            for (host, event) in events.sorted(by: { $0.1.at.monotonicNs < $1.1.at.monotonicNs }) {
                story.tell(event, host: host, pair: pair)
            }
        }
        defer { laboratory.whileWaiting = {} }
        let wire = try WireWatch(pair.topology)

        story.chapter("A downloads from B; 50 UDP packets a second and pings both ways run beside it")
        let (a, b) = (pair.a.namespace, pair.b.namespace)
        let (local, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
        let octets = rate * Int(2 * dead + down + (endless ? 400 : 100))
        let download = try Download(laboratory, from: b, peer, to: a, local, size: octets, rate: rate)
        let echo = try laboratory.echo(from: a, local, to: b, peer)
        let ping = try laboratory.start(["ping", "-i0.2", "-I", local, peer], in: a, log: "ping.log")
        // B has something to say also when it hears nothing.
        try laboratory.start(["ping", "-q", "-i0.2", "-I", peer, local], in: b, log: "ping-b.log")
        try establish()

        try silentLink(wire, download)
        try oneWayFailure(wire, download)
        try interfaceDown(wire, download)

        story.chapter("The end")
        if endless {
            let octets = try download.cutShort()
            story.expect("the download has gone on to the end: \(octets) octets with the right SHA-256", octets > rate)
        } else {
            try story.expect("the download ends by itself and its SHA-256 is right") {
                try download.finish(upTo: 120)
            }
        }
        let record = try echo.stop()
        ping.end(with: SIGINT)
        try judge(record, ping: ping.text)
        let (messages, wrong) = try wire.check()
        story.expect(
            "tshark finds nothing wrong with \(messages) control messages", messages > 0 && wrong.isEmpty,
            otherwise: wrong.prefix(5).joined(separator: "; "))
        for feed in feeds { feed.stop() }
        for daemon in [pair.a, pair.b] {
            story.expect("shim6d on host \(daemon.host) ends when it is told to", daemon.stop() == 0)
        }
    }

    // MARK: - Steps

    private func establish() throws {
        let (a, b) = try pair.waitUntilEstablished()
        for (host, context, count) in [("a", a, 2), ("b", b, 2)] {
            let locators = context.peerLocators.locators
            let verified = locators.filter(\.verified)
            story.expect(
                "context \(context.summary.tag) of host \(host) is ESTABLISHED, \(count) locators verified",
                verified.count == count && locators.count == count, otherwise: "\(locators)")
        }
        try laboratory.pass(seconds: 3)
    }

    private func silentLink(_ wire: WireWatch, _ download: Download) throws {
        story.chapter("Link a1 goes silent both ways, for \(Int(dead)) s")
        let a1 = pair.topology.uplink("a1")
        let begin = try fail("link a1 goes silent") { try pair.topology.cut(a1) }
        let moved = try pair.waitUntilMoved(to: "payload to leave a1 in both directions") { [pair] a, b in
            a.source == pair.locator("a2") && b.destination == pair.locator("a2")
        }
        try surviveDead(begin, wire, download, moved)
        try pair.topology.heal(a1)
        story.say("a1 heals")
        try returned()
    }

    /// What B gets fails on b1. The other direction goes on as it was.
    private func oneWayFailure(_ wire: WireWatch, _ download: Download) throws {
        story.chapter("b1 fails towards B only, for \(Int(dead)) s")
        let b1 = pair.topology.uplink("b1")
        let begin = try fail("b1 fails towards B") { try pair.topology.cutBehindRouter(b1, .toHost) }
        let moved = try pair.waitUntilMoved(to: "payload to B to arrive by b2") { [pair] a, _ in
            a.destination == pair.locator("b2")
        }
        try surviveDead(begin, wire, download, moved)
        let (a, b) = (try pair.contextOfA()?.summary.outgoing, try pair.contextOfB()?.summary.outgoing)
        story.expect(
            "the two directions use different locator pairs: \(a.map(pair.name) ?? "none") and \(b.map(pair.name) ?? "none")",
            a?.destination == pair.locator("b2") && b != nil && b != a?.reversed)
        try pair.topology.heal(b1)
        story.say("b1 heals")
        try returned()
    }

    /// Waits until payload is back on the first uplinks, in both directions.
    private func returned() throws {
        let ulids = LocatorPair(source: pair.ulidOfA, destination: pair.ulidOfB)
        _ = try pair.waitUntilMoved(to: "payload to return to a1 and b1", upTo: 90) { a, b in
            a == ulids && b == ulids.reversed
        }
        story.say("payload is back on a1 and b1, without the payload header")
        try laboratory.pass(seconds: 5)
    }

    private func interfaceDown(_ wire: WireWatch, _ download: Download) throws {
        story.chapter("a1, whose address is A's ULID, is set down for \(Int(down)) s")
        let a1 = pair.topology.uplink("a1")
        let before = download.received
        let begin = try fail("a1 is set down") {
            let begin = Clock.now
            try pair.topology.lower(a1)
            return begin
        }
        try pair.wait(until: pair.locator("a1"), isOffered: false, to: pair.b)
        story.expect(
            "B has a1 no more as a locator, and still as the ULID",
            try pair.contextOfB()?.summary.ulids.peer == pair.locator("a1"))
        let moved = try pair.waitUntilMoved(to: "payload to avoid a1") { [pair] a, b in
            a.source != pair.locator("a1") && b.destination != pair.locator("a1")
        }
        try laboratory.pass(seconds: max(0, down - (Clock.now - begin).seconds))
        try captured(moved, wire, since: begin)
        try goesOn(download, from: before, "the download has gone on")
        try pair.topology.raise(a1)
        story.say("a1 is up again")
        try story.expect("B has a1 as a locator again") {
            try pair.wait(until: pair.locator("a1"), isOffered: true, to: pair.b)
        }
        try laboratory.pass(seconds: 5)
        let context = try pair.contextOfA()
        story.expect(
            "the session is still that of the same ULIDs", context?.summary.state == "ESTABLISHED",
            otherwise: "the context is \(context?.summary.state ?? "gone")")
    }

    // MARK: - What every failure has in common

    private func fail(_ name: String, _ cause: () throws -> Clock.Moment) throws -> Clock.Moment {
        let begin = try cause()
        story.say("-- \(name)")
        failures.append((name, begin))
        return begin
    }

    /// Lets the links be dead for their time, with everything going on.
    private func surviveDead(
        _ begin: Clock.Moment, _ wire: WireWatch, _ download: Download, _ moved: (a: LocatorPair, b: LocatorPair)
    ) throws {
        story.say("payload has moved: A sends on \(pair.name(moved.a)), B on \(pair.name(moved.b))")
        try laboratory.pass(seconds: max(0, dead - 5 - (Clock.now - begin).seconds))
        let before = download.received
        let late = Clock.now
        try laboratory.pass(seconds: 5)
        try goesOn(
            download, from: before, "after \(Int((Clock.now - begin).seconds)) s dead the download still goes on")
        // Payload may have gone on to a pair that is better and works.
        guard let a = try pair.contextOfA()?.summary.outgoing, let b = try pair.contextOfB()?.summary.outgoing else {
            throw LabError("the context is gone")
        }
        try captured((a, b), wire, since: late)
    }

    /// TCP may wait long for its next retransmission, and a busy machine for its processor.
    private func goesOn(_ download: Download, from before: Int, _ claim: String) throws {
        try story.expect(claim) {
            try laboratory.wait(until: "more of the download", upTo: 60) {
                download.isRunning && download.received > before
            }
        }
    }

    /// Payload of rehomed directions has to carry the payload extension header on the wire.
    private func captured(
        _ moved: (a: LocatorPair, b: LocatorPair), _ wire: WireWatch, since begin: Clock.Moment
    ) throws {
        let ulids = LocatorPair(source: pair.ulidOfA, destination: pair.ulidOfB)
        for used in [moved.a, moved.b] where used != ulids && used != ulids.reversed {
            let device = pair.name(used.destination)
            let packets = try wire.payload(on: device, used, since: begin)
            if packets.last?.homeAddresses != nil {
                let pairs = Set(packets.map(\.homeAddresses))
                story.expect(
                    "payload on \(pair.name(used)) has a type 2 routing header and a Home Address option with the "
                        + "ULIDs (\(packets.count) packets)",
                    packets.count > 10 && pairs.count == 1 && (pairs.contains(ulids) || pairs.contains(ulids.reversed)),
                    otherwise: "\(pairs)")
                continue
            }
            let tags = Set(packets.compactMap(\.tag))
            story.expect(
                "payload on \(pair.name(used)) has next header 140 and one context tag (\(packets.count) packets)",
                packets.count > 10 && tags.count == 1, otherwise: "tags \(tags)")
        }
    }

    /// Timelines, and what the applications saw.
    private func judge(_ record: Echo.Record, ping: String) throws {
        let timelines = ["a": try pair.a.timeline(), "b": try pair.b.timeline()]
        let nexts = failures.dropFirst().map { Optional($0.begin) } + [nil]
        let reports = zip(failures, nexts).map { failure, next in
            FailureReport(
                failure.name, at: failure.begin, before: next, timelines: timelines, application: record)
        }
        for report in reports {
            story.chapter("Timeline: \(report.name)")
            for line in report.lines(name: pair.name) { story.tell(line) }
            story.expect(
                "the timeline is complete", report.omissions.isEmpty,
                otherwise: "without " + report.omissions.joined(separator: ", "))
        }
        story.chapter("The applications")
        let losses = record.losses
        let strays = losses.filter { loss in
            !reports.contains { report in
                report.lastSwitch.map { loss >= report.begin && loss <= $0 + .seconds(1) } ?? false
            }
        }
        story.expect(
            "of \(record.sent.count) UDP packets \(losses.count) were lost, all between a failure and 1 s after its switch",
            strays.isEmpty && !record.sent.isEmpty,
            otherwise: "\(strays.count) were lost at other times: "
                + strays.prefix(5).map { String(format: "%.2f", story.seconds(at: $0)) }.joined(separator: ", "))
        let replies = ping.firstMatch(of: /(\d+) packets transmitted, (\d+) received/)
        story.expect(
            "ping has gone on: \(replies.map { "\($0.2) replies to \($0.1) requests" } ?? "no summary")",
            replies.flatMap { Int($0.2) }.map { $0 > 0 } ?? false)
    }
}
