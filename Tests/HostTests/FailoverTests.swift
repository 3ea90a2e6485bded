import Foundation
import Lab
import Requirements
import Shim6Control
import Shim6Wire
import Testing

extension HostTests {
    @Suite struct FailoverTests {
        @Test(
            .requirement("5533-1.6-03", "5533-11-05", "5533-5-01", "5533-15.3-03"), arguments: ["hba", "cga"])
        func `Traffic establishes a context with every locator verified`(method: String) throws {
            var settings = quick
            settings.sections["identity"] = ["hba = \(method == "hba")"]
            try withPair(settings) { pair in
                let wire = try WireWatch(pair.topology)
                let echo = try pair.startSession()
                let (a, b) = try pair.waitUntilEstablished()
                #expect(a.peerTag == b.summary.tag && b.peerTag == a.summary.tag)
                for (context, devices) in [(a, ["b1", "b2"]), (b, ["a1", "a2"])] {
                    let verified = context.peerLocators.locators.filter { $0.verified && $0.method == method }
                    #expect(Set(verified.map(\.address)) == Set(devices.map(pair.locator)))
                    #expect(!context.summary.rehomed.outgoing && !context.summary.rehomed.incoming)
                }
                try pair.laboratory.pass(seconds: 1)
                #expect(try echo.stop().losses.isEmpty)
                let (messages, wrong) = try wire.check()
                #expect(messages >= 4 && wrong.isEmpty, "\(wrong)")
                // Nothing failed: payload goes as it would without Shim6.
                for device in ["a1", "a2", "b1", "b2"] {
                    let plain = LocatorPair(source: pair.ulidOfA, destination: pair.ulidOfB)
                    #expect(try wire.payload(on: device, plain, since: Clock.Moment(nanoseconds: 0)).isEmpty)
                }
            }
        }

        @Test func `What the sender repeats at its switch goes out once more when the receiver has moved too`() throws {
            // The sender notices first, so that the answer to what it repeats still goes the dead way.
            var patient = quick
            patient.sections["reap"] = ["send-timeout = 60.0"]
            try withPair(patient, b: quick) { pair in
                let stream = try pair.laboratory.stream(
                    from: pair.b.namespace, pair.ulidOfB.description, to: pair.a.namespace, pair.ulidOfA.description)
                _ = try pair.waitUntilEstablished()
                try pair.laboratory.pass(seconds: 1)
                try pair.rehome()
                try pair.laboratory.wait(until: "the last packet to go out twice") {
                    try pair.b.status().counters["data_path_resumed", default: 0] >= 2
                }
                _ = try stream.stop()
            }
        }

        // Longer than the kernel takes to declare the dead gateway FAILED, which ends a data path that only hooks the
        // old uplink.
        @Test(.requirement("5533-11-06", "5533-11.1-01", "5533-4-05", "5533-1.3-02", "5534-9-03", "5534-4.2-04"))
        func `A session outlives 45 seconds of a dead uplink`() throws {
            try withPair { pair in
                let wire = try WireWatch(pair.topology)
                let echo = try pair.startSession()
                let laboratory = pair.laboratory
                let (a, b) = (pair.a.namespace, pair.b.namespace)
                let (local, peer) = (pair.ulidOfA.description, pair.ulidOfB.description)
                let download = try Download(laboratory, from: b, peer, to: a, local, size: 10_000_000, rate: 200_000)
                let stream = try laboratory.stream(from: b, peer, to: a, local)
                try laboratory.pass(seconds: 1)
                let begin = try pair.rehome()
                try laboratory.pass(seconds: 40)
                let late = Clock.now
                let contexts = (a: try #require(try pair.contextOfA()), b: try #require(try pair.contextOfB()))
                let outgoing = (
                    a: try #require(contexts.a.summary.outgoing), b: try #require(contexts.b.summary.outgoing)
                )
                #expect(contexts.a.summary.rehomed.outgoing && contexts.b.summary.rehomed.outgoing)
                try laboratory.pass(seconds: 5)
                for (used, tag) in [(outgoing.a, contexts.b.summary.tag), (outgoing.b, contexts.a.summary.tag)] {
                    let packets = try wire.payload(on: pair.name(used.destination), used, since: late)
                    #expect(packets.count > 100)
                    #expect(packets.allSatisfy { $0.tag == tag.rawValue })
                }
                try download.finish(upTo: 60)
                let tcp = try stream.stop()
                #expect(
                    tcp.gaps.allSatisfy { $0.to < late || $0.length < .seconds(2) },
                    "the stream stood still after the switch")
                #expect(tcp.octets > 10_000_000)
                let record = try echo.stop()
                #expect(!record.losses.isEmpty, "the cut cut nothing")
                #expect(try pair.straysOutsideFailure(record, begin).isEmpty)
                let timelines = ["a": try pair.a.timeline(), "b": try pair.b.timeline()]
                let report = FailureReport("", at: begin, timelines: timelines, application: record)
                #expect(report.omissions.isEmpty)
                let (messages, wrong) = try wire.check()
                #expect(messages > 4 && wrong.isEmpty, "\(wrong)")
            }
        }

        @Test(.requirement("5533-9-02"), arguments: [false, true])
        func `A TCP connection that was idle for longer than the idle timeout goes on after a cut`(moved: Bool) throws {
            var settings = Daemon.Settings(profile: "fast", [])
            settings.sections["data-path"] = quick.sections["data-path"]
            settings.sections["protocol"] = ["idle-timeout = 3"]
            try withPair(settings) { pair in
                let stream = try pair.laboratory.stream(
                    from: pair.b.namespace, pair.ulidOfB.description, to: pair.a.namespace, pair.ulidOfA.description)
                let before = try pair.waitUntilEstablished()
                if moved { try pair.rehome() }
                try pair.laboratory.pass(seconds: 1)
                stream.pause(true)
                // Sockets are looked at every ten seconds.
                try pair.laboratory.pass(seconds: 20)
                let after = try pair.waitUntilEstablished()
                #expect(after.a.summary.tag == before.a.summary.tag && after.b.summary.tag == before.b.summary.tag)
                if !moved { _ = try pair.topology.cut(pair.topology.uplink("a1")) }
                let resumed = Clock.now
                stream.pause(false)
                _ = try pair.waitUntilMoved(to: "payload to use a2") { a, b in
                    a.source == pair.locator("a2") && b.destination == pair.locator("a2")
                }
                try pair.laboratory.pass(seconds: 5)
                let end = Clock.now
                let silence = try stream.stop().gaps.first { $0.from < resumed && $0.to > resumed }
                #expect(try #require(silence).to < end, "nothing came after the pause")
                // Without a socket the contexts go.
                try pair.laboratory.wait(until: "the contexts to end") {
                    try pair.a.contexts().isEmpty && pair.b.contexts().isEmpty
                }
            }
        }

        @Test(.requirement("5533-5.13-02"))
        func `A failure of one direction moves that direction`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                let begin = try pair.topology.cutBehindRouter(pair.topology.uplink("b1"), .toHost)
                // With this one dead as well, A's way to B cannot be the reverse of any of B's ways from a2.
                try pair.topology.cutBehindRouter(pair.topology.uplink("a2"), .fromHost)
                let (a, b) = try pair.waitUntilMoved(to: "payload to B to arrive by b2") { a, _ in
                    a == LocatorPair(source: pair.locator("a1"), destination: pair.locator("b2"))
                }
                #expect(a.source != b.destination || a.destination != b.source)
                try pair.laboratory.pass(seconds: 3)
                let record = try echo.stop()
                #expect(try pair.straysOutsideFailure(record, begin).isEmpty)
                #expect(record.received.last?.nanoseconds != 0)
            }
        }

        @Test(.requirement("5534-3.2-01", "5534-3.2-03", "5533-4-08", "5533-1.5-03", "5534-3.1-07"))
        func `A session outlives its ULID's interface, and the locator is withdrawn`() throws {
            try withPair { pair in
                let echo = try pair.startSession()
                let begin = Clock.now
                try pair.topology.lower(pair.topology.uplink("a1"))
                try pair.wait(until: pair.locator("a1"), isOffered: false, to: pair.b)
                _ = try pair.waitUntilMoved(to: "payload to avoid a1") { a, b in
                    a.source == pair.locator("a2") && b.destination == pair.locator("a2")
                }
                try pair.laboratory.pass(seconds: 5)
                try pair.topology.raise(pair.topology.uplink("a1"))
                try pair.wait(until: pair.locator("a1"), isOffered: true, to: pair.b)
                let context = try #require(try pair.contextOfA())
                #expect(context.summary.state == "ESTABLISHED")
                let record = try echo.stop()
                #expect(try pair.straysOutsideFailure(record, begin).isEmpty)
            }
        }
    }
}
