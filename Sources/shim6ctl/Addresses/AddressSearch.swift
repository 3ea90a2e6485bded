import ArgumentParser
import CGA
import Glibc
import Shim6Wire

/// The options of both `generate` commands.
struct GenerationOptions: ParsableArguments {
    @Option(
        name: .customLong("prefix"),
        help: ArgumentHelp(
            "A prefix of 64 bits to make an address in. Give it again for more prefixes.", valueName: "prefix"))
    var prefixes: [IPv6Prefix] = []

    @Option(
        help: """
            0, 1 or 2. Making an address takes 2^(16*sec) hashes, and forging one takes as many times more. 0 takes no \
            time, 1 milliseconds, 2 minutes.
            """)
    var sec = 1

    @Option(
        help: ArgumentHelp(
            "The length of a new key in bits, 1024 to 4096.", valueName: "bits"))
    var keyBits = 2048

    @Option(
        help: ArgumentHelp(
            "How many addresses from these parameters duplicate address detection has found in use: 0, 1 or 2.",
            valueName: "count"))
    var collisionCount = 0

    @Option(
        help: ArgumentHelp(
            """
            Take the Modifier of these parameters (in any form that "verify" takes) and do not search: for another \
            prefix, or after a collision.
            """, valueName: "parameters"))
    var reuse: String?

    @Option(help: ArgumentHelp("Threads that search. Default: one for each processor.", valueName: "count"))
    var threads: Int?

    @Option(
        help: ArgumentHelp(
            """
            The file that keeps an interrupted search. If it is there, the search goes on from it, and needs the same \
            options as before. When the search has ended, the file goes.
            """, valueName: "file"))
    var resume: String?

    @Option(
        help: ArgumentHelp(
            "Also write the parameters of each address, as octets, to PREFIX.cga in this directory.", valueName: "dir"))
    var output: String?

    @Flag(help: "Report progress even if standard error is no terminal, and for any sec.")
    var progress = false

    @OptionGroup var format: FormatOption

    func validate() throws {
        guard !prefixes.isEmpty else { throw ValidationError("At least one --prefix is needed.") }
        guard (0...CGAParameters.maximumSec).contains(sec) else { throw ValidationError("--sec is 0, 1 or 2.") }
        guard PublicKey.defaultBits.contains(keyBits) else { throw ValidationError("--key-bits is 1024 to 4096.") }
        guard (0...2).contains(collisionCount) else { throw ValidationError("--collision-count is 0, 1 or 2.") }
        guard threads ?? 1 > 0 else { throw ValidationError("--threads is at least 1.") }
    }

    /// The key in `path`, made there if there is no such file.
    func privateKey(_ path: String) throws(ToolFailure) -> PrivateKey {
        if Files.exists(path) { return try Files.privateKey(path) }
        return try Files.makePrivateKey(path, bits: keyBits)
    }

    /// Takes the search up where it was left, if there is something to take up, and brings it to its end.
    func finish(_ generator: inout CGAGenerator, hasKey: Bool) throws {
        if let reuse {
            let earlier = try Files.parameters(reuse)
            guard earlier.extensions.elementsEqual(generator.extensions),
                !hasKey || earlier.publicKey == generator.publicKey
            else { throw ToolFailure("\(reuse.prefix(60)): these are of another key, or of a set of other prefixes") }
            generator = try CGAGenerator(reusing: earlier, sec: sec)
        }
        if let resume, Files.exists(resume), !generator.isFinished {
            generator = try SearchState.resume(resume, fresh: generator, hasKey: hasKey)
        }
        Interruption.note()
        let report = progress || (sec >= 2 && isatty(STDERR_FILENO) == 1) ? SearchProgress(generator) : nil
        do {
            try generator.search(threads: threads) { count in
                report?.tried(count)
                return Interruption.received == nil
            }
            report?.end()
        } catch {
            report?.end()
            let file = resume ?? "shim6ctl-search-\(getpid()).json"
            try SearchState(generator).write(to: file)
            throw ToolFailure(
                "interrupted after \(generator.attempts) Modifiers; go on with --resume \(file)",
                exitCode: 128 + (Interruption.received ?? SIGINT))
        }
        if let resume { unlink(resume) }
    }

    /// Prints the addresses, and writes their parameters if that is wanted.
    func show(_ made: [(address: IPv6Address, parameters: CGAParameters)], attempts: UInt64) throws {
        var addresses: [GeneratedAddress] = []
        for (address, parameters) in made {
            var file: String?
            if let output {
                let path = "\(output)/\(IPv6Address(high: address.high, low: 0)).cga"
                try Files.write(parameters.octets, to: path)
                file = path
            }
            addresses.append(GeneratedAddress(address, parameters, file: file))
        }
        try format.show(GenerationReport(sec: sec, attempts: attempts, addresses: addresses))
    }
}
