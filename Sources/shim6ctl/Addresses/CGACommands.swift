import ArgumentParser
import CGA
import Shim6Wire

/// `shim6ctl cga`
struct CGACommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cga",
        abstract: "Make, check and read Cryptographically Generated Addresses, without a daemon.",
        discussion: """
            A CGA (RFC 3972) is an IPv6 address whose interface identifier is a hash over a public key and some \
            parameters. A host that shows the parameters and signs with the private key proves that it owns the address.

            EXAMPLES
              shim6ctl cga generate --key host.pem --prefix 2001:db8:1::/64 --output .
              shim6ctl cga verify 2001:db8:1::.cga 2001:db8:1:0:3c4a:5bf6:ffb4:ca6c
              shim6ctl cga show 2001:db8:1::.cga
            """,
        subcommands: [Generate.self, Verify.self, Show.self])

    struct Generate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an address of a key in each of some prefixes.",
            discussion: """
                Prints each address with its parameters in hexadecimal, or with the file that they are in. One Modifier \
                serves all prefixes, so whoever sees two of the parameters knows that one host has both addresses.

                The search for the Modifier uses all processors. With sec 2 a line on standard error tells its rate, how \
                much of the expected work is done, and how much longer it takes on average. Ctrl-C ends the search at \
                once and keeps what was done in a file, from which --resume goes on.

                EXIT CODES
                  0 done, 64 wrong usage, 65 a file that is not what it should be, 66 no such file, 69 libcrypto lacks \
                an algorithm, 73 a file cannot be written, 130 interrupted.
                """)

        @Option(
            help: ArgumentHelp(
                """
                The private key: RSA of 1024 to 4096 bits, PEM or DER, PKCS#8 or PKCS#1, without passphrase. If there \
                is no such file, a new key is written there, as PEM that only its owner can read.
                """, valueName: "file"))
        var key: String

        @OptionGroup var options: GenerationOptions

        func run() throws {
            try ToolFailure.reported {
                let key = try options.privateKey(key)
                do {
                    var generator = try CGAGenerator(publicKey: key.subjectPublicKeyInfo, sec: options.sec)
                    try options.finish(&generator, hasKey: true)
                    let made = try options.prefixes.map {
                        try generator.address(in: $0.address.high, collisionCount: options.collisionCount)
                    }
                    try options.show(made, attempts: generator.attempts)
                } catch let error as CGAGenerationError {
                    throw ToolFailure(error.explanation)
                }
            }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check that an address was made from parameters.",
            discussion: """
                Takes the steps of RFC 3972, section 5, and stops at the first that fails. The exit code is 0 for a \
                good address and 1 for any other, and the output names the step.

                For an HBA set use "shim6ctl hba verify": here the parameters have to be those of the address itself.
                """)

        @OptionGroup var parameters: ParametersArgument
        @Argument(help: "The address.") var address: IPv6Address
        @OptionGroup var format: FormatOption

        func run() throws {
            try ToolFailure.reported {
                try format.conclude([.init(address, parameters: try parameters.octets, method: .cga)])
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print what parameters say, and the addresses that are made from them.",
            discussion:
                "An address also verifies with a lower Sec than it was made for (RFC 3972, section 7.1).")

        @OptionGroup var parameters: ParametersArgument
        @OptionGroup var format: FormatOption

        func run() throws {
            try ToolFailure.reported {
                let parameters = try Files.parameters(parameters.parameters)
                do {
                    try format.show(try ParametersReport(parameters))
                } catch let error as CGAError {
                    throw ToolFailure(error.explanation)
                }
            }
        }
    }
}

/// CGA parameters on the command line.
struct ParametersArgument: ParsableArguments {
    @Argument(
        help: """
            CGA parameters (RFC 3972, section 3): a file with the octets or with hexadecimal digits, "-" for standard \
            input, or the digits themselves.
            """)
    var parameters: String

    var octets: [UInt8] {
        get throws(ToolFailure) { try Files.parameterOctets(parameters) }
    }
}

extension FormatOption {
    /// Prints the verdicts, and ends with 1 if an address was refused.
    func conclude(_ verdicts: [VerificationReport.Verdict]) throws {
        let report = VerificationReport(addresses: verdicts)
        try show(report)
        if !report.isGood { throw ExitCode(1) }
    }
}

extension IPv6Prefix: ExpressibleByArgument {
    /// A prefix of 64 bits, which is the length of a Subnet Prefix.
    public init?(argument: String) {
        self.init(argument.contains("/") ? argument : argument + "/64")
        guard length == 64 else { return nil }
    }
}
