import ControlFixtures
import Foundation
import Shim6Control
import Testing

@Suite struct ConsoleTests {
    private static let prompt = "shim6d> "

    @Test func `A real telnet client reads, is refused rm, and quits`() async throws {
        try await Daemon.run { daemon in
            let telnet = try RunningProgram(["telnet", "::1", String(daemon.consolePort)])
            #expect(telnet.read(through: Self.prompt).contains("Connected to ::1"))
            func say(_ line: String) throws -> [String] {
                try telnet.type(line + "\n")
                let answer = telnet.read(through: Self.prompt)
                return answer.replacing("\r", with: "").split(separator: "\n").map(String.init).dropLast()
            }
            #expect(
                try say("help").map { $0.prefix { $0 != "\t" } } == [
                    "ls", "cat TAG|*", "rm TAG|*", "set tsend SECONDS", "help, ?", "quit, exit",
                ])
            #expect(try say("LS") == ["00000000002a", "4a3b2c1d0e0f"])
            let context = try say("cat 4a3b2c1d0e0f")
            #expect(context.first == "context 4a3b2c1d0e0f")
            #expect(context.contains("  outgoing        2001:db8:a2::1 -> 2001:db8:b2::1 (rehomed)"))
            let all = try say("cat *")
            #expect(all.filter { $0.hasPrefix("context ") } == ["context 00000000002a", "context 4a3b2c1d0e0f"])
            #expect(try say("cat 7") == ["no context has the tag 000000000007"])
            #expect(try say("rm *") == ["rm is not allowed on this console (allow-remove in the configuration)"])
            #expect(try say("").isEmpty)
            #expect(try say("ls").count == 2)
            try telnet.type("QUIT\n")
            let end = try telnet.finish()
            #expect((end.output + end.errors).contains("Connection closed by foreign host"))
            #expect(!daemon.handler.commands.contains { $0.changesState })
        }
    }

    @Test func `rm works where the configuration allows it`() async throws {
        try await Daemon.run {
            $0.console.allowRemove = true
        } _: { daemon in
            let client = try TestSocket(port: daemon.consolePort)
            _ = try client.read(through: Self.prompt)
            client.send("rm 2a\r\n")
            #expect(try client.read(through: Self.prompt) == "removed 00000000002a\r\n" + Self.prompt)
            client.send("rm 2a\r\n")
            #expect(try client.read(through: Self.prompt) == "no context has the tag 00000000002a\r\n" + Self.prompt)
            client.send("rm *\r\nls\r\n")
            #expect(try client.read(through: Self.prompt) == "removed 4a3b2c1d0e0f\r\n" + Self.prompt)
            #expect(try client.read(through: Self.prompt) == Self.prompt)
        }
    }

    @Test func `Many clients are served at once`() async throws {
        try await Daemon.run { daemon in
            let clients = try (0..<16).map { _ in try TestSocket(port: daemon.consolePort) }
            for client in clients { _ = try client.read(through: Self.prompt) }
            for client in clients { client.send("ls\n") }
            for client in clients.reversed() {
                #expect(
                    try client.read(through: Self.prompt) == "00000000002a\r\n4a3b2c1d0e0f\r\n" + Self.prompt)
            }
            let late = try TestSocket(port: daemon.consolePort)
            #expect(try late.readToEnd() == "too many clients\r\n")
        }
    }

    @Test func `Clients that vanish, silently or with a reset, disturb nobody`() async throws {
        try await Daemon.run { daemon in
            let steady = try TestSocket(port: daemon.consolePort)
            _ = try steady.read(through: Self.prompt)
            for round in 0..<60 {
                // Wait for a place: the server learns of the end of the others a moment later.
                while true {
                    let client = try TestSocket(port: daemon.consolePort)
                    guard (try? client.read(through: Self.prompt)) != nil else { continue }
                    if round % 2 == 0 { client.closeRudely() }
                    client.send(round % 3 == 0 ? "cat *\nls" : String(repeating: "cat *\n", count: 50))
                    break
                }
            }
            steady.send("ls\n")
            #expect(try steady.read(through: Self.prompt).hasPrefix("00000000002a\r\n"))
        }
    }

    @Test func `A client that sends commands and reads nothing holds back only itself`() async throws {
        try await Daemon.run { daemon in
            let greedy = try TestSocket(port: daemon.consolePort)
            greedy.shrinkReceiveBuffer()
            #expect(greedy.sendWithoutWaiting("cat *\n", limit: 1_000_000) < 1_000_000)
            let steady = try TestSocket(port: daemon.consolePort)
            _ = try steady.read(through: Self.prompt)
            steady.send("ls\n")
            #expect(try steady.read(through: Self.prompt).hasPrefix("00000000002a\r\n"))
        }
    }

    @Test func `Commands piped in are all carried out before the end`() async throws {
        try await Daemon.run { daemon in
            let client = try TestSocket(port: daemon.consolePort)
            // Who has ended its side is not known any more.
            _ = try client.read(through: Self.prompt)
            client.send("ls\ncat 2a\n")
            client.endOutput()
            let text = try client.readToEnd()
            #expect(text.contains("4a3b2c1d0e0f\r\n"))
            #expect(text.contains("context 00000000002a\r\n"))
        }
    }

    @Test func `A line without end ends the connection`() async throws {
        try await Daemon.run { daemon in
            let client = try TestSocket(port: daemon.consolePort)
            _ = try client.read(through: Self.prompt)
            client.send(String(repeating: "l", count: 1500))
            #expect(try client.readToEnd() == "line too long\r\n")
        }
    }

    @Test func `A client that says nothing for too long is disconnected`() async throws {
        try await Daemon.run {
            $0.console.idleTimeout = .milliseconds(100)
        } _: { daemon in
            let client = try TestSocket(port: daemon.consolePort)
            #expect(try client.readToEnd() == Self.prompt + "idle for too long\r\n")
        }
    }

    @Test func `Without a console nothing listens`() async throws {
        try await Daemon.run {
            $0.console.enabled = false
        } _: { daemon in
            #expect(daemon.interfaces.consoleEndpoint == nil)
            let answer = try ControlClient(path: daemon.socket).send(.locators)
            #expect(answer == .locators(Fixtures.locators))
        }
    }
}
