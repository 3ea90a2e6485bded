import ArgumentParser
import BPFDataPath
import Configuration
import Logging
import Netlink
import Shim6Console
import Shim6Control

/// The command line of the daemon.
public struct DaemonCommand: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "shim6d",
        abstract: "Keeps the sessions of a multihomed IPv6 host alive when an uplink dies (Shim6, RFC 5533).",
        discussion: "Runs in the foreground and logs to standard error. SIGTERM, SIGINT and SIGHUP end it.",
        version: Version.text)

    @Option(help: "The configuration file.")
    var config = "/etc/shim6d.toml"

    @Flag(help: "Check the configuration file and exit.")
    var check = false

    @Flag(help: "Print every configuration key with its default and its meaning, and exit.")
    var printDefaults = false

    @Flag(
        help: "Remove everything that any run of the daemon made in this network namespace, but not its key, and exit.")
    var flush = false

    public init() {}

    public func run() throws {
        Start.openStandardStreams()
        do throws(StartFailure) {
            if printDefaults {
                Start.printDefaults()
            } else if flush {
                try Start.flush(configuration: config)
            } else if check {
                _ = try Start.configuration(from: config)
            } else {
                try Start.run(try Start.configuration(from: config))
            }
        } catch {
            Start.tell("shim6d: \(error.message)")
            throw ExitCode(error.exitCode)
        }
    }
}
