import ArgumentParser
import Glibc
import Shim6Control
import Shim6Wire

@main
struct Shim6ctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shim6ctl",
        abstract: "Ask a running shim6d, and tell it what to do; make and check cryptographic addresses.",
        discussion: """
            The options below may stand before or behind a command.

            Name a context by its local tag. If it is the only one with its peer, an address or name of the peer will do.

            Exit codes: 0 done, 64 wrong usage, 65 unknown tag or senseless argument, 69 no daemon answers, \
            70 the daemon failed, 74 the output cannot be written, 75 try again later, 76 the daemon speaks another \
            version, 77 access refused.
            """,
        version: Version.text,
        subcommands: [
            Status.self, Contexts.self, Context.self, Establish.self, Fork.self, Remove.self, Locators.self,
            Identity.self, Events.self, Timeline.self, Explain.self, Explore.self, Switch.self, Set.self, Rank.self,
            CGACommand.self, HBACommand.self, Doctor.self,
        ])

    @OptionGroup var common: CommonOptions

    static func main() {
        // A stream that is closed would become the connection to the daemon, and the answer would go there. This way
        // writing to it fails.
        for stream in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(stream, F_GETFD) < 0 {
            _ = open("/dev/null", O_RDONLY)
        }
        do {
            var command = try parseAsRoot()
            try command.run()
            try flushOutput()
        } catch {
            exit(withError: error)
        }
    }

    /// Half an answer is none.
    static func flushOutput() throws {
        guard fflush(nil) != 0 else { return }
        ToolFailure.tell("shim6ctl: standard output: \(String(cString: strerror(errno)))")
        throw ExitCode(EX_IOERR)
    }
}

/// The options that every command for a daemon has.
struct CommonOptions: ParsableArguments {
    @Option(help: "Path of the daemon's control socket. Default: $SHIM6_SOCKET, else /run/shim6d.sock.")
    var socket: String?

    @OptionGroup var format: FormatOption

    var json: Bool { format.json }

    var client: ControlClient {
        get throws {
            let path = socket ?? getenv("SHIM6_SOCKET").map { String(cString: $0) } ?? "/run/shim6d.sock"
            return try ControlClient(path: path)
        }
    }

    /// Asks the daemon and prints the answer, or the reason why there is none, and ends.
    func run(_ command: Command) throws {
        try reportingErrors {
            let response = try client.send(command)
            if json {
                print(try response.prettyResult)
            } else {
                print(response.text(style: .ofStandardOutput), terminator: "")
            }
        }
    }

    /// The same for one context.
    func run(on context: ContextReference, _ command: (ContextTag) -> Command) throws {
        var tag: ContextTag?
        try reportingErrors { tag = try context.tag(client) }
        if let tag { try run(command(tag)) }
    }

    func reportingErrors(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as ControlClientError {
            let line = "shim6ctl: \(error)\n"
            _ = write(STDERR_FILENO, line, line.utf8.count)
            throw error.exitCode
        }
    }
}

extension TextStyle {
    fileprivate static var ofStandardOutput: TextStyle {
        guard isatty(STDOUT_FILENO) == 1 else { return .plain }
        var size = winsize()
        let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        return .terminal(columns: isKnown ? Int(size.ws_col) : .max)
    }
}

extension Response {
    fileprivate var prettyResult: String {
        get throws {
            func pretty(_ value: some Encodable) throws -> String { try ControlLine.encodePretty(value) }
            return try pretty(result)
        }
    }
}

extension ControlClientError {
    /// As in sysexits.h.
    var exitCode: ExitCode {
        switch self {
        case .unreachable, .closed: ExitCode(EX_UNAVAILABLE)
        case .accessRefused: ExitCode(EX_NOPERM)
        case .timedOut: ExitCode(EX_TEMPFAIL)
        case .nonsense: ExitCode(EX_PROTOCOL)
        case .command(let error):
            switch error.code {
            case .badArgument, .unknownTag: ExitCode(EX_DATAERR)
            case .accessRefused: ExitCode(EX_NOPERM)
            case .conflict, .limit: ExitCode(EX_TEMPFAIL)
            case .unavailable: ExitCode(EX_UNAVAILABLE)
            case .badRequest, .unsupportedVersion, .unknownCommand: ExitCode(EX_PROTOCOL)
            case .internal: ExitCode(EX_SOFTWARE)
            }
        }
    }
}

// What the command line is made of.

extension ContextTag: ExpressibleByArgument {
    public init?(argument: String) {
        self.init(argument)
    }
}

extension IPv6Address: ExpressibleByArgument {
    public init?(argument: String) {
        self.init(argument)
    }
}

extension Command.Selection: ExpressibleByArgument {
    public init?(argument: String) {
        self.init(argument)
    }
}
