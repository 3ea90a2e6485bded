import ControlFixtures
import Foundation
import Shim6Control
import Testing

/// What the console tells, and does for, those whom it is not for.
@Suite struct ConsoleStrangerTests {
    private static let prompt = "shim6d> "

    @Test(arguments: [
        "POST / HTTP/1.1\r\nHost: [::1]:50000\r\nContent-Type: text/plain\r\n\r\nrm *\r\nset tsend 1\r\n",
        "GET /?x HTTP/1.0\r\n\r\nrm *\r\n", "HEAD / HTTP/1.1\r\nrm *\r\n", "LOCK / HTTP/1.1\r\nrm *\r\n",
        "QUERY / HTTP/1.1\r\nrm *\r\n", "options * HTTP/1.1\r\nrm *\r\n", "\r\n\r\nPUT / HTTP/1.1\r\nrm *\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nrm *\r\n", "HELO example.com\r\nrm *\r\n", "EHLO example.com\r\nrm *\r\n",
        "USER root\r\nrm *\r\n", "SSH-2.0-x\r\nrm *\r\n", "set key 0 0 4\r\nrm *\r\n", "*1\r\n$4\r\nrm *\r\n",
        "l00000001 LOGIN a b\r\nrm *\r\n", "rm\r\nrm *\r\n",
        // A ClientHello, with lines in what a page may choose of it.
        "\u{16}\u{3}\u{1}\u{2}\n\u{1}\u{1}\nrm *\nset tsend 1\n", "\u{16}\u{3}\u{1}", "\0\0\0\u{8}rm *\n",
    ])
    func `Whoever speaks another protocol is cut off before the second line`(text: String) async throws {
        try await Daemon.run {
            $0.console.allowRemove = true
        } _: { daemon in
            let client = try TestSocket(port: daemon.consolePort)
            _ = try client.read(through: Self.prompt)
            client.send(text)
            let answer = try client.readToEnd()
            #expect(!answer.contains(Self.prompt) || text.first?.isNewline == true)
            #expect(daemon.handler.commands.isEmpty)
        }
    }

    @Test func `Somebody who has given a command is helped with a typing error, and told of one in the first line`()
        async throws
    {
        try await Daemon.run { daemon in
            let client = try TestSocket(port: daemon.consolePort)
            _ = try client.read(through: Self.prompt)
            client.send("\n")
            #expect(try client.read(through: Self.prompt) == Self.prompt)
            client.send("ls\n")
            _ = try client.read(through: Self.prompt)
            client.send("GET / HTTP/1.1\n")
            #expect(
                try client.read(through: Self.prompt)
                    == "unknown command; \"help\" lists those there are\r\n" + Self.prompt)
            let hasty = try TestSocket(port: daemon.consolePort)
            _ = try hasty.read(through: Self.prompt)
            hasty.send("lss\n")
            #expect(try hasty.readToEnd() == "not a command; \"help\" lists those there are\r\n")
        }
    }

    /// Types lines as another user and returns what comes between the prompts.
    private static func telnet(_ daemon: Daemon, as user: Int, _ lines: String...) throws -> [String] {
        let telnet = try RunningProgram(
            [
                "setpriv", "--reuid=\(user)", "--regid=65534", "--clear-groups", "telnet", "::1",
                String(daemon.consolePort),
            ])
        _ = telnet.read(through: prompt)
        let answers = try lines.map { line in
            try telnet.type(line + "\n")
            return telnet.read(through: prompt).replacing("\r", with: "")
        }
        try telnet.type("quit\n")
        _ = try telnet.finish()
        return answers
    }

    @Test(.enabled(if: geteuid() == 0, "needs root to be another user"))
    func `Another user of the host sees how many contexts there are and no tag, whatever he asks`() async throws {
        try await Daemon.run {
            $0.console.allowRemove = true
            $0.control.group = "daemon"
        } _: { daemon in
            let answers = try Self.telnet(
                daemon, as: 65_534, "ls", "cat *", "cat 2a", "set tsend 20", "rm 2a", "rm *", "ls")
            let counts =
                "ESTABLISHED\t1\nI1-SENT\t1\ncontexts\t2\n"
                + "their tags are for root and the group of the control socket, on this host\n\(Self.prompt)"
            #expect(answers[0] == counts && answers[1] == counts && answers[2] == counts)
            #expect(answers[4] == "removed: 1\n\(Self.prompt)" && answers[5] == "removed: 1\n\(Self.prompt)")
            for answer in answers {
                for secret in ["00000000002a", "4a3b2c1d0e0f", "010203040506", "2001:db8"] {
                    #expect(!answer.contains(secret))
                }
            }
        }
    }

    @Test(.enabled(if: geteuid() == 0, "needs root to be another user"))
    func `A member of the group of the control socket sees all, whatever groups his process has`() async throws {
        try await Daemon.run {
            $0.control.group = "daemon"
        } _: { daemon in
            // User 1 is "daemon", of the group "daemon".
            let answers = try Self.telnet(daemon, as: 1, "ls")
            #expect(answers == ["00000000002a\n4a3b2c1d0e0f\n\(Self.prompt)"])
        }
        try await Daemon.run { daemon in
            let answers = try Self.telnet(daemon, as: 1, "ls")
            #expect(answers[0].contains("contexts\t2\n"))
        }
    }

    @Test func `As many lines as one read can bring are carried out one after the other`() async throws {
        try await Daemon.run { daemon in
            let console = try TestSocket(port: daemon.consolePort)
            console.send(String(repeating: "\n", count: 60_000) + "?\nls\n")
            #expect(try console.read(through: "4a3b2c1d0e0f").contains("quit, exit"))
            let control = try TestSocket(path: daemon.socket)
            control.send(String(repeating: "x\n", count: 5000))
            for _ in 0..<5000 { #expect(try control.line().contains("bad-request")) }
            #expect(try ControlClient(path: daemon.socket).send(.locators) == .locators(Fixtures.locators))
        }
    }

    @Test func `A client that reads nothing is disconnected when it has been idle for too long`() async throws {
        try await Daemon.run {
            $0.console.idleTimeout = .milliseconds(200)
            $0.limits.maxConsoleClients = 1
        } _: { daemon in
            let greedy = try TestSocket(port: daemon.consolePort)
            greedy.shrinkReceiveBuffer()
            #expect(greedy.sendWithoutWaiting("cat *\n", limit: 1_000_000) < 1_000_000)
            let deadline = Date.now.addingTimeInterval(60)
            while true {
                let next = try TestSocket(port: daemon.consolePort)
                if (try? next.read(through: Self.prompt)) != nil { break }
                guard Date.now < deadline else { throw SocketFailure(description: "the client is still there") }
                usleep(10_000)
            }
            withExtendedLifetime(greedy) {}
        }
    }
}
