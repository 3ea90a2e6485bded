import ControlFixtures
import Foundation
import NIOEmbedded
import Shim6Control
import Testing

@testable import Shim6Console

@Suite struct EventTests {
    private static func event(_ number: Int, padding: Int = 0) -> EventRecord {
        let detail = "event \(number)" + String(repeating: ".", count: padding)
        return EventRecord(at: Fixtures.moment(Double(number)), kind: .uplink, interface: "a1", detail: detail)
    }

    @Test func `A follower gets the recent events and then each new one`() async throws {
        try await Daemon.run {
            $0.limits.maxEvents = 3
        } _: { daemon in
            for number in 0..<5 { daemon.interfaces.broadcast(Self.event(number)) }
            let client = try ControlClient(path: daemon.socket)
            #expect(try client.follow() == [Self.event(2), Self.event(3), Self.event(4)])
            for number in 5..<8 { daemon.interfaces.broadcast(Self.event(number)) }
            for number in 5..<8 { #expect(try client.nextEvent() == Self.event(number)) }
            let reader = try ControlClient(path: daemon.socket)
            #expect(
                try reader.send(.events(follow: false))
                    == .events(EventList(events: [Self.event(5), Self.event(6), Self.event(7)])))
        }
    }

    @Test func `A follower that does not read is cut off, and the others miss nothing`() async throws {
        try await Daemon.run { daemon in
            let slow = try TestSocket(path: daemon.socket)
            slow.shrinkReceiveBuffer()
            slow.send("{\"version\":1,\"id\":1,\"command\":\"events\",\"arguments\":{\"follow\":true}}\n")
            _ = try slow.line()
            let quick = try ControlClient(path: daemon.socket)
            _ = try quick.follow()
            let total = 3000
            var next = 0
            while next < total {
                for number in next..<(next + 500) { daemon.interfaces.broadcast(Self.event(number, padding: 1000)) }
                for number in next..<(next + 500) {
                    #expect(try quick.nextEvent() == Self.event(number, padding: 1000))
                }
                next += 500
            }
            let received = try slow.readToEnd().split(separator: "\n")
            #expect(received.count < total)
        }
    }

    @Test func `A follower learns that the daemon has ended`() async throws {
        try await ThreadPerJob.run {
            let daemon = try Daemon()
            let client = try ControlClient(path: daemon.socket)
            _ = try client.follow()
            daemon.stop()
            #expect(try client.nextEvent() == nil)
        }
    }

    @Test func `Events that come faster than they can be taken are counted as lost`() {
        let loop = EmbeddedEventLoop()
        let feed = EventFeed(keep: 10, on: loop)
        for number in 0..<(EventFeed.maximumWaiting + 7) { feed.broadcast(Self.event(number)) }
        loop.run()
        #expect(feed.recent.count == 10)
        #expect(feed.recent.last?.kind == .lost)
        #expect(feed.recent.last?.detail == "7 events came too fast")
        #expect(feed.recent.first == Self.event(EventFeed.maximumWaiting - 9))
        feed.broadcast(Self.event(1))
        loop.run()
        #expect(feed.recent.last == Self.event(1))
    }
}
