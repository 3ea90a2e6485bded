import ControlFixtures
import Shim6Control
import Testing

@testable import Shim6Console

@Suite struct ConsoleCommandTests {
    @Test(arguments: [
        ("", ConsoleCommand.nothing), ("  \t", .nothing), ("q", .quit), ("QUIT", .quit), ("exit", .quit), ("?", .help),
        ("Help", .help), ("ls", .list), ("l", .list), ("LS", .list), ("cat *", .show(.all)), ("Cat  * ", .show(.all)),
        ("cat 2a", .show(.one(Fixtures.otherTag))), ("CAT 00000000002A", .show(.one(Fixtures.otherTag))),
        ("rm *", .remove(.all)), ("RM 2a", .remove(.one(Fixtures.otherTag))),
        ("set tsend 2.5", .setSendTimeout(2.5)), ("SET TSEND 15", .setSendTimeout(15)),
        ("set tsend", .wrong("say \"set tsend SECONDS\"")), ("set speed 9", .wrong("say \"set tsend SECONDS\"")),
    ])
    func `Commands are known as LinShim6 knew them`(line: String, command: ConsoleCommand) {
        #expect(ConsoleCommand(line) == command)
    }

    @Test(arguments: ["cat", "cat x", "cat 2a 2b", "rm", "rm all", "cat 1234567890123", "cat 800000000000", "cat -2a"])
    func `A tag that is none is refused`(line: String) {
        #expect(ConsoleCommand(line) == .wrong("say which: a context tag, up to 12 hexadecimal digits, or *"))
    }

    @Test(arguments: [
        "rmdir *", "remove *", "ca *", "status", "ls -l", "head", "lock", "query", "ehlo", "cats *", "quit now",
        "\u{0}", "\u{FFFD}",
    ])
    func `Other lines are unknown`(line: String) {
        #expect(ConsoleCommand(line) == .wrong("unknown command; \"help\" lists those there are"))
    }
}
