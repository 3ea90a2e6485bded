import ArgumentParser
import Glibc
import Shim6Control
import Shim6Wire

extension Shim6ctl {
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the daemon: data path, uplinks, tables, counters, what was dropped and why.")
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.run(.status)
        }
    }

    struct Contexts: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the contexts.")
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.run(.contexts)
        }
    }

    struct Context: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show all there is to know of one context.")
        @Argument(help: ContextReference.help) var context: ContextReference
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.run(on: context) { .context($0) }
        }
    }

    struct Establish: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a context for a ULID pair now, without waiting for traffic.")
        @Argument(help: "The local ULID, an IPv6 address of this host.") var local: IPv6Address
        @Argument(help: "The peer's ULID, an IPv6 address.") var peer: IPv6Address
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.run(.establish(ULIDPair(local: local, peer: peer)))
        }
    }

    struct Fork: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give some packets of a context's ULID pair a context, and locators, of their own.",
            discussion: "A port that is left out may be any.")
        @Argument(help: ContextReference.help) var context: ContextReference
        @Option(name: .customLong("protocol"), help: "tcp, udp, sctp, or a number of the IPv6 Next Header registry.")
        var transport: Transport
        @Option(name: .customLong("sport"), help: "The port on this host, 0 to 65535.") var sourcePort: UInt16?
        @Option(name: .customLong("dport"), help: "The port on the peer, 0 to 65535.") var destinationPort: UInt16?
        @OptionGroup var common: CommonOptions

        func run() throws {
            let flow = FlowSelector(
                protocolNumber: transport.number, sourcePort: sourcePort, destinationPort: destinationPort)
            try common.run(on: context) { .fork($0, [flow]) }
        }
    }

    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "rm", abstract: "Remove a context, or all.")
        @Argument(help: "The context's local tag, hexadecimal, or '*' for all.") var tag: Command.Selection
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.run(.remove(tag))
        }
    }

    struct Locators: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the local addresses that peers can be offered.")
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.run(.locators)
        }
    }

    struct Identity: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the daemon's key and the addresses that it proves, or make new ones.",
            subcommands: [Show.self, Create.self, Rotate.self], defaultSubcommand: Show.self)
        private static let oldAddresses =
            "The present addresses stay, deprecated, until the new ones can be used and no context needs the old."

        struct Show: ParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Show the key and its addresses.")
            @OptionGroup var common: CommonOptions

            func run() throws {
                try common.run(.identity(.show))
            }
        }

        struct Create: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Make other addresses with the same key, as one set over the prefixes that are there now.",
                discussion: oldAddresses)
            @OptionGroup var common: CommonOptions

            func run() throws {
                try common.run(.identity(.create))
            }
        }

        struct Rotate: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Make another key, as long as key-bits says, and its addresses.",
                discussion: oldAddresses)
            @OptionGroup var common: CommonOptions

            func run() throws {
                try common.run(.identity(.rotate))
            }
        }
    }

    struct Timeline: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the recent failovers step by step.")
        @Argument(help: "Show only failovers of the context with this local tag, hexadecimal.") var tag: ContextTag?
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.run(.timeline(tag))
        }
    }

    struct Events: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the recent events, or follow them as they happen.",
            discussion: "With --json --follow each line is one JSON object.")
        @Flag(name: .shortAndLong, help: "Print the last ten events and then each new one, until interrupted.")
        var follow = false
        @OptionGroup var common: CommonOptions

        func run() throws {
            guard follow else { return try common.run(.events(follow: false)) }
            try common.reportingErrors {
                let client = try common.client
                for event in try client.follow().suffix(10) { try show(event) }
                while let event = try client.nextEvent() { try show(event) }
                throw ControlClientError.closed
            }
        }

        private func show(_ event: EventRecord) throws {
            print(common.json ? String(decoding: try ControlLine.encode(event), as: UTF8.self) : event.text)
            // At once, into a pipe as well.
            try Shim6ctl.flushOutput()
        }
    }

    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show why a context uses its pair of locators, and what is known of each.")
        @Argument(help: ContextReference.help) var context: ContextReference
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.run(on: context) { .explain($0) }
        }
    }

    struct Explore: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the pairs that an exploration would try now, in its order. Nothing is sent or moved.")
        @Argument(help: ContextReference.help) var context: ContextReference
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.run(on: context) { .explore($0) }
        }
    }

    struct Switch: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let a context's payload use another pair of locators, once a probe on it is answered.")
        @Argument(help: ContextReference.help) var context: ContextReference
        @Argument(help: "The source locator, an address of this host.") var local: IPv6Address
        @Argument(help: "The destination locator, an address of the peer.") var peer: IPv6Address
        @OptionGroup var common: CommonOptions

        func run() throws {
            try common.run(on: context) { .switchTo($0, LocatorPair(source: local, destination: peer)) }
        }
    }

    struct Set: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a setting of the running daemon.", subcommands: [SendTimeout.self])

        struct SendTimeout: ParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Change the Send Timeout of RFC 5534, and tell the peers of all contexts.")
            @Argument(help: "Decimal seconds.") var seconds: Double
            @OptionGroup var common: CommonOptions

            func validate() throws {
                guard seconds.isFinite else { throw ValidationError("The Send Timeout is a number of seconds.") }
            }

            func run() throws {
                try common.run(.setSendTimeout(seconds))
            }
        }
    }

    struct Rank: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Name the pairs of locators that explorations try first, best first. No pairs end the ranking."
        )
        @Argument(help: "Pairs: each a local address and one of the peer.") var addresses: [IPv6Address] = []
        @OptionGroup var common: CommonOptions

        func validate() throws {
            guard addresses.count.isMultiple(of: 2) else { throw ValidationError("Addresses come in pairs.") }
        }

        func run() throws {
            let pairs = stride(from: 0, to: addresses.count, by: 2).map {
                LocatorPair(source: addresses[$0], destination: addresses[$0 + 1])
            }
            try common.run(.rank(pairs))
        }
    }
}

/// A transport protocol, by name or number.
struct Transport: ExpressibleByArgument {
    var number: UInt8

    init?(argument: String) {
        guard let number = ["tcp": 6, "udp": 17, "sctp": 132][argument] ?? UInt8(argument) else { return nil }
        self.number = number
    }
}
