import ControlFixtures
import Foundation
import Shim6Control
import Testing

@Suite struct ControlServerTests {
    @Test func `A client asks and is answered`() async throws {
        try await Daemon.run { daemon in
            let client = try ControlClient(path: daemon.socket)
            #expect(try client.send(.status) == .status(Fixtures.status))
            #expect(try client.send(.context(Fixtures.tag)) == .context(Fixtures.detail))
            #expect(try client.send(.remove(.one(Fixtures.tag))) == .removed(Removal(tags: [Fixtures.tag])))
            #expect(throws: ControlClientError.command(CommandError(.unknownTag, ""))) {
                try client.send(.context(Fixtures.tag))
            }
            #expect(
                daemon.handler.commands
                    == [.status, .context(Fixtures.tag), .remove(.one(Fixtures.tag)), .context(Fixtures.tag)])
        }
    }

    @Test func `What takes as long as it takes is waited for`() async throws {
        try await Daemon.run { daemon in
            let client = try ControlClient(path: daemon.socket, timeout: 1)
            daemon.handler.pause(for: .seconds(2))
            #expect(try client.send(.identity(.create)) == .identity(Fixtures.identity))
            #expect(try client.send(.identity(.rotate)) == .identity(Fixtures.identity))
        }
    }

    @Test func `Requests sent together are answered in order`() async throws {
        try await Daemon.run { daemon in
            let client = try TestSocket(path: daemon.socket)
            client.send(
                """
                {"version":1,"id":1,"command":"remove","arguments":{"tag":"2a"}}
                nonsense
                {"version":1,"id":3,"command":"remove","arguments":{"tag":"2a"}}
                {"version":1,"id":4,"command":"locators"

                """)
            client.send("{\"version\":1,\"id\":5,\"comm")
            #expect(
                try client.line()
                    == #"{"id":1,"kind":"removed","ok":true,"result":{"tags":["00000000002a"]},"version":1}"#)
            #expect(try client.line().contains(#""code":"bad-request""#))
            #expect(
                try client.line().contains(
                    #""code":"unknown-tag","message":"no context has the tag 00000000002a"},"id":3"#))
            #expect(try client.line().contains(#""code":"bad-request""#))
            client.send("and\":\"timeline\",\"arguments\":{\"tag\":\"7\"}}\r\n")
            #expect(
                try client.line() == #"{"id":5,"kind":"timeline","ok":true,"result":{"failovers":[]},"version":1}"#)
        }
    }

    @Test func `A client that has ended its side is still answered`() async throws {
        try await Daemon.run { daemon in
            let client = try TestSocket(path: daemon.socket)
            client.send(
                "{\"version\":1,\"id\":1,\"command\":\"timeline\"}\n{\"version\":1,\"id\":2,\"command\":\"status\"}\n")
            client.endOutput()
            let lines = try client.readToEnd().split(separator: "\n")
            #expect(lines.count == 2)
            #expect(lines.last?.contains(#""kind":"status""#) == true)
        }
    }

    @Test func `A line without end is refused and the connection with it`() async throws {
        try await Daemon.run { daemon in
            let client = try TestSocket(path: daemon.socket)
            let other = try TestSocket(path: daemon.socket)
            for _ in 0..<3 { client.send(String(repeating: "x", count: 40_000)) }
            #expect(try client.readToEnd().contains("a request has at most 65536 octets"))
            other.send("{\"version\":1,\"id\":1,\"command\":\"timeline\"}\n")
            #expect(try other.line().contains(#""ok":true"#))
        }
    }

    @Test func `A request that is too long is told so, whoever sends it and whether it ends or not`() async throws {
        try await Daemon.run { daemon in
            for line in [String(repeating: "x", count: 70_000) + "\n", String(repeating: " ", count: 65_536) + "{}\n"] {
                let client = try TestSocket(path: daemon.socket)
                client.send(line)
                let answer = try client.readToEnd()
                #expect(answer.contains("a request has at most 65536 octets"))
                #expect(answer.split(separator: "\n").count == 1)
            }
            let pairs = Array(repeating: Fixtures.switch.to, count: 2000)
            #expect(throws: ControlClientError.command(CommandError(.badArgument, ""))) {
                try ControlClient(path: daemon.socket).send(.rank(pairs))
            }
            #expect(throws: ControlClientError.command(CommandError(.badArgument, ""))) {
                try ControlClient(path: daemon.socket).send(.setSendTimeout(.nan))
            }
            #expect(daemon.handler.commands.isEmpty)
        }
    }

    @Test(arguments: [
        (#""fork","arguments":{"tag":"2a","flows":[{"protocol":6,"destination_port":65536}]}"#, "destination_port"),
        (#""fork","arguments":{"tag":"2a","flows":[{"protocol":6,"source_port":-1}]}"#, "source_port"),
        (#""fork","arguments":{"tag":"2a","flows":[{"protocol":256}]}"#, "protocol"),
    ])
    func `A number out of range is told by name and range`(rest: String, name: String) async throws {
        try await Daemon.run { daemon in
            let client = try TestSocket(path: daemon.socket)
            client.send("{\"version\":1,\"id\":1,\"command\":\(rest)}\n")
            let answer = try client.line()
            #expect(answer.contains(#""code":"bad-argument""#) && answer.contains("\(name) must be from 0 to "))
            #expect(daemon.handler.commands.isEmpty)
        }
    }

    @Test func `One client too many is told so, and comes in when another has left`() async throws {
        try await Daemon.run {
            $0.limits.maxControlClients = 2
        } _: { daemon in
            let first = try ControlClient(path: daemon.socket)
            _ = try first.send(.locators)
            do {
                let second = try ControlClient(path: daemon.socket)
                _ = try second.send(.locators)
                #expect(throws: ControlClientError.command(CommandError(.limit, ""))) {
                    try ControlClient(path: daemon.socket).send(.locators)
                }
            }
            // The server learns of the end of the second a moment later.
            while (try? ControlClient(path: daemon.socket).send(.locators)) == nil { usleep(1000) }
            _ = try first.send(.locators)
        }
    }

    @Test func `Clients that vanish disturb nobody`() async throws {
        try await Daemon.run { daemon in
            let steady = try ControlClient(path: daemon.socket)
            for round in 0..<100 {
                let rude = try TestSocket(path: daemon.socket)
                rude.send(
                    round % 2 == 0
                        ? "{\"version\":1,\"id\":1,\"comm" : "{\"version\":1,\"id\":1,\"command\":\"status\"}\n")
            }
            #expect(try steady.send(.locators) == .locators(Fixtures.locators))
            // More came than there is room for at once, so those that left did leave.
            #expect(daemon.configuration.limits.maxControlClients < 100)
        }
    }

    @Test func `A client that does not read its replies holds back only itself`() async throws {
        try await Daemon.run { daemon in
            let greedy = try TestSocket(path: daemon.socket)
            let request = "{\"version\":1,\"id\":1,\"command\":\"status\"}\n"
            let sent = greedy.sendWithoutWaiting(request, limit: 100_000)
            #expect(sent > 50 && sent < 100_000)
            let steady = try ControlClient(path: daemon.socket)
            #expect(try steady.send(.locators) == .locators(Fixtures.locators))
            for _ in 0..<sent { #expect(try greedy.line().contains(#""kind":"status""#)) }
        }
    }
}
