import Shim6Control
import Shim6Wire

/// A line typed at the console.
enum ConsoleCommand: Equatable {
    case nothing
    case help
    case list
    case show(Command.Selection)
    case remove(Command.Selection)
    case setSendTimeout(Double)
    case quit
    /// Cannot be understood; the message says why.
    case wrong(String)

    static let helpLines = [
        "ls\tlist the tags of the contexts",
        "cat TAG|*\tshow a context, or all of them",
        "rm TAG|*\tremove a context, or all of them",
        "set tsend SECONDS\tthe Send Timeout; peers are told",
        "help, ?\tthis text",
        "quit, exit\tclose the connection",
    ]

    /// Commands are known by their first letters, in either case: `l` lists and `Q` quits. `cat`, `rm` and `set` have to be
    /// whole. What stands behind a command that takes nothing makes it none: other protocols begin their lines with words
    /// such as HEAD, HELO, LOCK and QUERY.
    init(_ line: String) {
        let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let word = words.first?.lowercased() else {
            self = .nothing
            return
        }
        switch word {
        case _ where words.count == 1 && ("quit".hasPrefix(word) || "exit".hasPrefix(word)): self = .quit
        case _ where words.count == 1 && (word == "?" || "help".hasPrefix(word)): self = .help
        case _ where words.count == 1 && ("ls".hasPrefix(word) || "list".hasPrefix(word)): self = .list
        case "cat": self = ConsoleCommand.select(words) { .show($0) }
        case "rm": self = ConsoleCommand.select(words) { .remove($0) }
        case "set":
            guard words.count == 3, words[1].lowercased() == "tsend", let seconds = Double(words[2]) else {
                self = .wrong("say \"set tsend SECONDS\"")
                return
            }
            self = .setSendTimeout(seconds)
        case _: self = .wrong("unknown command; \"help\" lists those there are")
        }
    }

    private static func select(_ words: [String], _ command: (Command.Selection) -> Self) -> Self {
        guard words.count == 2, let selection = Command.Selection(words[1]) else {
            return .wrong("say which: a context tag, up to 12 hexadecimal digits, or *")
        }
        return command(selection)
    }
}
