import ControlFixtures
import Foundation
import Shim6Control
import Testing

/// The program itself against a daemon.
@Suite struct Shim6ctlTests {
    private static func run(
        _ arguments: String..., prefix: [String] = [], environment: [String: String] = [:]
    ) throws -> (code: Int32, output: String, errors: String) {
        try RunningProgram(prefix + [RunningProgram.built("shim6ctl")] + arguments, environment: environment).finish()
    }

    private static func expectText(
        _ arguments: [String], _ text: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        try await Daemon.run { daemon in
            daemon.interfaces.broadcast(Fixtures.switched)
            let program = try RunningProgram(
                [RunningProgram.built("shim6ctl")] + arguments, environment: ["SHIM6_SOCKET": daemon.socket])
            let end = try program.finish()
            #expect(end.output == text, sourceLocation: sourceLocation)
            #expect(end.errors.isEmpty && end.code == 0, sourceLocation: sourceLocation)
        }
    }

    @Test func `status is a page of tables`() async throws {
        try await Self.expectText(
            ["status"],
            """
            shim6d 0.1.0, process 812, up 1 h 2 min
            data path  bpf, running
            contexts   ESTABLISHED 1, I1-SENT 1

            warning: send-timeout is below the 10 s that RFC 5534, section 7, recommends

            UPLINK  LINK        GATEWAY            LOCATORS
            a1      up          fe80::1 REACHABLE  2001:db8:a1::1
            a2      no carrier  -                  2001:db8:a2::1
            ppp0    missing     -                  -

            a1: new sessions take 2001:db8:a1::a, not protected: 2001:db8:a1::1 is held back, since nothing beyond the gateway \
            has answered to it yet

            TABLE     USED  LIMIT  OVERFLOWS  WHEN FULL
            contexts  2     16384  0          no new ones
            rates     -     64     -          the oldest goes

            DROPPED       COUNT
            bad-checksum  3

            COUNTER         COUNT
            messages-in-i1  12
            switches        1

            """)
    }

    @Test func `contexts is a table`() async throws {
        try await Self.expectText(
            ["contexts"],
            """
            TAG           STATE        REAP         LOCAL ULID      PEER ULID       OUT                               IN
            00000000002a  I1-SENT      -            2001:db8:a1::1  2001:db8::5     -                                 -
            4a3b2c1d0e0f  ESTABLISHED  operational  2001:db8:a1::1  2001:db8:b1::1  2001:db8:a2::1 -> 2001:db8:b2::1  ULIDs

            """)
    }

    @Test func `context shows both directions and every locator`() async throws {
        try await Self.expectText(
            ["context", "4A3B2C1D0E0F"],
            """
            context 4a3b2c1d0e0f
              state           ESTABLISHED, operational
              peer tag        010203040506
              ULIDs           2001:db8:a1::1 (local) 2001:db8:b1::1 (peer)
              outgoing        2001:db8:a2::1 -> 2001:db8:b2::1 (rehomed)
              last incoming   2001:db8:b1::1 -> 2001:db8:a1::1
              timeouts        send 15.000 s, keepalive 1.000 s every 0.333 s
              messages        12 in, 9 out
              updates         0 received, 1 sent
              explorations    2, 1 switches
              created         99.000 s ago, 2026-11-21T08:00:01.000000Z
              established     98.750 s ago, 2026-11-21T08:00:01.250000Z
              last in         0.020 s ago, 2026-11-21T08:01:39.980000Z
              last out        0.010 s ago, 2026-11-21T08:01:39.990000Z
              last switch     38.500 s ago, 2026-11-21T08:01:01.500000Z
              LOCAL LOCATOR   METHOD  VERIFIED  STATE      GENERATION 2
              2001:db8:a1::1  cga     yes       withdrawn  ULID
              2001:db8:a2::1  cga     yes       preferred
              PEER LOCATOR    METHOD  VERIFIED  STATE      GENERATION 1
              2001:db8:b1::1  cga     yes       usable     ULID
              2001:db8:b2::1  cga     yes       preferred

            """)
    }

    @Test func `Socket and format may be named before the command as well as behind it`() async throws {
        try await Daemon.run { daemon in
            let behind = try Self.run("contexts", "--json", "--socket", daemon.socket)
            #expect(behind.code == 0 && behind.output.hasPrefix("{"))
            for arguments in [
                ["--json", "--socket", daemon.socket, "contexts"], ["--socket", daemon.socket, "contexts", "--json"],
                ["--json", "contexts", "--socket=\(daemon.socket)"],
            ] {
                let before = try RunningProgram([RunningProgram.built("shim6ctl")] + arguments).finish()
                #expect(before == behind)
            }
            let text = try Self.run("--socket", daemon.socket, "context", "4A3B2C1D0E0F")
            #expect(text.output.hasPrefix("context 4a3b2c1d0e0f\n"))
        }
    }

    @Test func `timeline tells a failover step by step`() async throws {
        try await Self.expectText(
            ["timeline", "4a3b2c1d0e0f"],
            """
            failover 1 of context 4a3b2c1d0e0f: switched, gap 1.070 s
              ULIDs 2001:db8:a1::1 (local) 2001:db8:b1::1 (peer), suspicion at 2026-11-21T08:01:01.000000Z
              -1.020 s  last packet in                 2001:db8:b1::1 -> 2001:db8:a1::1
              -0.010 s  last packet out                2001:db8:a1::1 -> 2001:db8:b1::1
              +0.000 s  suspicion: send-timer-expired  2001:db8:a1::1 -> 2001:db8:b1::1
              +0.001 s  probe sent                     2001:db8:a2::1 -> 2001:db8:b2::1  exploring, nonce 0000beef
              +0.020 s  probe received                 2001:db8:b2::1 -> 2001:db8:a2::1  inbound-ok, nonce 12345678, matching reports 1
              +0.021 s  switch                         2001:db8:a1::1 -> 2001:db8:b1::1  to  2001:db8:a2::1 -> 2001:db8:b2::1
              +0.030 s  first packet out               2001:db8:a2::1 -> 2001:db8:b2::1
              +0.050 s  first packet in

            """)
        try await Self.expectText(["timeline", "2a"], "no failover\n")
    }

    @Test func `locators, events, establish and rm have their texts`() async throws {
        try await Self.expectText(
            ["locators"],
            """
            LOCATOR            INTERFACE  METHOD  SEC  STATE         ULID OF  SOURCE OF
            2001:db8:a1::1/64  a1         cga     1    unavailable   2        0
            2001:db8:a2::1/64  a2         cga     1    usable        0        1
            2001:db8:a2::a/64  a2         -       -    unverifiable  0        0

            a2: new sessions take 2001:db8:a2::1, proven
            never protected: 2001:db8:a2::a
            for the DNS: 2001:db8:a2::1

            """)
        try await Self.expectText(
            ["identity", "show"],
            """
            key        RSA 2048, /var/lib/shim6d/key.pem
            warning: others have taken three addresses in 2001:db8:a3::/64

            ADDRESS         INTERFACE  METHOD  SEC  COLLISIONS  STATE    ULID OF
            2001:db8:a2::1  a2         hba     1    0           current  0
            2001:db8:a1::1  a1         cga     1    1           old      2

            """)
        try await Self.expectText(
            ["events"],
            "2026-11-21T08:01:01.021000Z 4a3b2c1d0e0f switched 2001:db8:a1::1 -> 2001:db8:b1::1  to  "
                + "2001:db8:a2::1 -> 2001:db8:b2::1\n")
        try await Self.expectText(
            ["establish", "2001:db8:a1::1", "2001:db8::5"], "made context 00000000002a, I1-SENT\n")
        try await Self.expectText(["rm", "*"], "removed 00000000002a\nremoved 4a3b2c1d0e0f\n")
    }

    @Test(arguments: [
        (["status"], Response.status(Fixtures.status)), (["context", "4a3b2c1d0e0f"], .context(Fixtures.detail)),
        (["contexts"], .contexts(ContextList(contexts: [Fixtures.negotiating, Fixtures.established]))),
        (["locators"], .locators(Fixtures.locators)), (["identity"], .identity(Fixtures.identity)),
        (["identity", "rotate"], .identity(Fixtures.identity)),
        (["timeline"], .timeline(TimelineReport(failovers: [Fixtures.failover]))),
        (["events"], .events(EventList(events: []))), (["rm", "2a"], .removed(Removal(tags: [Fixtures.otherTag]))),
    ])
    func `--json prints the report itself`(arguments: [String], response: Response) async throws {
        try await Daemon.run { daemon in
            let program = try RunningProgram(
                [RunningProgram.built("shim6ctl")] + arguments + ["--json", "--socket", daemon.socket])
            let end = try program.finish()
            #expect(end.code == 0)
            let expected = try ControlLine.encodePretty(Wrapped(response)) + "\n"
            #expect(end.output == expected)
        }
    }

    /// The report of a response.
    private struct Wrapped: Encodable {
        var response: Response

        init(_ response: Response) {
            self.response = response
        }

        func encode(to encoder: any Encoder) throws {
            try response.result.encode(to: encoder)
        }
    }

    @Test func `events --follow --json prints a line an event until the daemon ends`() async throws {
        try await ThreadPerJob.run {
            let daemon = try Daemon()
            daemon.interfaces.broadcast(Fixtures.switched)
            let program = try RunningProgram(
                [RunningProgram.built("shim6ctl"), "events", "--follow", "--json", "--socket", daemon.socket])
            let line = String(decoding: try ControlLine.encode(Fixtures.switched), as: UTF8.self) + "\n"
            #expect(program.read(through: "\n") == line)
            daemon.interfaces.broadcast(Fixtures.switched)
            #expect(program.read(through: "\n") == line)
            daemon.stop()
            let end = try program.finish()
            #expect(end.code == 69)
            #expect(end.errors == "shim6ctl: the daemon closed the connection\n")
        }
    }

    @Test func `Without a daemon it says so and exits 69`() async throws {
        try await ThreadPerJob.run {
            let end = try Self.run("status", "--socket", "/nonexistent/s")
            #expect(end.code == 69 && end.output.isEmpty)
            #expect(end.errors == "shim6ctl: /nonexistent/s: no daemon answers there; is shim6d running?\n")
        }
    }

    @Test func `What the daemon refuses is one line and an exit code`() async throws {
        try await Daemon.run { daemon in
            let environment = ["SHIM6_SOCKET": daemon.socket]
            let unknown = try Self.run("context", "7", environment: environment)
            #expect(unknown.code == 65)
            #expect(unknown.errors == "shim6ctl: no context has the tag 000000000007\n")
            let foreign = try Self.run("establish", "::2", "::3", environment: environment)
            #expect(foreign.code == 65)
            #expect(foreign.errors == "shim6ctl: ::2 is not an address of this host\n")
        }
    }

    @Test func `A context is found by an address or a name of its peer`() async throws {
        try await Daemon.run { daemon in
            let environment = ["SHIM6_SOCKET": daemon.socket]
            let byTag = try Self.run("context", Fixtures.tag.description, environment: environment)
            // The peer's ULID, and the locator that is in use.
            for peer in ["2001:db8:b1::1", "2001:db8:b2::1"] {
                #expect(try Self.run("context", peer, environment: environment).output == byTag.output)
                #expect(try Self.run("explain", peer, environment: environment).code == 0)
            }
            let nobody = try Self.run("explain", "2001:db8:b3::1", environment: environment)
            #expect(nobody.code == 65)
            #expect(nobody.errors == "shim6ctl: there is no context with 2001:db8:b3::1\n")
            let noName = try Self.run("context", "no such host", environment: environment)
            #expect(noName.code == 65 && noName.errors.contains("no tag and no host"))
        }
    }

    @Test func `The version is told without a daemon`() async throws {
        try await ThreadPerJob.run {
            let end = try Self.run("--version")
            #expect(end.code == 0 && end.output == "\(Version.text)\n")
        }
    }

    @Test(arguments: [["context"], ["context", "*"], ["establish", "1.2.3.4", "::1"], ["rm", "all"], ["dance"]])
    func `Wrong usage exits 64`(arguments: [String]) async throws {
        try await ThreadPerJob.run {
            let end = try RunningProgram([RunningProgram.built("shim6ctl")] + arguments).finish()
            #expect(end.code == 64)
            #expect(end.output.isEmpty)
        }
    }

    /// The program where everybody can run it, whatever the directory of the checkout allows. A program of its own copies
    /// it: a descriptor open for writing here could be inherited by a child and make the copy "busy".
    private static func copyForOthers(in directory: URL) throws -> String {
        let copy = directory.appending(path: "shim6ctl").path
        #expect(try RunningProgram(["cp", RunningProgram.built("shim6ctl"), copy]).finish().code == 0)
        return copy
    }

    @Test(.enabled(if: geteuid() == 0, "needs root, to become somebody else"))
    func `The kernel's word on who asks decides what is allowed`() async throws {
        try await Daemon.run {
            $0.control.mode = 0o666
            $0.control.group = "daemon"
        } _: { daemon in
            let environment = ["SHIM6_SOCKET": daemon.socket]
            let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534"]
            let copy = try Self.copyForOthers(in: daemon.directory)
            func ask(_ groups: [String], _ arguments: String...) throws -> (Int32, String) {
                let end = try RunningProgram(nobody + groups + [copy] + arguments, environment: environment).finish()
                return (end.code, end.errors)
            }
            let allowed = try ask(["--clear-groups"], "contexts")
            #expect(allowed == (0, ""))
            let refused = try ask(["--clear-groups"], "rm", "*")
            #expect(refused.0 == 77)
            #expect(
                refused.1
                    == "shim6ctl: you may not change anything here: only root and the group of the control socket may\n"
            )
            #expect(try ask(["--clear-groups"], "establish", "2001:db8:a1::1", "::5").0 == 77)
            #expect(!daemon.handler.commands.contains { $0.changesState })
            let member = try ask(["--groups", "4,1"], "rm", "2a")
            #expect(member == (0, ""))
            #expect(daemon.handler.commands.last == .remove(.one(Fixtures.otherTag)))
        }
    }

    @Test(.enabled(if: geteuid() == 0, "needs root, to become somebody else"))
    func `Who may not open the socket is told so`() async throws {
        try await Daemon.run {
            $0.control.mode = 0o600
        } _: { daemon in
            let copy = try Self.copyForOthers(in: daemon.directory)
            let end = try RunningProgram(
                [
                    "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", copy, "status", "--socket",
                    daemon.socket,
                ]
            ).finish()
            #expect(end.code == 77)
            #expect(
                end.errors
                    == "shim6ctl: \(daemon.socket): access refused; root and the group of the socket may connect\n")
        }
    }

    @Test(arguments: ["status", "contexts", "locators", "events"])
    func `An answer that cannot be written is no success`(command: String) async throws {
        try await Daemon.run { daemon in
            for (shell, reason) in [(">&-", "Bad file descriptor"), (">/dev/full", "No space left on device")] {
                let end = try RunningProgram([
                    "sh", "-c", "exec \"$0\" \"$@\" \(shell)", RunningProgram.built("shim6ctl"), command, "--json",
                    "--socket", daemon.socket,
                ]).finish()
                #expect(end.code == 74 && end.output.isEmpty)
                #expect(end.errors == "shim6ctl: standard output: \(reason)\n")
            }
        }
    }

    @Test(arguments: ["nan", "inf", "1e400", "-inf", "-nan", "5x"])
    func `A Send Timeout that is no number is refused with a hint, and asks no daemon`(seconds: String) async throws {
        try await Daemon.run { daemon in
            let end = try Self.run("--socket", daemon.socket, "set", "send-timeout", "--", seconds)
            #expect(end.code == 64 && end.errors.contains("seconds"))
            #expect(daemon.handler.commands.isEmpty)
        }
    }

    @Test func `A port beyond the last is refused with the range`() throws {
        let end = try Self.run("fork", "2a", "--protocol", "tcp", "--dport", "65536")
        #expect(end.code == 64 && end.errors.contains("65535"))
    }

    @Test(arguments: ["", "/etc/passwd", "/tmp", "/nonexistent/a\nb", String(repeating: "/x", count: 100)])
    func `A socket that is none is one line`(path: String) throws {
        let end = try Self.run("status", "--socket", path)
        #expect(end.code == 69 && end.output.isEmpty)
        #expect(end.errors.hasPrefix("shim6ctl: ") && end.errors.split(separator: "\n").count == 1)
    }
}
