import Foundation
import Lab
import Requirements
import Shim6Control
import Shim6Wire
import Steering
import Testing

extension HostTests {
    /// The daemon with next to no configuration, and with a Send Timeout of its own.
    @Suite struct DefaultsTests {
        @Test(.requirement("5533-15.3-01", "5533-4-01", "5533-13-01"))
        func `A few packets meet no Shim6, and a session that goes on is protected by itself`() throws {
            try withPair(Daemon.Settings()) { pair in
                let capture = try Capture(pair.laboratory, in: pair.topology.internet, device: "b1")
                let ends = [
                    (pair.a.namespace, pair.ulidOfA.description), (pair.b.namespace, pair.ulidOfB.description),
                ]
                let sockets = try zip(ends, ends.reversed()).map { own, other in
                    try own.0.inside {
                        let socket = try Socket(.datagram)
                        try socket.bind(to: own.1, port: 5301)
                        try socket.connect(to: other.1, port: 5301)
                        return socket
                    }
                }
                for (sender, receiver) in [(0, 1), (1, 0), (0, 1), (1, 0)] {
                    #expect(sockets[sender].sendOnce([UInt8](repeating: 5, count: 100)))
                    #expect(sockets[receiver].isReadable(within: 2000) && sockets[receiver].receive()?.count == 100)
                }
                try pair.laboratory.pass(seconds: 2)
                #expect(try capture.packets().isEmpty)
                let echo = try pair.startSession()
                #expect(try !capture.packets().isEmpty)
                #expect(try echo.stop().losses.isEmpty)
            }
        }

        @Test(.requirement("3972-7.1-03"))
        func `A host that began with a short key gets a longer one, and peers take it`() throws {
            var short = quick
            short.sections["identity"] = ["key-bits = 1024"]
            try withPair(short, b: quick) { pair in
                #expect(try pair.a.ask(IdentityReport.self, "identity").keyBits == 1024)
                pair.a.stop()
                let file = URL(filePath: pair.a.configuration)
                let text = try String(contentsOf: file, encoding: .utf8)
                #expect(text.contains("key-bits = 1024"))
                try text.replacing("key-bits = 1024", with: "key-bits = 2048")
                    .write(to: file, atomically: true, encoding: .utf8)
                try pair.a.start()
                #expect(try pair.a.ask(IdentityReport.self, "identity", "rotate").keyBits == 2048)
                try pair.learnLocators()
                let echo = try pair.startSession()
                #expect(try echo.stop().losses.isEmpty)
            }
        }

        @Test(.requirement("5534-7-06", "5534-9-02"))
        func `A Send Timeout from the configuration reaches the peer, and a failure is told to whoever listens`() throws
        {
            var settings = quick
            settings.sections["reap"] = ["send-timeout = 3.0"]
            try withPair(settings, b: quick) { pair in
                let echo = try pair.startSession()
                let (a, b) = try pair.waitUntilEstablished()
                #expect(a.timeouts?.send == 3 && b.timeouts?.keepalive == 3)
                #expect(b.timeouts?.send == 1 && a.timeouts?.keepalive == 1)
                let feed = try EventFeed(pair.laboratory, pair.b)
                try pair.rehome()
                var kinds: Set<EventRecord.Kind> = []
                try pair.laboratory.wait(until: "the failure and the switch to be told") {
                    kinds.formUnion(feed.next().map(\.kind))
                    return kinds.isSuperset(of: [.reachability, .switched])
                }
                feed.stop()
                _ = try echo.stop()
            }
        }
    }
}
