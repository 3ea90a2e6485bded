import CGA
import FoundationEssentials
import Glibc
import Shim6Control

/// How far the search for a Modifier has come, in a file. It holds no secret: the key itself is not in it.
struct SearchState: Codable {
    private static let version = 1

    private var version = Self.version
    private var sec: Int
    private var attempts: UInt64
    /// CGA parameters with the Modifier that is tried next, hexadecimal.
    private var parameters: String

    /// Throws `ToolFailure` if `generator` does not hold what it was made of.
    init(_ generator: CGAGenerator) throws {
        sec = generator.sec
        attempts = generator.attempts
        let parameters = try CGAParameters(
            modifier: generator.modifier, subnetPrefix: 0, publicKey: generator.publicKey,
            extensions: generator.extensions)
        self.parameters = Hexadecimal(parameters.octets).text
    }

    func write(to path: String) throws {
        try Files.write(Array(try ControlLine.encodePretty(self).utf8) + [0x0a], to: path)
    }

    /// Continues the search of `path` in place of `fresh`, which must be for the same Sec, prefixes and key. Without a key
    /// (`hasKey` false) the random number that stands in its place comes from the file.
    static func resume(_ path: String, fresh: CGAGenerator, hasKey: Bool) throws -> CGAGenerator {
        guard let state = try? JSONDecoder().decode(Self.self, from: Data(try Files.read(path))),
            state.version == version, let octets = Hexadecimal(text: state.parameters.utf8)?.octets,
            let parameters = try? CGAParameters(octets)
        else { throw ToolFailure("\(path): no state of a search") }
        guard state.sec == fresh.sec, parameters.extensions.elementsEqual(fresh.extensions),
            !hasKey || parameters.publicKey == fresh.publicKey
        else { throw ToolFailure("\(path): the search was for another key, another Sec or other prefixes") }
        return try CGAGenerator(continuing: parameters, sec: state.sec, attempts: state.attempts)
    }
}
