import ArgumentParser
import Foundation
import Lab
import Shim6Wire

/// One failure over lines that delay and lose packets. Needs a kernel with netem: the guest test's.
struct Failover: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "One silent failure over lines that delay and lose packets.")

    @Option(help: "Milliseconds each way.") var delay = 20
    @Option(help: "Per cent of the packets lost each way.") var loss = 1.0
    @Option(help: "Seconds for which the uplink stays dead.") var dead = 40.0

    @Option(help: "Data path of both hosts.") var driver = "auto"

    func run() throws {
        Interruption.catchSignals()
        let story = Story()
        let laboratory = try Laboratory()
        defer { laboratory.close() }
        let settings = Daemon.Settings(driver: driver)
        let pair = try Pair(laboratory, a: settings, b: settings)
        do {
            try play(pair, story)
        } catch {
            story.tell("\(error)\n\(pair.lastWords())")
            throw ExitCode.failure
        }
        guard story.failures.isEmpty else {
            story.tell(pair.lastWords())
            throw ExitCode.failure
        }
        story.tell("verdict: PASSED (\(story.held) claims held)")
    }

    private func play(_ pair: Pair, _ story: Story) throws {
        let laboratory = pair.laboratory
        for uplink in pair.topology.uplinks {
            try pair.topology.stretch(uplink, milliseconds: delay, lossPercent: loss)
        }
        try pair.start()
        let (a, b) = (pair.a.namespace, pair.b.namespace)
        let (local, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
        let download = try Download(
            laboratory, from: b, peer, to: a, local, size: Int(dead + 10) * 100_000, rate: 100_000)
        let echo = try laboratory.echo(from: a, local, to: b, peer)
        let contexts = try pair.waitUntilEstablished(upTo: 60)
        for context in [contexts.a, contexts.b] {
            let verified = context.peerLocators.locators.filter(\.verified)
            story.expect("context \(context.summary.tag): both locators verified", verified.count == 2)
        }
        let capture = try Capture(
            laboratory, in: pair.topology.internet, device: "a2", filter: "ip6 proto 140 or ip6 proto 43", length: 128)
        try laboratory.pass(seconds: 3)
        let a1 = pair.topology.uplink("a1")
        try pair.topology.cut(a1)
        story.say("link a1 is silent")
        let moved = try pair.waitUntilMoved(to: "payload to leave a1", upTo: 60) { a, b in
            a.source == pair.locator("a2") && b.destination == pair.locator("a2")
        }
        let switched = Clock.now
        story.say("payload has moved: A sends on \(pair.name(moved.a)), B on \(pair.name(moved.b))")
        try laboratory.pass(seconds: dead)
        let end = Clock.now
        let packets = try capture.packets().filter { $0.at > switched }
        let ways = Set(packets.compactMap(\.tag).map(String.init) + packets.compactMap(\.homeAddresses).map { "\($0)" })
        story.expect(
            "rehomed payload of both directions is on a2", ways.count == 2, otherwise: "\(ways)")
        try story.expect("the download's SHA-256 is right") { try download.finish(upTo: 60) }
        let record = try echo.stop()
        let echoes = zip(record.sent, record.received).filter {
            $0.0 > switched + .seconds(1) && $0.0 < end + .seconds(-1)
        }
        let answered = echoes.filter { $0.1.nanoseconds != 0 }.count
        // Both ways together lose about twice the loss of one.
        story.expect(
            "\(answered) of \(echoes.count) UDP packets came back",
            !echoes.isEmpty && Double(answered) > Double(echoes.count) * (1 - 5 * loss / 100))
        for daemon in [pair.a, pair.b] {
            story.expect("shim6d on host \(daemon.host) ends when it is told to", daemon.stop() == 0)
        }
    }
}
