import ArgumentParser
import CGA
import Shim6Wire

/// `shim6ctl hba`
struct HBACommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hba",
        abstract: "Make and check sets of Hash-Based Addresses, without a daemon.",
        discussion: """
            HBAs (RFC 5535) are addresses in several prefixes. Each is made of a hash over all the prefixes. So the \
            parameters of any one of them prove, without a signature, that the others belong to the same host.

            EXAMPLES
              shim6ctl hba generate --prefix 2001:db8:a::/64 --prefix 2001:db8:b::/64 --key host.pem --output .
              shim6ctl hba verify 2001:db8:a::.cga 2001:db8:b:0:18ae:123b:ab80:a851
            """,
        subcommands: [Generate.self, Verify.self])

    struct Generate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a set: an address in each of the prefixes.",
            discussion: """
                With a key the set can sign as well (CGA/HBA), so later prefixes can be added. Without a key random \
                bits take its place. The order of the prefixes counts.

                If duplicate address detection finds one of the addresses taken, make all of them again, with --reuse and \
                the next --collision-count.

                EXIT CODES
                  As "shim6ctl cga generate".
                """)

        @Option(
            help: ArgumentHelp(
                "The private key of the set, as for \"shim6ctl cga generate\". Without it the set has none.",
                valueName: "file"))
        var key: String?

        @OptionGroup var options: GenerationOptions

        func run() throws {
            try ToolFailure.reported {
                let key = try key.map { try options.privateKey($0) }
                do {
                    var set = try HBAGenerator(
                        subnetPrefixes: options.prefixes.map(\.address.high),
                        publicKey: key?.subjectPublicKeyInfo, sec: options.sec)
                    try options.finish(&set.generator, hasKey: key != nil)
                    let made = try set.addresses(collisionCount: options.collisionCount)
                    try options.show(made, attempts: set.generator.attempts)
                } catch let error as CGAGenerationError {
                    throw ToolFailure(error.explanation)
                }
            }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check that addresses are members of the set that parameters describe.",
            discussion: """
                Takes the steps of RFC 5535, section 7.2, for each address, and stops at the first that fails. The exit \
                code is 0 if all addresses are members, else 1, and the output names the step.
                """)

        @OptionGroup var parameters: ParametersArgument
        @Argument(help: "The addresses.") var addresses: [IPv6Address]
        @OptionGroup var format: FormatOption

        func run() throws {
            try ToolFailure.reported {
                let octets = try parameters.octets
                try format.conclude(addresses.map { .init($0, parameters: octets, method: .hba) })
            }
        }
    }
}
